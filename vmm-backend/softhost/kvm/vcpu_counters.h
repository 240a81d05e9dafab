// SPDX-License-Identifier: GPL-2.0-or-later
// What KVM counts of a vCPU, as far as the software host has it. Names and meaning: struct kvm_vcpu_stat in
// Linux arch/x86/include/asm/kvm_host.h.
#pragma once

#include <atomic>
#include <cstdint>

namespace virttdx::softhost {

/// Written by the vCPU's thread, read by any.
struct VcpuCounters {
  using Counter = std::atomic<std::uint64_t>;

  Counter exits{0};         ///< out of the guest to KVM, whoever handles it
  Counter io_exits{0};      ///< of these, for a port
  Counter mmio_exits{0};    ///< for memory that no slot backs; a TD's are TDVMCALLs, which KVM does not count
  Counter halt_exits{0};    ///< for HLT
  Counter hypercalls{0};    ///< for a hypercall of KVM's own
  Counter signal_exits{0};  ///< KVM_RUN returned for a signal
  Counter nmi_injections{0};  ///< NMIs given to the guest
  Counter pf_taken{0};        ///< EPT violations
  Counter pf_fixed{0};        ///< of these, mended with a page
  Counter halt_wait_ns{0};    ///< asleep in HLT
  Counter blocking{0};        ///< 1 while asleep in HLT
};

}  // namespace virttdx::softhost
