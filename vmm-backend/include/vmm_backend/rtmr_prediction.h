// SPDX-License-Identifier: GPL-2.0-or-later
// What of a firmware's event log follows from the TD's configuration and firmware, before there is a TD.
//
// Computable is what OVMF (edk2, SecTdxHelperLib, from edk2-stable202302 on) extends RTMR0 with before it
// uses what the host gave it: the TD HOB up to its last block, and the configuration firmware volume.
// Everything else, ACPI tables and variables above all, is made by the guest and stays as the log has it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "vmm_backend/cc_event_log.h"
#include "vmm_backend/tdvf.h"

namespace virttdx {

/// Where a predicted event's digest comes from.
enum class DigestSource : std::uint8_t {
  Log,       ///< nothing is computed
  Agreed,    ///< computed, and the log has the same
  Computed,  ///< the log has another one: of a TD with another size of memory or another firmware
};
/// "log", "computed, as in the log", "computed, not as in the log".
std::string_view name_of(DigestSource source);

struct PredictedEvent {
  CcEvent event;  ///< with the predicted digest
  DigestSource source = DigestSource::Log;
};

/// The events as a TD of that configuration will extend them, if it boots as the one that kept the log. Pure.
/// Error: the TD HOB's or libcrypto's.
Result<std::vector<PredictedEvent>> predict_cc_events(const std::vector<CcEvent>& log, const VmConfig& config,
                                                      const Tdvf& tdvf);

}  // namespace virttdx
