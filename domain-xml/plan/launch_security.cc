// SPDX-License-Identifier: GPL-2.0-or-later
// `<launchSecurity type='tdx'>` and `<pmu>` to ATTRIBUTES, the MR fields and the quote service.
#include <algorithm>
#include <array>

#include "plan/planning.h"
#include "values/base64.h"

namespace virttdx::domain_xml {
namespace {

// libvirt's defaults, https://libvirt.org/formatdomain.html#launch-security.
constexpr std::uint64_t kDefaultPolicy = 0x10000000;
constexpr std::string_view kDefaultQuoteSocket = "/var/run/tdx-qgs/qgs.socket";

constexpr unsigned kDebug = 0, kSeptVeDisable = 28, kMigratable = 29, kPerfmon = 63;

// ATTRIBUTES bits by name (Intel TDX Module ABI Specification, ATTRIBUTES).
struct AttributeName {
  unsigned bit;
  std::string_view name;
};
constexpr std::array kAttributeNames = {
    AttributeName{kDebug, "DEBUG"},
    AttributeName{4, "HGS_PLUS_PROF"},
    AttributeName{5, "PERF_PROF"},
    AttributeName{6, "PMT_PROF"},
    AttributeName{16, "ICSSD"},
    AttributeName{17, "SERVTD_EXT"},
    AttributeName{27, "LASS"},
    AttributeName{kSeptVeDisable, "SEPT_VE_DISABLE"},
    AttributeName{kMigratable, "MIGRATABLE"},
    AttributeName{30, "PKS"},
    AttributeName{31, "KL"},
    AttributeName{62, "TPA"},
    AttributeName{kPerfmon, "PERFMON"},
};

std::string_view attribute_name(unsigned bit) {
  const auto found = std::ranges::find(kAttributeNames, bit, &AttributeName::bit);
  return found == kAttributeNames.end() ? "reserved" : found->name;
}

void refuse_attribute(Planning& planning, unsigned bit, bool from_policy) {
  const auto& security = *planning.domain.launch_security;
  const auto what = from_policy
                        ? fmt::format("launchSecurity policy {:#x}", planning.plan.config.td.attributes)
                        : std::string("<pmu state='on'>");
  auto& finding = planning.error(
      "tdx-policy-unsupported", from_policy ? "/domain/launchSecurity/policy" : "/domain/features/pmu",
      fmt::format("{}: bit {} ({}) is not offered by this host's KVM (offered: {:#x})", what, bit,
                  attribute_name(bit), planning.host.supported_attributes),
      "remove it or use a host whose KVM lists it");
  finding.bit = fmt::format("ATTRIBUTES.{} [bit {}]", attribute_name(bit), bit);
  if (from_policy) finding.line = security.line;
}

void plan_attributes(Planning& planning) {
  const auto policy = planning.domain.launch_security->policy.value_or(kDefaultPolicy);
  auto& attributes = planning.plan.config.td.attributes;
  attributes = policy;
  for (unsigned bit = 0; bit < 64; ++bit)
    if (((policy & ~planning.host.supported_attributes) >> bit & 1) != 0)
      refuse_attribute(planning, bit, true);
  const bool pmu = planning.domain.features && planning.domain.features->pmu == true;
  if (pmu && (policy >> kPerfmon & 1) == 0) {
    attributes |= std::uint64_t{1} << kPerfmon;
    if ((planning.host.supported_attributes >> kPerfmon & 1) == 0)
      refuse_attribute(planning, kPerfmon, false);
  }
}

void warn_of_attributes(Planning& planning) {
  const auto attributes = planning.plan.config.td.attributes;
  const int line = planning.domain.launch_security->line;
  if ((attributes >> kDebug & 1) != 0)
    planning
        .add(
            Severity::Warning, "tdx-debug", "/domain/launchSecurity/policy",
            fmt::format("launchSecurity policy {:#x} makes a debug TD: the host can read and write all of it",
                        attributes),
            "remove bit 0 for anything but debugging")
        .line = line;
  if ((attributes >> kSeptVeDisable & 1) == 0)
    planning
        .add(
            Severity::Warning, "tdx-sept-ve", "/domain/launchSecurity/policy",
            fmt::format(
                "launchSecurity policy {:#x} lacks bit 28 (SEPT_VE_DISABLE): Linux guests may refuse to boot",
                attributes),
            "use policy 0x10000000")
        .line = line;
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
  warn_of_attributes(planning);
  td.mr_config_id = digest(security.mr_config_id);
  td.mr_owner = digest(security.mr_owner);
  td.mr_owner_config = digest(security.mr_owner_config);
  if (const auto& quote = security.quote_generation_service)
    td.quote_service_socket = quote->path.value_or(std::string(kDefaultQuoteSocket));
}

}  // namespace virttdx::domain_xml
