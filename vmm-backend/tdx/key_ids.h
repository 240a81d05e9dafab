// SPDX-License-Identifier: GPL-2.0-or-later
// Private key ids, of which each TD holds one, as the misc controller of cgroups counts them (Linux
// Documentation/admin-guide/cgroup-v2.rst, "Misc": resource "tdx").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace virttdx {

struct KeyIds {
  std::optional<std::uint32_t> capacity;  ///< of the host
  std::optional<std::uint32_t> used;      ///< in use now
};

/// The number of "tdx N" in a misc.capacity or misc.current; nothing when there is none or it is no number.
std::optional<std::uint32_t> tdx_of_misc_file(std::string_view text);

/// From misc.capacity and misc.current of the root cgroup at `directory`; absent where the kernel has no such
/// file or no such line.
KeyIds read_key_ids(const std::string& directory = "/sys/fs/cgroup");

}  // namespace virttdx
