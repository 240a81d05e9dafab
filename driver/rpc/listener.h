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

struct ListenerAccess {
  std::filesystem::path path;
  mode_t mode = 0;
  std::optional<gid_t> group;   ///< absent: left alone
  unsigned queued_maximum = 0;  ///< who connects beyond it waits in connect(2)
};

class Listener {
 public:
  using AcceptHandler = std::function<void(UniqueFd)>;

  /// Binds the path, replacing a stale socket: whoever calls holds the daemon's lock.
  static Result<std::unique_ptr<Listener>> create(const ListenerAccess& access, AcceptHandler accept);
  /// Takes a socket that listens already. Its path, mode and group are another's: they stay as they are.
  static Result<std::unique_ptr<Listener>> adopt(UniqueFd socket, const ListenerAccess& access,
                                                 AcceptHandler accept);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Whoever connects while it does not accept waits in the socket's queue.
  void set_accepting(bool accepting);
  const std::filesystem::path& path() const { return path_; }

 private:
  Listener(UniqueFd socket, std::filesystem::path path, bool owns_path, AcceptHandler accept);
  void accept_some();
  void pause_after(int error);
  void update() { readable_.setEnabled(accepting_ && !paused_); }

  UniqueFd socket_;
  std::filesystem::path path_;
  bool owns_path_;
  AcceptHandler accept_;
  bool accepting_ = true;
  bool paused_ = false;
  QSocketNotifier readable_;
};

}  // namespace virttdx::driver
