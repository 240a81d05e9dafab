// SPDX-License-Identifier: GPL-2.0-or-later
// A Unix socket that accepts clients on the event loop.
#pragma once

#include <sys/types.h>

#include <QSocketNotifier>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

class Listener {
 public:
  using AcceptHandler = std::function<void(UniqueFd)>;

  /// Binds `path`, replacing a stale socket: whoever calls holds the daemon's lock. `group` is left alone
  /// when absent.
  static Result<std::unique_ptr<Listener>> create(const std::filesystem::path& path, mode_t mode,
                                                  std::optional<gid_t> group, AcceptHandler accept);
  /// Takes a socket that listens already. Its path is another's: it stays when the listener ends.
  static std::unique_ptr<Listener> adopt(UniqueFd socket, const std::filesystem::path& path,
                                         AcceptHandler accept);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  Listener(UniqueFd socket, std::filesystem::path path, bool owns_path, AcceptHandler accept);
  void accept_some();
  void pause_after(int error);

  UniqueFd socket_;
  std::filesystem::path path_;
  bool owns_path_;
  AcceptHandler accept_;
  QSocketNotifier readable_;
};

}  // namespace virttdx::driver
