// SPDX-License-Identifier: GPL-2.0-or-later
// The pages that a vCPU and its monitor share: struct kvm_run, then the data of port accesses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kvm/kvm_spec.h"

namespace virttdx::softhost {

/// Owns one mapping of a vCPU's descriptor. Move-only.
class RunPage {
 public:
  /// What KVM_GET_VCPU_MMAP_SIZE answers.
  static constexpr std::size_t kSize = std::size_t{2} * 4096;
  /// Of the port data from the start.
  static constexpr std::uint64_t kIoDataOffset = 4096;

  /// Maps `fd`, which is at least kSize bytes long.
  static std::optional<RunPage> map(int fd);
  RunPage(RunPage&& other) noexcept;
  RunPage& operator=(RunPage&&) = delete;
  RunPage(const RunPage&) = delete;
  RunPage& operator=(const RunPage&) = delete;
  ~RunPage();

  kvm::kvm_run& header() const;
  std::span<std::byte, 4096> io_data() const;
  /// Read anew at each call: the monitor sets it from any thread.
  bool immediate_exit() const;

 private:
  explicit RunPage(std::byte* base) : base_(base) {}
  std::byte* base_;
};

}  // namespace virttdx::softhost
