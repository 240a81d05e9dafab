// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/daemon_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace virttdx::driver {

Result<UniqueFd> take_daemon_lock(const std::filesystem::path& file) {
  UniqueFd fd(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(errno, "open lock file '{}'", file.native());
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  // A record lock: monitors do not inherit it, so that it ends with the daemon.
  if (fcntl(fd.get(), F_SETLK, &lock) != 0) {
    if (errno == EACCES || errno == EAGAIN)
      return fail(Error::Code::Busy,
                  "another virttdxd holds '{}'; end it, or use another --root or --pid-file", file.native());
    return fail_errno(errno, "lock '{}'", file.native());
  }
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(fd.get(), 0) != 0 ||
      write(fd.get(), pid.data(), pid.size()) != static_cast<ssize_t>(pid.size()))
    return fail_errno(errno, "write '{}'", file.native());
  return fd;
}

Result<PidFile> PidFile::take(const std::filesystem::path& file) {
  auto fd = TRY(take_daemon_lock(file));
  return PidFile(std::move(fd), file);
}

PidFile::~PidFile() {
  if (fd_) unlink(path_.c_str());
}

}  // namespace virttdx::driver
