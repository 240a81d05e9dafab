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

/// Where a host's CPUs come from; the product uses native_cpuid() and create_cpu_engine().
struct Processor {
  NativeCpuid cpuid;
  std::function<Result<std::unique_ptr<CpuEngine>>(CpuEnvironment&)> create_engine;
  /// Private key ids: how many TDs can exist at once. 63 as on a Xeon whose firmware gives all but one of its
  /// 64 key ids to TDX.
  std::uint32_t key_ids = 63;
  /// misc.max of the process's cgroup (resource "tdx"); nothing: no limit.
  std::optional<std::uint32_t> key_id_limit = {};
  /// Each package has an online CPU, without which key ids cannot be configured there.
  bool every_package_online = true;
};

/// CPUs that the emulated machine has, and so vCPUs that one TD may have.
inline constexpr std::uint32_t kPresentCpus = 64;
/// KVM_MAX_VCPUS and KVM_MAX_VCPU_IDS of a default x86 kernel.
inline constexpr std::uint32_t kMaxVcpus = 1024, kMaxVcpuIds = 4 * kMaxVcpus;
inline constexpr std::uint32_t kUserMemorySlots = 32764;
/// Below this a guest's TSC frequency must stay.
inline constexpr std::uint32_t kMaxGuestTscKhz = 0x7FFFFFFF;

/// Frequency of the emulated processor's TSC, from CPUID 0x15.
std::uint32_t host_tsc_khz(const TdxModule& module);

/// Nanoseconds of CLOCK_MONOTONIC.
std::uint64_t monotonic_ns();

}  // namespace virttdx::softhost
