// SPDX-License-Identifier: GPL-2.0-or-later
// TD_PARAMS and TDH.MNG.INIT's checks of it. Intel TDX Module ABI Specification, "TD_PARAMS".
#pragma once

#include <array>
#include <cstdint>

#include "softhost/module/mrtd_context.h"
#include "softhost/module/tdx_module.h"

namespace virttdx::softhost {

/// Status of the TDX module: tdx::status, with an operand id or level in bits 31:0.
using TdxStatus = std::uint64_t;

/// TD_PARAMS. Fields that the structure reserves are absent: KVM passes them as zeros.
struct TdParameters {
  std::uint64_t attributes = 0;
  std::uint64_t xfam = 0;
  std::uint16_t max_vcpus = 0;
  std::uint8_t num_l2_vms = 0;
  std::uint64_t eptp_controls = 0;
  std::uint64_t config_flags = 0;   ///< tdx::config_flag
  std::uint16_t tsc_frequency = 0;  ///< in units of 25 MHz
  MeasurementValue mr_config_id{}, mr_owner{}, mr_owner_config{};
  /// In the order of TdxModule::cpuid_config_table().
  std::array<CpuidValue, tdx::kCpuidConfigCount> cpuid_config{};
};

struct ParameterCheck {
  TdxStatus status;
  /// The leaf, and the sub-leaf in bits 63:32, that CPUID_CONFIG failed on.
  std::uint64_t rcx = 0;
};

/// The first failing check in the module's order.
ParameterCheck check_parameters(const TdParameters& parameters, const TdxModule& module);

}  // namespace virttdx::softhost
