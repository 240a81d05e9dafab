// SPDX-License-Identifier: GPL-2.0-or-later
// HostCapabilities as JSON: schemas/host-capabilities.json.
#include "vmm_backend/host_capabilities.h"

#include "control/cpuid_json.h"
#include "control/enum_names.h"

namespace virttdx {
namespace {

constexpr std::size_t kMaximumSize = 1 << 20;

}  // namespace

template <typename Visitor>
void describe(Visitor& visit, HostCapabilities& host) {
  visit.required("kind", host.kind);
  visit.required("tdx_supported", host.tdx_supported);
  visit.required("tdx_unsupported_reason", host.tdx_unsupported_reason);
  visit.required("supported_attributes", hex(host.supported_attributes));
  visit.required("supported_xfam", hex(host.supported_xfam));
  visit.required("configurable_cpuid", host.configurable_cpuid);
  visit.required("user_tdvmcallinfo_1_r11", hex(host.user_tdvmcallinfo_1_r11));
  visit.required("user_tdvmcallinfo_1_r12", hex(host.user_tdvmcallinfo_1_r12));
  visit.required("supported_cpuid", host.supported_cpuid);
  visit.required("max_vcpus", host.max_vcpus);
  visit.required("physical_address_bits", host.physical_address_bits);
  visit.required("five_level_ept", host.five_level_ept);
  visit.required("tsc_khz", host.tsc_khz);
  visit.optional("key_ids", host.key_ids);
  visit.optional("key_ids_used", host.key_ids_used);
  visit.optional("vhost_net", host.vhost_net);
  visit.optional("vhost_vsock", host.vhost_vsock);
  visit.optional("description", host.description);
}

Result<HostCapabilities> host_capabilities_from_json(std::string_view json) {
  return from_json<HostCapabilities>(TRY(parse_json(json, kMaximumSize)));
}

std::string host_capabilities_to_json(const HostCapabilities& capabilities) {
  return to_text(to_json_value(capabilities));
}

}  // namespace virttdx
