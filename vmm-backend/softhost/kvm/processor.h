// SPDX-License-Identifier: GPL-2.0-or-later
// The emulated machine under the host: its processor, and the numbers that KVM reports of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "softhost/cpu/cpu_engine.h"
#include "softhost/module/tdx_module.h"

namespace virttdx::softhost {

/// KVM_TDX_CAPABILITIES's user_tdvmcallinfo_1_r11: SetupEventNotifyInterrupt.
inline constexpr std::uint64_t kUserTdVmcallsR11 = 0x2;

/// A host's CPUs and what KVM and the TDX module make of them; the product uses native_cpuid() and
/// create_cpu_engine(), and host_profile.h to play a recorded host.
struct Processor {
  NativeCpuid cpuid = {};
  std::function<Result<std::unique_ptr<CpuEngine>>(CpuEnvironment&)> create_engine = {};
  /// Private key ids: how many TDs can exist at once. 63 as on a Xeon whose firmware gives all but one of its
  /// 64 key ids to TDX.
  std::uint32_t key_ids = 63;
  /// misc.max of the process's cgroup (resource "tdx"); nothing: no limit.
  std::optional<std::uint32_t> key_id_limit = {};
  /// Each package has an online CPU, without which key ids cannot be configured there.
  bool every_package_online = true;
  /// False: KVM has TDX not enabled.
  bool tdx = true;
  /// CPUs that the machine has, and so vCPUs that one TD may have.
  std::uint32_t present_cpus = 64;
  /// ATTRIBUTES that KVM lets through; SEPT_VE_DISABLE.
  std::uint64_t kvm_attributes = 0x10000000;
  std::uint64_t user_tdvmcallinfo_1_r11 = kUserTdVmcallsR11, user_tdvmcallinfo_1_r12 = 0;
  /// Of the TSC; 0: as CPUID 0x15 says.
  std::uint32_t tsc_khz = 0;
  /// KVM_GET_SUPPORTED_CPUID; empty: made of `cpuid`.
  CpuidEntries supported_cpuid = {};
  /// TDH.SYS.RD; nothing: the model's on `cpuid`.
  std::optional<ModuleOffer> module = {};
};

/// KVM_MAX_VCPUS and KVM_MAX_VCPU_IDS of a default x86 kernel.
inline constexpr std::uint32_t kMaxVcpus = 1024, kMaxVcpuIds = 4 * kMaxVcpus;
inline constexpr std::uint32_t kUserMemorySlots = 32764;
/// Below this a guest's TSC frequency must stay.
inline constexpr std::uint32_t kMaxGuestTscKhz = 0x7FFFFFFF;

/// Frequency of the emulated processor's TSC.
std::uint32_t host_tsc_khz(const Processor& processor);

/// Nanoseconds of CLOCK_MONOTONIC.
std::uint64_t monotonic_ns();

}  // namespace virttdx::softhost
