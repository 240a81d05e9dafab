// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "kvm/kernel_calls.h"
#include "support/result.h"
#include "vmm_backend/host_capabilities.h"
#include "vmm_backend/soft_faults.h"
#include "vmm_backend/vm_config.h"

namespace virttdx::softhost {

/// What description() answers and every place that names the host shows.
inline constexpr const char* kDescription = "software TDX host (emulated, protects nothing)";

/// The same of a host that plays a recorded one.
inline constexpr const char* kPlayingDescription =
    "software TDX host (emulated, protects nothing) playing a recorded host";

/// The KernelCalls of a software TDX host, and what only a software host can tell.
class SoftHost : public KernelCalls {
 public:
  /// MRTD of a finalized TD as this host computed it from what it was handed; nothing before FINALIZE.
  virtual std::optional<Measurement> mrtd(int vm_fd) const = 0;
  /// The TDREPORT that TDG.MR.REPORT would give the TD now for report data of zeros; nothing before FINALIZE.
  virtual std::optional<std::vector<std::byte>> td_report(int vm_fd) const = 0;
};

/// A software TDX host of its own: KVM's ABI with the TDX module's rules behind it, guests run by libunicorn.
/// Needs no privilege and no /dev/kvm. Its ioctls fail as `faults` say.
std::unique_ptr<SoftHost> create_soft_host(std::vector<SoftFault> faults = {});

/// The same, playing a recorded host: KVM and the TDX module offer, check and answer as `profile` says. The
/// guest's instructions stay the engine's. Error: Unsupported when the record is of a TDX module with more
/// than 1.5.34 has.
Result<std::unique_ptr<SoftHost>> create_soft_host_playing(const HostCapabilities& profile,
                                                           std::vector<SoftFault> faults = {});

}  // namespace virttdx::softhost
