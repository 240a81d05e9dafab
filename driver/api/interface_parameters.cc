// SPDX-License-Identifier: GPL-2.0-or-later
// Limits of an interface's rates (virsh domiftune).
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>

#include "api/domain_reply.h"
#include "api/find_device.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/typed_params.h"
#include "domain_xml/interface_traffic.h"

namespace virttdx::driver::api {
namespace {

using domain_xml::Bandwidth;
using domain_xml::BandwidthRate;
using Known = ParamsRead::Known;

struct Parameter {
  const char* name;
  std::optional<BandwidthRate> Bandwidth::*direction;
  std::uint64_t BandwidthRate::*amount;
};
// In the order of libvirt's QEMU driver.
constexpr std::array kParameters = {
    Parameter{VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, &Bandwidth::inbound, &BandwidthRate::average},
    Parameter{VIR_DOMAIN_BANDWIDTH_IN_PEAK, &Bandwidth::inbound, &BandwidthRate::peak},
    Parameter{VIR_DOMAIN_BANDWIDTH_IN_BURST, &Bandwidth::inbound, &BandwidthRate::burst},
    Parameter{VIR_DOMAIN_BANDWIDTH_IN_FLOOR, &Bandwidth::inbound, &BandwidthRate::floor},
    Parameter{VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, &Bandwidth::outbound, &BandwidthRate::average},
    Parameter{VIR_DOMAIN_BANDWIDTH_OUT_PEAK, &Bandwidth::outbound, &BandwidthRate::peak},
    Parameter{VIR_DOMAIN_BANDWIDTH_OUT_BURST, &Bandwidth::outbound, &BandwidthRate::burst}};

constexpr auto kKnownParameters = [] {
  std::array<Known, kParameters.size()> known{};
  for (std::size_t i = 0; i < kParameters.size(); ++i) known[i] = {kParameters[i].name, VIR_TYPED_PARAM_UINT};
  return known;
}();

// A peak or a burst without an average or a floor changes nothing, as with libvirt's drivers.
Bandwidth wanted_bandwidth(const ParamsRead& params) {
  Bandwidth wanted;
  if (params.has(VIR_DOMAIN_BANDWIDTH_IN_AVERAGE) || params.has(VIR_DOMAIN_BANDWIDTH_IN_FLOOR))
    wanted.inbound.emplace();
  if (params.has(VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE)) wanted.outbound.emplace();
  for (const auto& parameter : kParameters)
    if (auto& rate = wanted.*parameter.direction)
      (*rate).*parameter.amount = params.uint(parameter.name).value_or(0);
  return wanted;
}

}  // namespace

Answer domain_set_interface_parameters(Session& session,
                                       const remote_domain_set_interface_parameters_args& args,
                                       Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainSetInterfaceParameters");
  const ParamsRead params(args.params.params_val, args.params.params_len);
  CHECK_ANSWER(params.check(kKnownParameters));
  const RecordPtr record = TRY(find_record(session, args.dom));
  const Impact impact = TRY(impact_of(*record, args.flags));
  std::string mac;
  for (const auto* domain :
       {impact.live ? &record->live->definition : nullptr, impact.config ? &*record->definition : nullptr})
    if (domain != nullptr) mac = TRY(find_interface(*domain, shortened(args.device)))->mac.value_or("");
  session.service().set_bandwidth(record, impact, mac, wanted_bandwidth(params), finish(reply));
  return {};
}

// A client asks how many there are by having room for none.
Answer domain_get_interface_parameters(Session& session,
                                       const remote_domain_get_interface_parameters_args& args,
                                       remote_domain_get_interface_parameters_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetInterfaceParameters");
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto* domain = TRY(definition_asked(*record, args.flags));
  ret.nparams = static_cast<int>(kParameters.size());
  if (args.nparams == 0) return {};
  const auto bandwidth = domain_xml::bandwidth_of(*TRY(find_interface(*domain, shortened(args.device))));
  TypedParams params(arena);
  for (const auto& parameter : kParameters)
    params.add_uint(parameter.name,
                    static_cast<std::uint32_t>((bandwidth.*parameter.direction).value_or(BandwidthRate()).*
                                               parameter.amount));
  auto list = params.take();
  list.resize(std::min(list.size(), static_cast<std::size_t>(std::max(args.nparams, 0))));
  ret.nparams = static_cast<int>(list.size());
  arena.array(ret.params.params_len, ret.params.params_val, std::move(list));
  return {};
}

}  // namespace virttdx::driver::api
