// SPDX-License-Identifier: GPL-2.0-or-later
// Monitors in control groups of their own: scopes of systemd below machine.slice, as libvirt's drivers have
// them (systemd's docs/CONTROL_GROUP_INTERFACE.md, systemd.resource-control(5)).
#pragma once

#include <sys/types.h>

#include <QObject>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "process/system_bus.h"
#include "support/result.h"

namespace virttdx::driver {

/// As systemd takes them; kUnlimited for what is not limited, or for a weight the default.
struct ScopeLimits {
  static constexpr std::uint64_t kUnlimited = UINT64_MAX;
  std::uint64_t cpu_weight = kUnlimited;             ///< 1 to 10000
  std::uint64_t cpu_quota_us_a_second = kUnlimited;  ///< of all its threads together
  std::uint64_t cpu_quota_period_us = kUnlimited;
  std::uint64_t memory_high = kUnlimited, memory_max = kUnlimited, memory_swap_max = kUnlimited;  ///< bytes
  std::uint64_t io_weight = kUnlimited;  ///< 1 to 10000
  struct DeviceLimit {
    std::string path;  ///< of a block device, or of what lies on one
    std::uint64_t value = 0;
    bool operator==(const DeviceLimit&) const = default;
  };
  /// Weights as io_weight; bytes and requests a second.
  std::vector<DeviceLimit> io_device_weights, io_read_bytes, io_write_bytes, io_read_requests,
      io_write_requests;
  bool operator==(const ScopeLimits&) const = default;
};

/// "machine-tdx\x2d1\x2dNAME.scope": the name that libvirt's drivers give the scope of a running domain.
std::string scope_name(int id, std::string_view domain);

/// The scope of a running domain, and its place: the slice of a partition of `<resource>`.
struct Scope {
  std::string name;  ///< scope_name()
  std::string partition = "/machine";
};
/// "machine-prod.slice" for "/machine/prod", "-.slice" for "/": as libvirt's drivers name it.
std::string slice_name(std::string_view partition);

/// On the event loop's thread.
class MachineScopes {
 public:
  using Completion = std::function<void(Result<>)>;

  /// `run`: where systemd leaves its mark ("/run"); `control_groups`: "/sys/fs/cgroup"; empty: there are to
  /// be none.
  MachineScopes(SystemBus& bus, const std::filesystem::path& run, std::filesystem::path control_groups);

  /// Whether systemd runs this machine and has cgroups v2 alone. Without it there are no scopes.
  bool available() const { return available_; }
  /// Moves a process into a new scope, which ends with the last process in it. Done when it is there. An
  /// older scope of that name is waited for, as long as systemd is.
  void create(const Scope& scope, pid_t process, const ScopeLimits& limits, Completion done);
  void set_limits(const std::string& name, const ScopeLimits& limits, Completion done);
  /// The control group of a scope, which is ours to divide (Delegate=).
  std::filesystem::path directory(const Scope& scope) const;

 private:
  struct Request {
    Scope scope;
    pid_t process;
    ScopeLimits limits;
    std::chrono::steady_clock::time_point deadline;
  };
  Result<> listen();
  Result<BusMessage> scope_call(const Request& request);
  void create(const Request& request, Completion done);
  void refused(const Request& request, const Error& error, Completion done);
  void created(sd_bus_message* answer, Completion done);
  void job_removed(sd_bus_message* signal);

  SystemBus& bus_;
  const std::filesystem::path control_groups_;
  const bool available_;
  bool listening_ = false;
  std::map<std::string, Completion> jobs_;  ///< by path
  QObject timers_;
};

}  // namespace virttdx::driver
