// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan/network_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <limits>

#include "domain_xml/cookies.h"
#include "elements/shape.h"

namespace virttdx::domain_xml {
namespace {

using Protocols = std::initializer_list<DiskProtocol>;
using enum DiskProtocol;

SourceRefusal needs(std::string_view what, std::string_view protocols) {
  return {fmt::format("{} is supported only with {} disks", what, protocols), "remove it"};
}

bool is_one_of(DiskProtocol protocol, Protocols protocols) {
  return std::ranges::find(protocols, protocol) != protocols.end();
}

// A zero is QEMU's default, as for libvirt.
template <typename Number>
bool read_number(const std::string& text, std::optional<Number>& into) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // QEMU's options are signed.
  if (error != std::errc() || end != text.data() + text.size() ||
      number > static_cast<Number>(std::numeric_limits<std::make_signed_t<Number>>::max()))
    return false;
  if (number != 0) into = number;
  return true;
}

std::optional<SourceRefusal> plan_numbers(const OtherElement& other, DiskSourceConfig& planned) {
  const bool is_url = is_one_of(planned.protocol, {Http, Https, Ftp, Ftps});
  const bool read = other.element == "readahead"
                        ? read_number(parsed(other).attribute_text("size"), planned.readahead_bytes)
                        : read_number(parsed(other).attribute_text("seconds"), planned.timeout_seconds);
  if (!is_url) return needs("<" + other.element + ">", "http, https, ftp and ftps");
  if (!read)
    return SourceRefusal{fmt::format("the number of <{}> is too large", other.element), "correct it"};
  return std::nullopt;
}

std::optional<SourceRefusal> plan_reconnect(const OtherElement& other, DiskSourceConfig& planned) {
  if (planned.protocol != Nbd) return needs("<reconnect>", "nbd");
  const auto delay = parsed(other).attribute_text("delay");
  if (delay.empty() || !read_number(delay, planned.reconnect_seconds))
    return SourceRefusal{"an nbd disk's <reconnect> has a delay of seconds", "write <reconnect delay='10'/>"};
  return std::nullopt;
}

std::optional<SourceRefusal> plan_other(const OtherElement& other, DiskSourceConfig& planned) {
  if (other.element == "readahead" || other.element == "timeout") return plan_numbers(other, planned);
  if (other.element == "ssl") {
    if (!is_one_of(planned.protocol, {Https, Ftps})) return needs("<ssl>", "https and ftps");
    if (const auto verify = parsed(other).attribute_text("verify"); !verify.empty())
      planned.verify_certificate = verify == "yes";
    return std::nullopt;
  }
  if (other.element == "initiator") {
    if (planned.protocol != Iscsi) return needs("<initiator>", "iscsi");
    const auto element = parsed(other);
    if (const auto* const iqn = element.child("iqn")) planned.initiator = iqn->attribute_text("name");
    return std::nullopt;
  }
  if (other.element == "reconnect") return plan_reconnect(other, planned);
  if (other.element == "cookies" && is_one_of(planned.protocol, {Http, Https})) return std::nullopt;
  if (other.element == "cookies") return needs("<cookies>", "http and https");
  return SourceRefusal{fmt::format("<{}> in <source> is not offered", other.element), "remove it"};
}

}  // namespace

std::optional<SourceRefusal> plan_protocol_options(const DiskSource& source, DiskSourceConfig& planned) {
  if (source.query && !is_one_of(planned.protocol, {Http, Https})) return needs("'query'", "http and https");
  if (source.tls == true && planned.protocol != Nbd) return needs("tls='yes'", "nbd");
  if (source.tls_hostname && planned.protocol != Nbd) return needs("'tlsHostname'", "nbd");
  if (source.snapshot && planned.protocol != Rbd) return needs("<snapshot>", "rbd");
  if (source.configuration && planned.protocol != Rbd) return needs("<config>", "rbd");
  for (const auto& other : source.others)
    if (auto refusal = plan_other(other, planned)) return refusal;
  if (const auto cookies = cookie_header(source); !cookies)
    return SourceRefusal{cookies.error().message(), "correct it"};
  return std::nullopt;
}

}  // namespace virttdx::domain_xml
