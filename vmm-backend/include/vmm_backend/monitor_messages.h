// SPDX-License-Identifier: GPL-2.0-or-later
// What travels on a monitor's control socket, as plain data. docs/control-protocol.md describes the bytes:
// one JSON object a line, at most 1 MiB each; commands carry an id, replies repeat it; events carry none.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"
#include "vmm_backend/cpuid.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

inline constexpr int kControlProtocolVersion = 1;
inline constexpr std::size_t kControlMessageMaximum = 1 << 20;

enum class VmState : std::uint8_t {
  Starting,
  Running,
  Paused,
  Crashed,  ///< the guest crashed and on_crash is Preserve: the TD is there and does not run
  Stopped,
};

/// Why a TD ended.
enum class StopReason : std::uint8_t {
  None,           ///< it has not
  Destroyed,      ///< the stop command, or a signal
  GuestShutdown,  ///< the guest powered off (ACPI S5)
  Reset,          ///< the guest asked for a reset and on_reset is Stop
  Crashed,        ///< ReportFatalError, triple fault, an exit that cannot be handled
  LaunchFailed,
};

struct SerialStatus {
  std::uint8_t port = 0;
  std::string pty_path;   ///< empty without a pty
  bool attached = false;  ///< a console-attach connection is open
};

/// A port of a virtio console that ends in a terminal, a file or nothing: one that console-attach reaches.
struct ConsolePortStatus {
  std::string id;         ///< ConsolePortConfig::id
  std::string pty_path;   ///< empty without a pty
  bool attached = false;  ///< a console-attach connection is open
};

/// Reply of "status".
struct MonitorStatus {
  VmState state = VmState::Starting;
  StopReason stop_reason = StopReason::None;
  std::string message;  ///< of a crash or failed launch
  pid_t pid = 0;
  HostKind host = HostKind::Kvm;
  std::string host_description;
  std::uint32_t recreated = 0;  ///< times that a reset made a new TD
  std::vector<std::uint64_t> vcpu_time_ns;
  std::vector<SerialStatus> serials;
  std::vector<ConsolePortStatus> console_ports = {};
  std::optional<std::uint32_t> vsock_cid = {};  ///< context id of the guest
  /// Ids of the virtio consoles' ports that the guest has open. Absent: a monitor that does not tell.
  std::optional<std::vector<std::string>> open_ports = {};
  std::vector<std::string> open_trays = {};  ///< ids of the CD-ROM drives whose trays are open
  std::vector<std::string> lost_links = {};  ///< ids of the interfaces whose host side has gone
  /// Of the last RtcChanged. Absent: the guest has not set its RTC.
  std::optional<std::int64_t> rtc_offset_seconds = {};
};

/// Reply of "measurements". Valid after launch.
struct MonitorMeasurements {
  Measurement mrtd{};                    ///< predicted from the page list that the launch used
  std::optional<Measurement> host_mrtd;  ///< what the software TDX host computed; KVM does not tell
  std::uint64_t attributes = 0;
  std::uint64_t xfam = 0;
  std::uint32_t gpaw = 0;  ///< 48 or 52
  std::uint64_t pages_added = 0;
  std::uint64_t pages_measured = 0;
};

/// Leaves of one vCPU.
struct VcpuCpuid {
  std::uint32_t vcpu = 0;
  CpuidEntries entries;
  bool operator==(const VcpuCpuid&) const = default;
};

/// Reply of "cpuid": what INIT_VM was given and what KVM_TDX_GET_CPUID of each vCPU answered before FINALIZE.
struct CpuidReport {
  CpuidEntries requested;       ///< TdConfig::cpuid
  CpuidEntries vcpu_requested;  ///< vCPU 0's KVM_SET_CPUID2
  CpuidEntries actual;          ///< vCPU 0's KVM_TDX_GET_CPUID
  /// Leaves of other vCPUs that are not as vCPU 0's in more than the x2APIC id: normally none. The first
  /// kCpuidDeviationsMaximum of them.
  std::vector<VcpuCpuid> deviations = {};
  bool operator==(const CpuidReport&) const = default;
};
inline constexpr std::size_t kCpuidDeviationsMaximum = 64;

enum class MonitorEventKind : std::uint8_t {
  Launched,  ///< the TD is finalized and about to run (or paused, by start_paused)
  Paused,
  Resumed,
  Reset,      ///< the guest or the reset command asked for a reset; Recreated or Stopped follows
  Recreated,  ///< a new TD runs after a reset
  Panicked,   ///< ReportFatalError; message holds its text
  Preserved,  ///< the guest crashed and stays (on_crash Preserve); message says why
  /// The guest has let a device go, asked or not, and it is out; message holds its id.
  DeviceRemoved,
  PortOpened,  ///< the guest opened the virtio console's port with the id in `device`
  PortClosed,  ///< or closed it
  TrayOpened,  ///< the tray of the CD-ROM drive with the id in `device`, by the guest or by tray-open
  TrayClosed,  ///< likewise
  LinkLost,    ///< the host side of the interface with the id in `device` has gone: its link stays down
  /// An operation of the disk with the id in `device` failed; io_error says what became of it and message
  /// why. One that follows before this one has gone out, with the same outcome, has no event of its own.
  IoError,
  RtcChanged,  ///< the guest has set its RTC; rtc_offset_seconds says to what. At most one a second
  Stopped,     ///< last event; stop_reason and message say why. The process ends after it.
};

