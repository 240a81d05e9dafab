// SPDX-License-Identifier: GPL-2.0-or-later
// Private pages that come to a TD at run time.
#pragma once

#include <cstdint>

namespace virttdx::softhost {

class Vm;

/// Gives the TD the page of guest_memfd at an address, still to be accepted: 4 KiB, or with `level` 1 the
/// 2 MiB around it when all of them are in one slot and private. Under an exclusive memory_lock. True also
/// when it is there already; false: no private memory belongs there.
bool add_private_page(Vm& vm, std::uint64_t gpa, unsigned level);

}  // namespace virttdx::softhost
