// SPDX-License-Identifier: GPL-2.0-or-later
// `<launchSecurity type='tdx'>` and `<pmu>` to ATTRIBUTES, the MR fields and the quote service.
#include <algorithm>

#include "plan/planning.h"
#include "plan/td_attributes.h"
#include "values/base64.h"

namespace virttdx::domain_xml {
namespace {

// libvirt's defaults, https://libvirt.org/formatdomain.html#launch-security.
constexpr std::uint64_t kDefaultPolicy = 0x10000000;
constexpr std::string_view kDefaultQuoteSocket = "/var/run/tdx-qgs/qgs.socket";

constexpr auto kPolicyPath = "/domain/launchSecurity/policy";

constexpr unsigned kDebug = 0, kSeptVeDisable = 28, kMigratable = 29, kPerfmon = 63;

bool has(std::uint64_t attributes, unsigned bit) { return (attributes >> bit & 1) != 0; }

void plan_attributes(Planning& planning) {
  const auto& security = *planning.domain.launch_security;
  const auto policy = security.policy.value_or(kDefaultPolicy);
  auto& attributes = planning.plan.config.td.attributes;
  attributes = policy;
  const AttributeRequest of_policy{fmt::format("launchSecurity policy {:#x}", policy), kPolicyPath};
  for (unsigned bit = 0; bit < 64; ++bit)
    if (has(policy, bit)) check_td_attribute(planning, bit, of_policy);
  const bool pmu = planning.domain.features && planning.domain.features->pmu == true;
  if (!pmu || has(policy, kPerfmon)) return;
  if (check_td_attribute(planning, kPerfmon, {"<pmu state='on'>", "/domain/features/pmu"}))
    attributes |= std::uint64_t{1} << kPerfmon;
}

// The module's only rule across bits.
void check_attributes_together(Planning& planning) {
  const auto attributes = planning.plan.config.td.attributes;
  if (!has(attributes, kMigratable) || (!has(attributes, kDebug) && !has(attributes, kPerfmon))) return;
  auto& finding = planning.error(
      "tdx-attributes-exclude", kPolicyPath,
      fmt::format("TD attributes {:#x}: the TDX module refuses bit 29 (MIGRATABLE) together with bit 0 "
                  "(DEBUG) or bit 63 (PERFMON)",
                  attributes),
      "remove bit 29");
  finding.bit = "ATTRIBUTES.MIGRATABLE [bit 29]";
}

void warn_of_attributes(Planning& planning) {
  const auto attributes = planning.plan.config.td.attributes;
  if (has(attributes, kDebug))
    planning.add(
        Severity::Warning, "tdx-debug", kPolicyPath,
        fmt::format("launchSecurity policy {:#x} makes a debug TD: the host can read and write all of it",
                    attributes),
        "remove bit 0 for anything but debugging");
  if (!has(attributes, kSeptVeDisable))
    planning.add(
        Severity::Warning, "tdx-sept-ve", kPolicyPath,
        fmt::format(
            "launchSecurity policy {:#x} lacks bit 28 (SEPT_VE_DISABLE): Linux guests may refuse to boot",
            attributes),
        "use policy 0x10000000");
}

// The reader accepted exactly 48 bytes.
Measurement digest(const std::optional<std::string>& text) {
  Measurement value{};
  if (!text) return value;
  const auto bytes = decode_base64(*text);
  CHECK(bytes && bytes->size() == value.size());
  std::ranges::copy(*bytes, value.begin());
  return value;
}

}  // namespace

void plan_launch_security(Planning& planning) {
  if (!planning.domain.launch_security) {
    planning.error("launch-security-missing", "/domain/launchSecurity", "the domain is no trust domain",
                   "add <launchSecurity type='tdx'/>");
    return;
  }
  const auto& security = *planning.domain.launch_security;
  auto& td = planning.plan.config.td;
  plan_attributes(planning);
  check_attributes_together(planning);
  warn_of_attributes(planning);
  td.mr_config_id = digest(security.mr_config_id);
  td.mr_owner = digest(security.mr_owner);
  td.mr_owner_config = digest(security.mr_owner_config);
  if (const auto& quote = security.quote_generation_service)
    td.quote_service_socket = quote->path.value_or(std::string(kDefaultQuoteSocket));
}

}  // namespace virttdx::domain_xml
