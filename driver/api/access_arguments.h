// SPDX-License-Identifier: GPL-2.0-or-later
// The object and the flags in a call's arguments, whatever their type.
#pragma once

#include <type_traits>

#include "api/access_rules.h"
#include "api/session.h"
#include "rpc/pending_reply.h"

namespace virttdx::driver {

using AccessFunction = AccessArguments (*)(Session&, const Frame&);

std::optional<AccessDomain> access_domain(const Result<RecordPtr>& record);
/// The name and uuid that a definition gives itself. Nothing else of it is looked at.
std::optional<AccessDomain> domain_in_xml(Session& session, std::string_view xml);

std::optional<AccessDomain> domain_in(Session& session, const remote_nonnull_domain& domain);
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_lookup_by_id_args& args);
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_lookup_by_name_args& args);
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_lookup_by_uuid_args& args);
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_create_xml_args& args);
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_define_xml_args& args);
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_define_xml_flags_args& args);

template <typename Args>
AccessArguments access_arguments_of(Session& session, const Args& args) {
  AccessArguments found;
  if constexpr (requires { domain_in(session, args.dom); })
    found.domain = domain_in(session, args.dom);
  else if constexpr (requires { domain_in(session, args); })
    found.domain = domain_in(session, args);
  if constexpr (requires { args.flags; }) found.flags = static_cast<unsigned>(args.flags);
  if constexpr (requires { args.source; }) found.source = static_cast<unsigned>(args.source);
  return found;
}

// The forms that a handler may have (rpc/serve.h): what its arguments are.
struct NoArguments {};
NoArguments arguments_of(WireResult<> (*)(Session&));
template <typename Args>
Args arguments_of(WireResult<> (*)(Session&, const Args&));
template <typename Ret>
NoArguments arguments_of(WireResult<> (*)(Session&, Ret&, Arena&));
template <typename Args, typename Ret>
Args arguments_of(WireResult<> (*)(Session&, const Args&, Ret&, Arena&));
template <typename Ret>
NoArguments arguments_of(WireResult<> (*)(Session&, Deferred<Ret>));
template <typename Args, typename Ret>
Args arguments_of(WireResult<> (*)(Session&, const Args&, Deferred<Ret>));

/// Arguments that are none: the handler will say so.
template <typename Args>
AccessArguments decode_access_arguments(Session& session, const Frame& frame) {
  if constexpr (std::is_same_v<Args, NoArguments>) {
    return {};
  } else {
    Decoded<Args> args;
    return args.decode(frame.payload) ? access_arguments_of(session, *args) : AccessArguments();
  }
}

template <auto Handler>
AccessArguments access_arguments(Session& session, const Frame& frame) {
  return decode_access_arguments<decltype(arguments_of(Handler))>(session, frame);
}

}  // namespace virttdx::driver
