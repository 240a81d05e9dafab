// SPDX-License-Identifier: GPL-2.0-or-later
// What a monitor is told to run: plain data, filled by domain-xml/plan or read from JSON
// (schemas/vm-config.json).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"
#include "vmm_backend/cpuid.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// Whose KVM ABI runs the TD.
enum class HostKind : std::uint8_t {
  Kvm,   ///< the Linux kernel and a TDX module: confidential
  Soft,  ///< the software TDX host: everything emulated in the monitor's process, protects nothing
};

/// 48 bytes, the size of SHA-384: MRCONFIGID, MROWNER, MROWNERCONFIG, MRTD, RTMR.
using Measurement = std::array<std::byte, 48>;

/// What KVM_TDX_INIT_VM and KVM_SET_CPUID2 are given.
struct TdConfig {
  std::uint64_t attributes = 0x10000000;  ///< SEPT_VE_DISABLE alone
  std::uint64_t xfam = 0x3;               ///< x87 and SSE alone
  Measurement mr_config_id{};
  Measurement mr_owner{};
  Measurement mr_owner_config{};
  /// Exactly the entries for INIT_VM: a subset of HostCapabilities::configurable_cpuid, with
  /// 0x80000008.EAX[23:16] 48 or 52.
  CpuidEntries cpuid;
  /// What KVM answers TDVMCALL<CPUID> with. The monitor adds what differs by vCPU (x2APIC id in leaves 1,
  /// 0xB, 0x1F).
  CpuidEntries vcpu_cpuid;
  /// 0: the host's frequency. Else 100,000 to 10,000,000 in steps of 25,000 (TDX module: 25 MHz units).
  std::uint32_t tsc_khz = 0;
  /// Address of the quote generation service (qgs_address.h). Absent: the guest's GetQuote answers "service
  /// unavailable".
  std::optional<std::string> quote_service_socket;
  /// How long GetQuote holds the vCPU for an answer before the guest is told that it comes later; 0 to 10000.
  std::uint32_t quote_wait_ms = 200;
  bool operator==(const TdConfig&) const = default;
};

/// A serial port (16550). Its bytes always reach the control socket's console-attach.
struct SerialConfig {
  std::uint8_t port = 0;  ///< 0 to 3: COM1 (0x3F8, IRQ 4) to COM4
  /// Also on a new pseudo-terminal, whose path is in MonitorStatus.
  bool pty = false;
  /// Also written to this file (output only), from its start unless `log_append`.
  std::optional<std::string> log_file;
  bool log_append = false;
  bool operator==(const SerialConfig&) const = default;
};

enum class ClockBase : std::uint8_t { Utc, LocalTime };

/// What the monitor does when the guest asks for a reset, powers off or crashes.
enum class ResetAction : std::uint8_t {
  Recreate,  ///< a new TD with the same configuration, in the same process
  Stop,      ///< the monitor ends, with the StopReason of what happened
  Preserve,  ///< on_crash only: the TD stays as it is, without running, until it is reset or stopped
};

/// A NUMA node of the guest: RAM and vCPUs that SRAT says belong together.
struct NumaNodeConfig {
  std::uint64_t memory_bytes = 0;  ///< multiple of 2 MiB; nodes follow one another in RAM
  std::vector<std::uint32_t> vcpus{};
  /// To each node (SLIT): 10 to itself, 11 to 255 to others; of all nodes or of none.
  std::vector<std::uint8_t> distances{};
  bool operator==(const NumaNodeConfig&) const = default;
};

/// Of `vcpu_count` vCPUs, `vcpu_ids` or what stands for none.
std::vector<std::uint32_t> x2apic_ids(const std::vector<std::uint32_t>& vcpu_ids, std::uint32_t vcpu_count);

/// A whole TD. Valid when validate() says so.
struct VmConfig {
  std::string name;  ///< for messages and logs
  std::string uuid;  ///< RFC 9562 text form
  HostKind host = HostKind::Kvm;
  std::uint64_t memory_bytes = 0;  ///< multiple of 2 MiB, at least 64 MiB
  /// Size of the huge pages (hugetlbfs) of the RAM's shared side, which are reserved for all of it; 2 MiB or
  /// 1 GiB, memory_bytes a multiple of it. 0: pages of 4 KiB, allocated when they are touched. The private
  /// side is guest_memfd's.
  std::uint64_t shared_page_bytes = 0;
  std::uint32_t vcpu_count = 1;
  /// x2APIC id of each vCPU, which is its KVM id too: rising from 0, below 4096. Empty: 0, 1, 2 ... Others
  /// are needed where a topology's bit fields leave gaps (Intel SDM volume 3, 9.9).
  std::vector<std::uint32_t> vcpu_ids{};
  /// None, or nodes that have all of the memory and every vCPU once.
  std::vector<NumaNodeConfig> numa_nodes;
  TdConfig td;
  std::string firmware_path;  ///< TDVF image
  std::vector<SerialConfig> serials;
  DeviceConfigs devices;
  std::optional<KernelBootConfig> kernel;
  std::optional<SmbiosConfig> smbios;
  ClockBase clock = ClockBase::Utc;  ///< what the RTC shows, as the host has it when the monitor starts
  /// LocalTime of this zone of the tz database, "Europe/Berlin"; absent: of the host's.
  std::optional<std::string> clock_zone;
  /// In place of `clock`: the moment that the RTC begins with, in seconds since 1970.
  std::optional<std::int64_t> clock_start_seconds;
  std::int64_t clock_offset_seconds = 0;
  ResetAction on_reset = ResetAction::Recreate;
  ResetAction on_power_off = ResetAction::Stop;
  ResetAction on_crash = ResetAction::Stop;
  /// An ISA pvpanic device: a guest that has crashed says so by it (StopReason::Crashed). Without one only a
  /// TDVMCALL<ReportFatalError> does, which no kernel's panic makes.
  bool panic_device = false;
  /// Stay paused after launch until the resume command.
  bool start_paused = false;
  bool operator==(const VmConfig&) const = default;
};

/// Checks ranges and cross-field rules that hold on every host. The error names the field and the value.
Result<> validate(const VmConfig& config);

/// JSON as schemas/vm-config.json describes it. Unknown members are refused by name. At most 1 MiB.
Result<VmConfig> vm_config_from_json(std::string_view json);
std::string vm_config_to_json(const VmConfig& config);

}  // namespace virttdx
