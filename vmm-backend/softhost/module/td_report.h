// SPDX-License-Identifier: GPL-2.0-or-later
// TDREPORT_STRUCT of a TD. Intel TDX Module ABI Specification, "TDREPORT_STRUCT".
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "softhost/module/td.h"

namespace virttdx::softhost {

/// The report over `report_data`, with the measurements as they are now. TEE_TCB_INFO and CPUSVN are zeros:
/// there is no SEAM module to speak for. The MAC is TdxModule::report_mac().
std::array<std::byte, tdx::report::kSize> make_td_report(
    const Td& td, std::span<const std::byte, tdx::report::kDataSize> report_data);

/// Whether a REPORTMACSTRUCT is one that this module has made.
bool is_report_of(const TdxModule& module, std::span<const std::byte, tdx::report::kMacStructSize> report);

}  // namespace virttdx::softhost
