// SPDX-License-Identifier: GPL-2.0-or-later
// A domain definition as libvirt's domain XML spells it. Absent elements are absent here: defaults are the
// work of complete_definition(). libvirt's words (https://libvirt.org/formatdomain.html).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain_xml/devices.h"
#include "domain_xml/finding.h"
#include "domain_xml/tuning.h"
#include "support/result.h"
#include "vmm_backend/vm_config.h"

namespace virttdx::domain_xml {

enum class LifecycleAction : std::uint8_t { Destroy, Restart, Preserve, RenameRestart };
enum class CrashAction : std::uint8_t {
  Destroy,
  Restart,
  Preserve,
  RenameRestart,
  CoredumpDestroy,
  CoredumpRestart
};
enum class ClockOffset : std::uint8_t { Utc, LocalTime, Variable, Timezone, Absolute };

/// `<timer name=.. present=.. tickpolicy=..>`
struct Timer {
  std::string name;
  std::optional<bool> present;
  std::optional<std::string> tickpolicy;
  std::optional<std::uint64_t> frequency_hz;  ///< of tsc only
  std::optional<std::string> mode;            ///< of tsc only: auto, native, emulate, paravirt, smpsafe
  int line = 0;                               ///< in the XML, for findings; not compared
  bool operator==(const Timer& other) const {
    return name == other.name && present == other.present && tickpolicy == other.tickpolicy &&
           frequency_hz == other.frequency_hz && mode == other.mode;
  }
};

struct ClockAdjustment {
  std::int64_t seconds = 0;
  bool reset = false;  ///< written "reset", which only Utc and LocalTime can have
  bool operator==(const ClockAdjustment&) const = default;
};
struct Clock {
  ClockOffset offset = ClockOffset::Utc;
  std::optional<ClockAdjustment> adjustment;   ///< Utc and LocalTime with seconds: complete() makes Variable
  std::optional<ClockOffset> basis;            ///< Variable only: Utc or LocalTime
  std::optional<std::string> timezone;         ///< Timezone only
  std::optional<std::uint64_t> start_seconds;  ///< Absolute only: since 1970
  std::vector<Timer> timers;
  bool operator==(const Clock&) const = default;
};

struct Loader {
  std::string path;                 ///< may be empty with firmware='efi'
  std::optional<std::string> type;  ///< rom, pflash
  std::optional<bool> readonly;
  std::optional<bool> secure;
  std::optional<bool> stateless;
  std::optional<std::string> format;
  bool operator==(const Loader&) const = default;
};

struct Nvram {
  std::string path;
  std::optional<std::string> template_path;
  bool operator==(const Nvram&) const = default;
};

/// What a firmware that is chosen for the domain must have, or must not have.
struct FirmwareFeature {
  std::string name;             ///< enrolled-keys, secure-boot
  std::optional<bool> enabled;  ///< always there in what was read
  bool operator==(const FirmwareFeature&) const = default;
};

struct Os {
  std::optional<std::string> arch;      ///< x86_64
  std::optional<std::string> machine;   ///< q35, pc-q35-...
  std::optional<std::string> firmware;  ///< efi
  std::vector<FirmwareFeature> firmware_features;
  std::optional<Loader> loader;
  std::optional<Nvram> nvram;
  std::vector<std::string> boot_devices;
  std::optional<std::string> kernel, initrd, cmdline;
  std::optional<bool> boot_menu;
  std::optional<std::uint32_t> boot_menu_timeout;
  std::optional<bool> bios_serial;
  std::optional<std::int64_t> bios_reboot_timeout;
  std::optional<std::string> smbios_mode;  ///< emulate, host, sysinfo
  bool operator==(const Os&) const = default;
};

/// `<features>`: nothing when the element of that name is absent.
struct Features {
  bool acpi = false;
  bool apic = false;
  bool pae = false;
  std::optional<bool> smm;
  std::optional<bool> pmu;
  std::optional<std::string> ioapic_driver;  ///< kvm, qemu
  std::optional<bool> apic_eoi;
  std::vector<OtherElement> others;  ///< hap, hyperv, kvm, pvspinlock, vmport, vmcoreinfo
  bool operator==(const Features&) const = default;
};

/// Lines of elements in the XML, for findings. Equal to any other: no part of a definition.
struct SourceLines {
  std::map<std::string, int, std::less<>> first;  ///< "/domain/os/loader" -> 12: of the first of its path
  /// Of the element at `path`, or of the nearest above it that is there; 0: unknown.
  int of(std::string_view path) const;
  bool operator==(const SourceLines&) const { return true; }
};

enum class CpuFeaturePolicy : std::uint8_t { Force, Require, Optional, Disable, Forbid };
struct CpuFeature {
  std::string name;
  CpuFeaturePolicy policy = CpuFeaturePolicy::Require;
  int line = 0;  ///< in the XML, for findings; not compared
  bool operator==(const CpuFeature& other) const { return name == other.name && policy == other.policy; }
};
struct CpuTopology {
  std::uint32_t sockets = 1, dies = 1, cores = 1, threads = 1;
  bool operator==(const CpuTopology&) const = default;
};
struct Cpu {
  std::optional<std::string> mode;   ///< host-passthrough, maximum, host-model, custom
  std::optional<std::string> match;  ///< minimum, exact, strict
  std::optional<std::string> check;  ///< none, partial, full
  std::optional<bool> migratable;
  std::optional<std::string> model;
  std::optional<std::string> fallback;  ///< allow, forbid
  std::optional<std::string> vendor;
  std::optional<std::string> vendor_id;
  std::optional<std::string> maxphysaddr_mode;
  std::optional<std::uint32_t> maxphysaddr_bits;
  std::optional<CpuTopology> topology;
  std::vector<CpuFeature> features;
  std::vector<OtherElement> others;  ///< cache, numa
  bool operator==(const Cpu&) const = default;
};

/// `<launchSecurity type='tdx'>`. Digests as written, base64 of 48 bytes, checked when read.
struct LaunchSecurity {
  std::optional<std::uint64_t> policy;
  std::optional<std::string> mr_config_id;
  std::optional<std::string> mr_owner;
  std::optional<std::string> mr_owner_config;
  struct QuoteGenerationService {
    std::optional<std::string> path;
    bool operator==(const QuoteGenerationService&) const = default;
  };
  std::optional<QuoteGenerationService> quote_generation_service;
  bool operator==(const LaunchSecurity&) const = default;
};

struct Domain {
  std::optional<int> id;  ///< of a running domain
  std::string type;       ///< kvm
  std::string name;
  std::string uuid;  ///< lower-case text form; empty until complete_definition()
  std::optional<std::string> title;
  std::optional<std::string> description;
  /// `<metadata>`: one canonical XML text a child element, with its namespace URI; a URI comes once.
  struct Metadata {
    std::string uri;
    std::string xml;
    bool operator==(const Metadata&) const = default;
  };
  std::vector<Metadata> metadata;
  std::uint64_t memory_kib = 0;
  std::optional<std::uint64_t> current_memory_kib;
  std::uint32_t vcpus = 1;
  std::optional<std::uint32_t> current_vcpus;
  std::optional<std::string> vcpu_placement;
  std::optional<std::string> vcpu_cpuset;  ///< where vCPUs without a pin of their own may run
  Tuning tuning;
  Os os;
  std::optional<Features> features;
  std::optional<Cpu> cpu;
  std::optional<Clock> clock;
  std::optional<LifecycleAction> on_poweroff;
  std::optional<LifecycleAction> on_reboot;
  std::optional<CrashAction> on_crash;
  Devices devices;
  std::optional<LaunchSecurity> launch_security;
  /// genid, memoryBacking, iothreads, sysinfo, seclabel ..., in libvirt's order.
  std::vector<OtherElement> others;
  SourceLines lines = {};  ///< of parse_domain()
  bool operator==(const Domain&) const = default;
};

/// Reads a `<domain>` document. Hostile input: no network, no entities, bounded depth and size (16 MiB).
/// Elements and attributes that are not understood are refused by name and line rather than dropped. Errors:
/// XmlSyntax, XmlInvalid, MissingName, ConfigUnsupported; the message carries "line N".
Result<Domain> parse_domain(std::string_view xml);

struct FormatOptions {
  bool inactive = false;  ///< leave out id, aliases, live paths
};
/// Canonical XML in libvirt's element order and indentation; parse_domain() of it gives an equal value.
std::string format_domain(const Domain& domain, const FormatOptions& options = {});

/// What complete_definition() needs of the machine it runs on.
struct DefinitionDefaults {
  std::string emulator;  ///< path of virttdx-vmm
  /// Refuse a definition without `<launchSecurity type='tdx'>` instead of making it a TD.
  bool require_launch_security = false;
};
/// Fills in what libvirt's drivers fill in at define: uuid (random), currentMemory, machine, clock, on_*,
/// emulator, serial/console pairing, vcpu placement, drives' and PCI addresses, the controllers that they
/// need, MAC addresses. On this driver every domain is a TD: launchSecurity, firmware and ioapic too. What a
/// client may not expect is added to `changes`. Refuses what can never be a TD. Completing twice changes
/// nothing.
Result<Domain> complete_definition(Domain domain, const DefinitionDefaults& defaults,
                                   std::vector<Finding>* changes = nullptr);

/// `<partition>` of `<resource>`, or the default.
std::string partition_of(const Domain& domain);

/// Gives a domain that is about to run what belongs to one run: aliases, and sockets in `channel_directory`
/// for channels of type unix without a path (DIRECTORY/NAME of the channel).
void prepare_run(Domain& domain, const std::string& channel_directory);

/// 52:54:00 and three random bytes.
std::string new_mac_address();

/// An element of `<metadata>` from an application's XML (virDomainSetMetadata): a root without a namespace
/// gets `uri`, with the prefix `key`. XmlSyntax: not one element.
Result<Domain::Metadata> make_metadata(std::string_view xml, std::string_view key, std::string_view uri);
/// The application's XML back, as the root of a document of its own.
std::string metadata_document(const Domain::Metadata& metadata);

/// Random (version 4) uuid in text form.
std::string new_uuid();

}  // namespace virttdx::domain_xml
