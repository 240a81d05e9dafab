// SPDX-License-Identifier: GPL-2.0-or-later
// The event log that a TD's firmware and boot loader keep of what they extend
// into RTMRs: what ACPI's table CCEL points to,
// /sys/firmware/acpi/tables/data/CCEL under Linux. Format: TCG PC Client
// Platform Firmware Profile Specification, "Event Logging"; UEFI Specification,
// "Confidential Computing" (register numbers).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "support/result.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

inline constexpr std::size_t kCcEventLogMaximum = 16 << 20;

struct CcEvent {
  std::uint32_t rtmr = 0;  ///< 0 to 3
  std::uint32_t type = 0;  ///< TCG's event type
  std::string type_name;   ///< "EV_EFI_VARIABLE_DRIVER_CONFIG", "event type 0x..."
  Measurement digest{};    ///< what the register was extended with
  std::string covers;      ///< what was measured, as far as the event says:
                           ///< "variable SecureBoot"; printable
  bool operator==(const CcEvent&) const = default;
};

/// The events that extend RTMRs, in their order; EV_NO_ACTION and events of the
/// MRTD (register 0) are left out. What follows the last event (zeros or ones)
/// is ignored. Error InvalidData, with the offset: no such log, one without
/// SHA-384 digests, an event that ends beyond the log, a register that there is
/// not.
Result<std::vector<CcEvent>> parse_cc_event_log(std::span<const std::byte> log);

/// RTMR0 to RTMR3 after the events: each SHA-384 of the register before and the
/// digest. Error: Internal (libcrypto).
Result<std::array<Measurement, 4>> replay_cc_events(std::span<const CcEvent> events);

}  // namespace virttdx
