// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <vector>

#include "softhost/kvm/processor.h"
#include "softhost/soft_host.h"

namespace virttdx::softhost {

/// A host whose CPUs are `processor`'s and whose ioctls fail as `faults` say.
std::unique_ptr<SoftHost> create_kvm_model(Processor processor, std::vector<SoftFault> faults = {});

}  // namespace virttdx::softhost
