// SPDX-License-Identifier: GPL-2.0-or-later
// The classes of libvirt's objects, and the daemons that serve those which are not ours.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace virttdx::driver {

enum class ObjectClass : std::uint8_t {
  Hypervisor,  ///< served here
  Network,
  Storage,
  Nodedev,
  Secret,
  Interface,
  Nwfilter,
};
inline constexpr int kObjectClassCount = 7;

/// The scheme of its connections ("network"), which is also its daemon's name without "virt" and "d".
std::string_view scheme_of(ObjectClass object_class);

/// Where its daemon may listen: the modular daemon's socket first, then that of the one daemon for all.
std::vector<std::filesystem::path> sockets_of(ObjectClass object_class, const std::filesystem::path& run,
                                              bool read_only);

/// The reply of a call that lists or counts when there is no daemon to ask: nothing. Clients do not expect
/// these to fail. Absent for every other call.
std::optional<std::string_view> empty_answer(int procedure);

}  // namespace virttdx::driver
