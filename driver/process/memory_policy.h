// SPDX-License-Identifier: GPL-2.0-or-later
// `<numatune>`: from which of the host's NUMA nodes a monitor's memory comes, and with it both sides of its
// TD's: pages of guest_memfd follow the policy of the thread that needs them first.
#pragma once

#include <optional>

#include "domain_xml/tuning.h"
#include "support/result.h"

namespace virttdx::driver {

/// While it lives, the calling thread's policy is the domain's; a process that it forks inherits it, over
/// exec and to its threads. Then the default again. One thread's object, not nested.
class MemoryPolicy {
 public:
  /// Nothing, or no nodeset: changes nothing. Error, with nodes and mode: a node that there is not, a mode
  /// that is not offered, a kernel without NUMA.
  static Result<MemoryPolicy> apply(const std::optional<domain_xml::NumaTune>& tune);
  MemoryPolicy(MemoryPolicy&& other) noexcept : applied_(other.applied_) { other.applied_ = false; }
  MemoryPolicy& operator=(MemoryPolicy&&) = delete;
  ~MemoryPolicy();

 private:
  explicit MemoryPolicy(bool applied) : applied_(applied) {}
  bool applied_;
};

}  // namespace virttdx::driver
