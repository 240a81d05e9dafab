// SPDX-License-Identifier: GPL-2.0-or-later
// Guest writes that signal an eventfd instead of an exit (KVM_IOEVENTFD).
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "support/unique_fd.h"

namespace virttdx::softhost {

/// Thread-safe.
class IoEvents {
 public:
  struct Event {
    bool is_port = false;
    std::uint64_t address = 0;
    std::uint32_t length = 0;            ///< 0: writes of any size
    std::optional<std::uint64_t> value;  ///< only writes of this value
    int caller_fd = -1;                  ///< the number under which the monitor knows the eventfd
    UniqueFd eventfd;                    ///< a duplicate of it
  };

  /// 0, or -EEXIST when an event for the same writes exists.
  int add(Event event);
  /// 0, or -ENOENT.
  int remove(const Event& event);
  /// Signals the event of a write; false when there is none.
  bool write(bool is_port, std::uint64_t address, std::uint32_t size, std::uint64_t value) const;

 private:
  mutable std::mutex mutex_;
  std::vector<Event> events_;  // guarded by mutex_
};

}  // namespace virttdx::softhost
