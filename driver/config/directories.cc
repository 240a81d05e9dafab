// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/directories.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace virttdx::driver {
namespace {

// libvirt's layout, below the machine's root or a private one.
Directories below(const std::filesystem::path& root) {
  return {.run = root / "run/libvirt",
          .state = root / "run/libvirt/tdx",
          .config = root / "etc/libvirt/tdx",
          .log = root / "var/log/libvirt/tdx",
          .config_file = root / "etc/libvirt/virttdxd.conf",
          .control_groups = root / "sys/fs/cgroup"};
}

Result<std::filesystem::path> user_directory(const char* variable, std::string_view below_home) {
  if (const char* set = getenv(variable); set != nullptr && set[0] == '/') return std::filesystem::path(set);
  const char* home = getenv("HOME");
  if (home == nullptr || home[0] != '/')
    return fail(Error::Code::NotFound,
                "neither {} nor HOME is an absolute path; set one of them, or use --root", variable);
  return std::filesystem::path(home) / below_home;
}

// The places where libvirt's client looks for a session daemon.
Result<Directories> of_session() {
  const auto cache = TRY(user_directory("XDG_CACHE_HOME", ".cache")) / "libvirt";
  const auto config = TRY(user_directory("XDG_CONFIG_HOME", ".config")) / "libvirt";
  const char* runtime = getenv("XDG_RUNTIME_DIR");
  const auto run =
      runtime != nullptr && runtime[0] == '/' ? std::filesystem::path(runtime) / "libvirt" : cache;
  return Directories{.run = run,
                     .state = run / "tdx",
                     .config = config / "tdx",
                     .log = cache / "tdx" / "log",
                     .config_file = config / "virttdxd.conf",
                     .per_user = true,
                     .control_groups = {}};
}

Result<> create_one(const std::filesystem::path& path, mode_t mode) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error) return fail_errno(error.value(), "create directory '{}'", path.parent_path().native());
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    return fail_errno(errno, "create directory '{}'", path.native());
  return {};
}

}  // namespace

Result<Directories> find_directories(const std::optional<std::filesystem::path>& root) {
  if (root) return below(std::filesystem::absolute(*root));
  if (geteuid() == 0) return below("/");
  return of_session();
}

Result<> create_directories(const Directories& directories) {
  TRY(create_one(directories.run, 0755));
  for (const auto& path : {directories.state, directories.config, directories.autostart(), directories.log})
    TRY(create_one(path, 0700));
  return {};
}

}  // namespace virttdx::driver
