// SPDX-License-Identifier: GPL-2.0-or-later
// Why KVM_RUN came back, decoded. Spans and pointers refer into the vCPU's kvm_run and hold until the next
// run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "kvm/kvm_spec.h"
#include "vmm_backend/gpa.h"

namespace virttdx {

/// Port access: `data` holds `count` items of `size` bytes, to fill or to take.
struct IoExit {
  bool is_write = false;
  std::uint16_t port = 0;
  std::uint8_t size = 0;
  std::span<std::byte> data;
};
struct MmioExit {
  bool is_write = false;
  Gpa gpa;
  std::span<std::byte> data;  ///< 1 to 8 bytes, to fill or to take
};
struct HypercallExit {
  std::uint64_t number = 0;
  std::array<std::uint64_t, 6> args{};
  std::uint64_t* answer = nullptr;
};
/// The guest wants memory private that is shared, or the reverse.
struct MemoryFaultExit {
  std::uint64_t flags = 0;
  Gpa gpa;
  std::uint64_t size = 0;
};
/// A TDVMCALL that KVM leaves to the monitor; run->tdx is its structure.
struct TdxExit {
  kvm::kvm_run* run = nullptr;
};
struct SystemEventExit {
  std::uint32_t type = 0;
  std::array<std::uint64_t, 16> data{};
};
struct HltExit {};
struct ShutdownExit {};
struct InternalErrorExit {
  std::uint32_t suberror = 0;
};
struct FailEntryExit {
  std::uint64_t reason = 0;
};
/// A signal, immediate_exit, or a wake-up without cause: run again when nothing else is asked for.
struct InterruptedExit {};
struct UnknownExit {
  std::uint32_t reason = 0;
};

using VcpuExit =
    std::variant<IoExit, MmioExit, HypercallExit, MemoryFaultExit, TdxExit, SystemEventExit, HltExit,
                 ShutdownExit, InternalErrorExit, FailEntryExit, InterruptedExit, UnknownExit>;

/// Decodes a finished run. `area` is the whole mapping that starts with the kvm_run.
VcpuExit decode_exit(std::span<std::byte> area);

}  // namespace virttdx
