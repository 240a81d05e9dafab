// SPDX-License-Identifier: GPL-2.0-or-later
// From a definition and a host to what the monitor runs, with every finding on the way.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain_xml/domain.h"
#include "domain_xml/finding.h"
#include "support/result.h"
#include "vmm_backend/host_capabilities.h"
#include "vmm_backend/monitor_messages.h"
#include "vmm_backend/vm_config.h"

namespace virttdx::domain_xml {

struct LaunchPlan {
  VmConfig config;                ///< valid only without findings of severity Error
  std::vector<Finding> findings;  ///< in document order
  bool can_start() const;
};

/// What a plan takes from this machine besides its HostCapabilities: files, which by default are where
/// distributions put them, and who runs monitors.
struct PlanSources {
  /// libvirt's names of CPU features.
  std::filesystem::path cpu_map = "/usr/share/libvirt/cpu_map/x86_features.xml";
  /// QEMU's firmware descriptors (docs/interop/firmware.json); a file name in an earlier folder hides the
  /// same name in a later one.
  std::vector<std::filesystem::path> firmware_descriptors = {"/etc/qemu/firmware",
                                                             "/usr/share/qemu/firmware"};
  /// Combined image for firmware='efi' when no descriptor says intel-tdx.
  std::filesystem::path fallback_firmware = "/usr/share/ovmf/OVMF.fd";
  /// Monitors get control groups of their own, with the limits of <cputune>, <memtune> and <blkiotune>.
  bool control_groups = true;
};

/// What the driver has made ready for one run. Volumes, networks and secrets belong to other daemons.
struct RunResources {
  /// Of disks of type volume, by target dev.
  std::map<std::string, DiskSourceConfig> volumes;
  /// Files with the bytes of a disk's secrets, by target dev: each is read once.
  struct SecretFiles {
    std::optional<std::string> authentication, encryption, cookies;
  };
  std::map<std::string, SecretFiles> secret_files;
  /// Of interfaces of type network, by MAC address: their bridge, or the host's interface of a macvtap.
  struct Network {
    std::optional<std::string> bridge;
    std::optional<std::string> link;
    MacvtapMode macvtap_mode = MacvtapMode::Bridge;
    std::optional<std::uint16_t> mtu;
  };
  std::map<std::string, Network> networks;
};

/// Maps a completed definition onto `host`. Reads the firmware file, changes nothing. Fails only on internal
/// errors: what is wrong with the domain is a finding.
/// Without `resources` (the check of a definition) nothing is said of volumes, networks and secrets; the plan
/// then has placeholders for them and is not for a monitor.
Result<LaunchPlan> plan_launch(const Domain& domain, const HostCapabilities& host,
                               const PlanSources& sources = {}, const RunResources* resources = nullptr);

/// Takes from a domain that is about to run the devices that plan_launch() has left out with a note or a
/// warning: who reads its live XML looks for what is there (virt-manager connects to graphics).
void remove_left_out_devices(Domain& domain);

/// The error that start reports: the first finding of severity Error, and how many more there are.
Error error_of(const LaunchPlan& plan);

struct DomainCapabilitiesRequest {
  std::string emulator_path;  ///< of virttdx-vmm
  std::string machine = "pc-q35-virttdx";
  PlanSources sources = {};  ///< where firmware images are looked for
};
/// `<domainCapabilities>` as virsh domcapabilities shows it, with `<tdx supported=..>` told truly.
std::string format_domain_capabilities(const HostCapabilities& host,
                                       const DomainCapabilitiesRequest& request);

/// What `<capabilities>` says of this machine.
struct HostDescription {
  std::string uuid;
  std::string emulator_path;
  std::uint64_t memory_kib = 0;
  std::uint32_t cpu_sockets = 1, cpu_cores = 1, cpu_threads = 1;
  struct NumaCell {
    std::uint32_t id = 0;
    std::uint64_t memory_kib = 0;
    struct LogicalCpu {
      std::uint32_t id = 0, socket_id = 0, core_id = 0;
      std::string siblings;
    };
    std::vector<LogicalCpu> cpus;
  };
  std::vector<NumaCell> cells;
};
/// `<capabilities>`, valid against libvirt's own schema. A software TDX host is named as a security model,
/// "software-tdx-host: protects nothing", the place that clients show and do not interpret.
std::string format_capabilities(const HostCapabilities& host, const HostDescription& description);

/// One difference between requested and actual CPUID, by bit.
struct CpuidDifference {
  std::uint32_t function = 0, index = 0;
  CpuidRegister reg = CpuidRegister::Eax;
  std::uint8_t bit = 0;
  bool requested = false;
  bool actual = false;
  std::string name;    ///< libvirt's feature name, or empty
  std::string reason;  ///< "fixed-1 by the TDX module", "XFAM bit 8 (PT) is 0", ...
  /// What predict_cpuid() said; unset where no prediction was given. Another value than `actual` is a mistake
  /// of virttdx's, or a TDX module of another version.
  std::optional<bool> predicted = {};
  std::uint32_t vcpu = 0;  ///< other than 0: of a leaf in which this vCPU is not as vCPU 0
};
/// "CPUID.07H:EBX.intel-pt [bit 25]", of another vCPU than 0 "vCPU 3: CPUID.07H ...".
std::string to_string(const CpuidDifference& difference);
/// "CPUID.07H:EBX.intel-pt [bit 25]" in QEMU's notation ("CPUID.0DH.1:EAX" with a sub-leaf).
std::string bit_name(std::uint32_t function, std::uint32_t index, CpuidRegister reg, std::uint8_t bit);
/// Bits that differ, without those that the TDX module computes at each CPUID and leaves that KVM answers.
std::vector<CpuidDifference> compare_cpuid(const CpuidReport& report, std::uint64_t xfam,
                                           std::uint64_t attributes);

/// The same, and bits whose prediction was wrong though the request is met: requested, predicted, actual. In
/// the order of report.actual.
std::vector<CpuidDifference> compare_cpuid(const CpuidReport& report, std::uint64_t xfam,
                                           std::uint64_t attributes, const CpuidEntries& predicted);

}  // namespace virttdx::domain_xml
