// SPDX-License-Identifier: GPL-2.0-or-later
// What the engine's interception of instructions reads from its physical memory, the numbers of what it
// intercepts, and a CPU's state after power-up.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include "softhost/cpu/unicorn_engine.h"

namespace virttdx::softhost {

/// Exit codes (AMD64 Architecture Programmer's Manual volume 2, appendix C).
namespace svm_exit {
inline constexpr unsigned kReadCr0 = 0x00, kWriteCr0 = 0x10, kNmi = 0x61, kVintr = 0x64, kRdpmc = 0x6f,
                          kCpuid = 0x72, kInvd = 0x76, kPause = 0x77, kHlt = 0x78, kMsr = 0x7c,
                          kWbinvd = 0x89, kMonitor = 0x8a, kMwait = 0x8b;
inline constexpr unsigned kFirst = 0x100;  ///< added to exit codes at the interrupt hook
}  // namespace svm_exit

/// A VMCB of which only the address of the MSR permission map is used, and that map: every MSR intercepted.
struct alignas(4096) UnicornEngine::InterceptionPages {
  static constexpr std::size_t kMsrMapAddressAt = 0x48;  ///< AMD64 volume 2, table B-1

  void describe(std::uint64_t engine_address) {
    address_ = engine_address;
    const std::uint64_t map = engine_address + control.size();
    std::memcpy(control.data() + kMsrMapAddressAt, &map, sizeof(map));
    msr_map.fill(std::byte{0xff});
  }
  std::uint64_t address() const { return address_; }

  std::array<std::byte, 4096> control{};
  std::array<std::byte, 8192> msr_map{};
  std::uint64_t address_ = 0;
};

/// SDM volume 3, table 9-1.
inline SystemRegisters real_mode_reset() {
  SystemRegisters result;
  const SegmentRegister data{.base = 0, .limit = 0xffff, .selector = 0, .access_rights = 0x93};
  result.ds = result.es = result.fs = result.gs = result.ss = data;
  result.cs = {.base = 0xffff0000, .limit = 0xffff, .selector = 0xf000, .access_rights = 0x9b};
  result.ldt = {.limit = 0xffff, .access_rights = 0x82};
  result.tr = {.limit = 0xffff, .access_rights = 0x8b};
  result.gdt = result.idt = {0, 0xffff};
  result.cr0 = 0x60000010;
  return result;
}

}  // namespace virttdx::softhost
