// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// The master side of a new pseudo-terminal in raw mode. Nothing blocks. Not thread-safe.
class PseudoTerminal {
 public:
  static Result<PseudoTerminal> create();
  /// What a user opens: "/dev/pts/7".
  const std::string& path() const { return path_; }
  /// For waiting; edge-triggered only: it says EPOLLHUP all the time while nobody has the other side open.
  int fd() const { return master_.get(); }
  /// Drops what the other side has no room for, and everything while nobody has it open: who opens it sees
  /// what comes from then on.
  void write(std::span<const std::byte> bytes);
  /// The number of bytes read, 0 when there are none.
  std::size_t read(std::span<std::byte> into);

 private:
  PseudoTerminal(UniqueFd master, std::string path) : master_(std::move(master)), path_(std::move(path)) {}
  UniqueFd master_;
  std::string path_;
};

}  // namespace virttdx
