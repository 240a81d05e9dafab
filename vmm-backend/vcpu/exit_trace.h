// SPDX-License-Identifier: GPL-2.0-or-later
// Counts exits and measures how long the monitor takes over them, while somebody looks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "kvm/vcpu_exit.h"
#include "vmm_backend/exit_statistics.h"

namespace virttdx {

/// Nanoseconds of CLOCK_MONOTONIC.
std::uint64_t trace_clock_ns();

/// Off until read(), and off again when nobody has read for kLease: no client can leave it on. While off it
/// costs a vCPU one load an exit. Any thread.
class ExitTrace {
 public:
  static constexpr std::uint64_t kLeaseNs = 10'000'000'000;
  /// Kinds of exits that are told apart on each vCPU.
  static constexpr std::size_t kKindsMaximum = 512;

  explicit ExitTrace(std::uint32_t vcpu_count) : vcpus_(vcpu_count) {}

  bool is_on() const { return until_ns_.load(std::memory_order_relaxed) != 0; }

  /// What kind of exit it is; before its handler may change the vCPU's kvm_run.
  static std::uint64_t kind_of(const VcpuExit& exit);
  /// An exit of `kind` on `vcpu`, handled from `begin_ns` to `end_ns` of trace_clock_ns().
  void record(std::uint32_t vcpu, std::uint64_t kind, std::uint64_t begin_ns, std::uint64_t end_ns);

  /// What was counted since tracing went on; it stays on for kLease.
  ExitStatistics read(std::uint64_t now_ns = trace_clock_ns());

 private:
  struct Count {
    std::uint64_t count = 0, total_ns = 0, maximum_ns = 0;
    std::array<std::uint64_t, 64> histogram{};
    void add(const Count& other);
  };
  using Counts = std::unordered_map<std::uint64_t, Count>;
  struct PerVcpu {
    std::mutex mutex;
    Counts counts;             // guarded by mutex
    std::uint64_t untold = 0;  // guarded by mutex
  };
  static ExitCount describe_kind(std::uint64_t kind, const Count& count);

  std::atomic<std::uint64_t> until_ns_ = 0;
  std::mutex read_mutex_;
  std::uint64_t begin_ns_ = 0;  // guarded by read_mutex_
  std::vector<PerVcpu> vcpus_;
};

}  // namespace virttdx
