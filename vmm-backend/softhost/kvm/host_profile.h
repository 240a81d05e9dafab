// SPDX-License-Identifier: GPL-2.0-or-later
// Plays a recorded host: its KVM and TDX module offer what the record says.
#pragma once

#include "softhost/kvm/processor.h"
#include "support/result.h"
#include "vmm_backend/host_capabilities.h"

namespace virttdx::softhost {

/// A processor, without create_engine, on which KVM and the module answer as `profile` was recorded. The
/// guest's instructions are still the engine's: one that the record's CPU has and the engine lacks is #UD.
/// Error: Unsupported when the record has CPUID or XFAM bits that the modelled module (1.5.34) cannot
/// configure.
Result<Processor> play_host(const HostCapabilities& profile);

}  // namespace virttdx::softhost
