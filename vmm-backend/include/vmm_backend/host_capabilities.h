// SPDX-License-Identifier: GPL-2.0-or-later
// What one host offers to TDs, as plain data: read from KVM's ABI (of the kernel or of the software TDX
// host).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/result.h"
#include "vmm_backend/cpuid.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

struct HostCapabilities {
  HostKind kind = HostKind::Kvm;
  bool tdx_supported = false;
  /// Why not, and what to do; empty when supported.
  std::string tdx_unsupported_reason;
  /// KVM_TDX_CAPABILITIES (Linux Documentation/virt/kvm/x86/intel-tdx.rst).
  std::uint64_t supported_attributes = 0;
  std::uint64_t supported_xfam = 0;
  CpuidEntries configurable_cpuid;  ///< bits that INIT_VM accepts; 0x80000008.EAX[23:16] is 0xFF
  std::uint64_t user_tdvmcallinfo_1_r11 = 0;
  std::uint64_t user_tdvmcallinfo_1_r12 = 0;
  /// KVM_GET_SUPPORTED_CPUID, for the leaves that KVM itself answers.
  CpuidEntries supported_cpuid;
  std::uint32_t max_vcpus = 0;              ///< KVM_CAP_MAX_VCPUS on a TD's file descriptor
  std::uint32_t physical_address_bits = 0;  ///< of the host's CPU, CPUID 0x80000008.EAX[7:0]
  bool five_level_ept = false;              ///< GPAW 52 possible
  std::uint32_t tsc_khz = 0;                ///< frequency of a TD that asks for none
  /// Private key ids, one a TD, as /sys/fs/cgroup/misc.capacity and misc.current count them ("tdx"). Absent:
  /// the kernel does not say.
  std::optional<std::uint32_t> key_ids;
  std::optional<std::uint32_t> key_ids_used;
  // What the kernel that runs the monitor offers to its user.
  bool vhost_net = false;
  bool vhost_vsock = false;
  /// Of a recorded host: where the record is from, and what in it is inferred.
  std::optional<std::string> description;
  bool operator==(const HostCapabilities&) const = default;
};

/// JSON as schemas/host-capabilities.json describes it.
Result<HostCapabilities> host_capabilities_from_json(std::string_view json);
std::string host_capabilities_to_json(const HostCapabilities& capabilities);

}  // namespace virttdx
