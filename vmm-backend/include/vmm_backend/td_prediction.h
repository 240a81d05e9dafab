// SPDX-License-Identifier: GPL-2.0-or-later
// What a TDREPORT will say of a TD, before there is one.
#pragma once

#include <array>
#include <cstdint>

#include "support/result.h"
#include "vmm_backend/tdvf.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// TDINFO_STRUCT (TDX Module ABI Spec). SERVTD_HASH is zero.
struct TdPrediction {
  Measurement mrtd{};
  Measurement mr_config_id{};
  Measurement mr_owner{};
  Measurement mr_owner_config{};
  std::uint64_t attributes = 0;
  std::uint64_t xfam = 0;
  /// SHA-384 of the whole structure: TEE_INFO_HASH of a TDREPORT.
  Measurement td_info_hash{};
};

/// RTMR0 to RTMR3.
using Rtmrs = std::array<Measurement, 4>;

/// Pure. `config.td` is what KVM_TDX_INIT_VM will be given; the launch leaves `rtmrs` zero. Error: Internal
/// (libcrypto).
Result<TdPrediction> predict_td(const TdConfig& config, const Tdvf& tdvf,
                                MrtdOrder order = MrtdOrder::SinglePass, const Rtmrs& rtmrs = {});

}  // namespace virttdx
