// SPDX-License-Identifier: GPL-2.0-or-later
// Private key ids, of which each TD holds one, as the misc controller of cgroups counts them (Linux
// Documentation/admin-guide/cgroup-v2.rst, "Misc": resource "tdx").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx {

/// A cgroup whose processes hold key ids, without those of groups below it.
struct KeyIdHolder {
  std::string cgroup;  ///< "/machine.slice/td.scope"
  std::uint32_t used = 0;
  std::optional<std::uint32_t> limit;  ///< misc.max; absent: none
};

struct KeyIds {
  std::optional<std::uint32_t> capacity;  ///< of the host
  std::optional<std::uint32_t> used;      ///< in use now
};

/// The number of "tdx N" in a misc.capacity or misc.current; nothing when there is none or it is no number.
std::optional<std::uint32_t> tdx_of_misc_file(std::string_view text);

/// From misc.capacity and misc.current of the root cgroup at `directory`; absent where the kernel has no such
/// file or no such line.
KeyIds read_key_ids(const std::string& directory = "/sys/fs/cgroup");

/// Cgroups that hold key ids, most first. Walks the hierarchy, so only for messages.
std::vector<KeyIdHolder> key_id_holders(const std::string& directory = "/sys/fs/cgroup");

/// "31 of 31 key ids are in use: 20 by cgroup /machine.slice/a.scope (limit 20), 11 by ..."; empty when the
/// kernel does not count them.
std::string describe_key_ids(const std::string& directory = "/sys/fs/cgroup");

/// Error Busy when the host has no key id left for another TD, with who holds them. Success also where it
/// cannot be known.
Result<> check_key_ids(const std::string& directory = "/sys/fs/cgroup");

}  // namespace virttdx