/// As on the wire: "launched", "guest-shutdown".
std::string_view to_name(MonitorEventKind kind);
std::string_view to_name(StopReason reason);

/// What became of a failed operation of a disk.
enum class IoErrorAction : std::uint8_t {
  Report,  ///< the guest got the error
  Ignore,  ///< the guest does not know
  Stop,    ///< it is held, and the TD is paused: Paused follows unless it was
};

struct IoError {
  IoErrorAction action = IoErrorAction::Report;
  bool no_space = false;
  bool operator==(const IoError&) const = default;
};

struct MonitorEvent {
  MonitorEventKind kind = MonitorEventKind::Launched;
  StopReason stop_reason = StopReason::None;
  std::string message;
  std::optional<std::string> device = {};
  std::optional<IoError> io_error = {};
  /// How far the RTC is from the time that VmConfig::clock names, clock_offset_seconds included.
  std::optional<std::int64_t> rtc_offset_seconds = {};
};

/// What follows a power-off, a reset and a crash; what is absent stays. Arguments of "set-actions".
struct LifecycleActions {
  std::optional<ResetAction> power_off, reset, crash;
};
void apply(const LifecycleActions& actions, VmConfig& config);

/// Commands, by the name on the wire. Arguments in braces.
///   status, pause, resume, stop, reset, measurements, cpuid,
///   powerdown {"reboot": false}: presses the ACPI power button; with "reboot" a power-off counts as a reset
///     until there has been one, or the next powerdown or set-actions,
///   console-attach {"port": 0, "force": false} of a serial port, {"device": "console1", "force": false} of a
///     virtio console's: reply carries one end of a socket pair by SCM_RIGHTS; output that nobody has seen
///     yet (the last 64 KiB) comes first; one attachment a port, force ends the older,
///   device-add {"disk": a DiskConfig}, with the descriptors of its storage daemon where it needs one
///     (backends/storage_daemon/started_daemon.h), or {"interface": a NetworkInterfaceConfig} with those
///     of its host side (backends/interface_host_side.h): into an empty slot of a running TD,
///   device-remove {"id": "virtio-disk1"}: asks the guest; the event DeviceRemoved is its consent,
///   link-set {"id": "net0", "up": false}: plugs the cable of an interface in or out,
///   medium-offer {"disk": a DiskConfig of a CD-ROM drive, without a source for none}, with descriptors as
///     device-add: opens what medium-change is to put in,
///   tray-open {"id": "scsi0-0-0-0", "force": false}: {"open": false} when the guest has locked the drive and
///     is asked: TrayOpened comes when it has opened it, which may be never,
///   medium-change {"id": "scsi0-0-0-0"}: what was offered, or nothing, into the open tray, and closes it,
///   disk-limits {"id": "virtio-disk1", "limits": a DiskLimits}: in place of those that it has; disks of its
///     group get them too,
///   disk-resize {"id": "virtio-disk1", "bytes": 1073741824},
///   set-actions {"power_off": "recreate", "reset": "stop", "crash": "preserve"}: LifecycleActions.
namespace control_command {
inline constexpr std::string_view kStatus = "status";
inline constexpr std::string_view kPause = "pause";
inline constexpr std::string_view kResume = "resume";
inline constexpr std::string_view kStop = "stop";
inline constexpr std::string_view kPowerdown = "powerdown";
inline constexpr std::string_view kReset = "reset";
inline constexpr std::string_view kMeasurements = "measurements";
inline constexpr std::string_view kCpuid = "cpuid";
inline constexpr std::string_view kConsoleAttach = "console-attach";
inline constexpr std::string_view kDeviceAdd = "device-add";
inline constexpr std::string_view kDeviceRemove = "device-remove";
inline constexpr std::string_view kLinkSet = "link-set";
inline constexpr std::string_view kTrayOpen = "tray-open";
inline constexpr std::string_view kMediumOffer = "medium-offer";
inline constexpr std::string_view kMediumChange = "medium-change";
inline constexpr std::string_view kDiskLimits = "disk-limits";
inline constexpr std::string_view kDiskResize = "disk-resize";
inline constexpr std::string_view kSetActions = "set-actions";
}  // namespace control_command

Result<MonitorStatus> monitor_status_from_json(const nlohmann::json& json);
nlohmann::json monitor_status_to_json(const MonitorStatus& status);
Result<MonitorMeasurements> monitor_measurements_from_json(const nlohmann::json& json);
nlohmann::json monitor_measurements_to_json(const MonitorMeasurements& measurements);
Result<CpuidReport> cpuid_report_from_json(const nlohmann::json& json);
nlohmann::json cpuid_report_to_json(const CpuidReport& report);
/// As in a VmConfig: schemas/device-config.json.
nlohmann::json disk_config_to_json(const DiskConfig& disk);
nlohmann::json interface_config_to_json(const NetworkInterfaceConfig& interface);
nlohmann::json disk_limits_to_json(const DiskLimits& limits);
nlohmann::json lifecycle_actions_to_json(const LifecycleActions& actions);
Result<LifecycleActions> lifecycle_actions_from_json(const nlohmann::json& json);
Result<MonitorEvent> monitor_event_from_json(const nlohmann::json& json);
nlohmann::json monitor_event_to_json(const MonitorEvent& event);

}  // namespace virttdx
