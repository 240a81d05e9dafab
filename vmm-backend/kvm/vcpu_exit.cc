// SPDX-License-Identifier: GPL-2.0-or-later
#include "kvm/vcpu_exit.h"

#include <algorithm>

#include "support/result.h"

namespace virttdx {
namespace {

using Area = std::span<std::byte>;

VcpuExit decode_io(kvm::kvm_run& run, Area area) {
  const std::uint64_t size = std::uint64_t{run.io.size} * run.io.count;
  const std::uint64_t offset = run.io.data_offset;
  // The data would lie outside of the mapping: KVM and this program disagree about the ABI.
  if (offset > area.size() || size > area.size() - offset) return UnknownExit{run.exit_reason};
  return IoExit{run.io.direction == kvm::KVM_EXIT_IO_OUT, run.io.port, run.io.size,
                area.subspan(offset, size)};
}

VcpuExit decode_mmio(kvm::kvm_run& run, Area) {
  const std::size_t size = std::min<std::size_t>(run.mmio.len, sizeof(run.mmio.data));
  return MmioExit{run.mmio.is_write != 0,
                  {run.mmio.phys_addr},
                  std::as_writable_bytes(std::span(run.mmio.data)).first(size)};
}

VcpuExit decode_hypercall(kvm::kvm_run& run, Area) {
  HypercallExit exit{run.hypercall.nr, {}, &run.hypercall.ret};
  std::ranges::copy(run.hypercall.args, exit.args.begin());
  return exit;
}

VcpuExit decode_memory_fault(kvm::kvm_run& run, Area) {
  return MemoryFaultExit{run.memory_fault.flags, {run.memory_fault.gpa}, run.memory_fault.size};
}

VcpuExit decode_tdx(kvm::kvm_run& run, Area) { return TdxExit{&run}; }

VcpuExit decode_system_event(kvm::kvm_run& run, Area) {
  SystemEventExit exit{run.system_event.type, {}};
  const std::size_t count = std::min<std::size_t>(run.system_event.ndata, exit.data.size());
  std::ranges::copy(std::span(run.system_event.data).first(count), exit.data.begin());
  return exit;
}

VcpuExit decode_hlt(kvm::kvm_run&, Area) { return HltExit{}; }
VcpuExit decode_shutdown(kvm::kvm_run&, Area) { return ShutdownExit{}; }
VcpuExit decode_internal_error(kvm::kvm_run& run, Area) { return InternalErrorExit{run.internal.suberror}; }
VcpuExit decode_fail_entry(kvm::kvm_run& run, Area) {
  return FailEntryExit{run.fail_entry.hardware_entry_failure_reason};
}
VcpuExit decode_interrupted(kvm::kvm_run&, Area) { return InterruptedExit{}; }

struct Decoder {
  std::uint32_t reason;
  VcpuExit (*decode)(kvm::kvm_run&, Area);
};

constexpr Decoder kDecoders[] = {
    {kvm::KVM_EXIT_IO, decode_io},
    {kvm::KVM_EXIT_MMIO, decode_mmio},
    {kvm::KVM_EXIT_HYPERCALL, decode_hypercall},
    {kvm::KVM_EXIT_MEMORY_FAULT, decode_memory_fault},
    {kvm::KVM_EXIT_TDX, decode_tdx},
    {kvm::KVM_EXIT_SYSTEM_EVENT, decode_system_event},
    {kvm::KVM_EXIT_HLT, decode_hlt},
    {kvm::KVM_EXIT_SHUTDOWN, decode_shutdown},
    {kvm::KVM_EXIT_INTERNAL_ERROR, decode_internal_error},
    {kvm::KVM_EXIT_FAIL_ENTRY, decode_fail_entry},
    {kvm::KVM_EXIT_INTR, decode_interrupted},
};

}  // namespace

VcpuExit decode_exit(std::span<std::byte> area) {
  CHECK(area.size() >= sizeof(kvm::kvm_run));
  // SAFETY: KVM lays out a page-aligned kvm_run at the mapping's start.
  auto& run = *reinterpret_cast<kvm::kvm_run*>(area.data());
  const auto* const found = std::ranges::find(kDecoders, run.exit_reason, &Decoder::reason);
  return found == std::end(kDecoders) ? UnknownExit{run.exit_reason} : found->decode(run, area);
}

}  // namespace virttdx
