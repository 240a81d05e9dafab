// SPDX-License-Identifier: GPL-2.0-or-later
// Where the daemon keeps what: libvirt's layout, the user's own in a session, or everything below one
// directory.
#pragma once

#include <filesystem>
#include <optional>

#include "support/result.h"

namespace virttdx::driver {

struct Directories {
  std::filesystem::path run;     ///< sockets and lock file
  std::filesystem::path state;   ///< status files, monitors' configurations and control sockets
  std::filesystem::path config;  ///< definitions; autostart/ below it
  std::filesystem::path log;     ///< one file a domain
  std::filesystem::path config_file;
  bool per_user = false;                 ///< a session's: tdx:///session
  std::filesystem::path control_groups;  ///< the kernel's (cgroup v2); empty: not a session's to use

  std::filesystem::path socket() const { return run / "virttdxd-sock"; }
  std::filesystem::path read_only_socket() const { return run / "virttdxd-sock-ro"; }
  std::filesystem::path admin_socket() const { return run / "virttdxd-admin-sock"; }
  std::filesystem::path lock_file() const { return run / "virttdxd.pid"; }
  std::filesystem::path autostart() const { return config / "autostart"; }
};

/// `root`: below this directory instead. Else root's system directories, or the XDG ones of another user.
Result<Directories> find_directories(const std::optional<std::filesystem::path>& root);

/// Creates what is missing: the run directory may be entered by everybody, the others by the owner only.
Result<> create_directories(const Directories& directories);

}  // namespace virttdx::driver
