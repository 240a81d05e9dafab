// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/td_report.h"

#include <algorithm>

#include "softhost/module/mrtd_context.h"
#include "support/byte_order.h"

namespace virttdx::softhost {

namespace {

using namespace tdx::report;
using Report = std::array<std::byte, kSize>;

void put(Report& report, std::size_t offset, std::span<const std::byte> bytes) {
  std::copy(bytes.begin(), bytes.end(), report.begin() + static_cast<std::ptrdiff_t>(offset));
}

void put_td_info(Report& report, const Td& td) {
  const auto& parameters = td.parameters();
  store_le<std::uint64_t>(report, kAttributes, parameters.attributes);
  store_le<std::uint64_t>(report, kXfam, parameters.xfam);
  put(report, kMrtd, td.mrtd().value_or(MeasurementValue{}));
  put(report, kMrConfigId, parameters.mr_config_id);
  put(report, kMrOwner, parameters.mr_owner);
  put(report, kMrOwnerConfig, parameters.mr_owner_config);
  for (std::size_t i = 0; i < tdx::kRtmrCount; ++i)
    put(report, kRtmr0 + i * tdx::kMeasurementSize, td.rtmr(i));
}

}  // namespace

Report make_td_report(const Td& td, std::span<const std::byte, kDataSize> report_data) {
  Report report{};
  put_td_info(report, td);
  report[kType] = std::byte{kTypeTdx};
  const std::span<const std::byte> bytes(report);
  put(report, kTeeTcbInfoHash, sha384(bytes.subspan(kTeeTcbInfo, kTeeTcbInfoSize)));
  put(report, kTeeInfoHash, sha384(bytes.subspan(kTdInfo, kTdInfoSize)));
  put(report, kReportData, report_data);
  put(report, kMac, td.module().report_mac(std::span<const std::byte, kMac>(report.data(), kMac)));
  return report;
}

bool is_report_of(const TdxModule& module, std::span<const std::byte, kMacStructSize> report) {
  const auto mac = module.report_mac(report.first<kMac>());
  return report[kType] == std::byte{kTypeTdx} && std::ranges::equal(mac, report.subspan<kMac>());
}

}  // namespace virttdx::softhost
