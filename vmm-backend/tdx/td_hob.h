// SPDX-License-Identifier: GPL-2.0-or-later
// The TD HOB: the hand-off block list with which a TDVF learns the memory of its TD.
// Sources: UEFI Platform Initialization Specification 1.8, volume 3 (HOB); TDVF Design Guide, section 7.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "memory/layout.h"
#include "support/result.h"
#include "vmm_backend/gpa.h"
#include "vmm_backend/tdvf.h"

namespace virttdx {

/// Builds the list that stands at hob_memory.base(): PHIT, a resource descriptor for each piece of `ram` in
/// order of address (system memory where it lies in `added`, which the launch adds; unaccepted memory
/// elsewhere), end of list. `ram`'s ranges must not overlap; `added` may hold ranges outside of RAM, which
/// are left out. Fails with NoSpace when the list does not fit into hob_memory.
Result<std::vector<std::byte>> build_td_hob(const GpaRange& hob_memory, std::span<const GpaRange> ram,
                                            std::span<const GpaRange> added);

/// The list of a TD with this firmware: what the launch adds are the firmware's sections.
Result<std::vector<std::byte>> build_td_hob(const Tdvf& tdvf, const MemoryLayout& layout);

}  // namespace virttdx
