// SPDX-License-Identifier: GPL-2.0-or-later
// The interface: org.freedesktop.systemd1(5).
#include "process/machine_scopes.h"

#include <systemd/sd-bus.h>

#include <QTimer>
#include <array>
#include <cstring>
#include <utility>

#include "support/log.h"

namespace virttdx::driver {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::milliseconds kRegistrationInterval{50};
// Unit names have 255 characters at most (systemd.unit(5)); an escaped one takes four.
constexpr std::size_t kNameMaximum = 50;

BusMethod manager_method(const char* name) {
  return {"org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", name};
}

bool is_plain(char character) {
  return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
         (character >= 'A' && character <= 'Z') || character == ':' || character == '_' || character == '.';
}

std::string escaped(char character) {
  return is_plain(character) ? std::string(1, character)
                             : fmt::format("\\x{:02x}", static_cast<unsigned char>(character));
}

/// From the outermost: "machine.slice", "machine-prod.slice".
std::vector<std::string> slices_of(std::string_view partition) {
  std::vector<std::string> slices;
  std::string name;
  for (std::size_t at = 0; at < partition.size();) {
    const auto end = std::min(partition.find('/', at), partition.size());
    if (end > at) {
      if (!name.empty()) name += '-';
      for (const char character : partition.substr(at, end - at)) name += escaped(character);
      slices.push_back(name + ".slice");
    }
    at = end + 1;
  }
  return slices;
}

bool is_run_by_systemd(const std::filesystem::path& run, const std::filesystem::path& control_groups) {
  std::error_code error;
  return !control_groups.empty() && std::filesystem::exists(run / "systemd/system", error) &&
         std::filesystem::exists(control_groups / "cgroup.controllers", error);
}

Result<> append(int result) { return check_bus(result, "make a call to systemd"); }

// An empty list takes away what was set before.
Result<> append_device_limits(sd_bus_message* message, const char* name,
                              const std::vector<ScopeLimits::DeviceLimit>& limits) {
  TRY(append(sd_bus_message_open_container(message, 'r', "sv")));
  TRY(append(sd_bus_message_append(message, "s", name)));
  TRY(append(sd_bus_message_open_container(message, 'v', "a(st)")));
  TRY(append(sd_bus_message_open_container(message, 'a', "(st)")));
  for (const auto& limit : limits)
    TRY(append(sd_bus_message_append(message, "(st)", limit.path.c_str(), limit.value)));
  for (int container = 0; container < 3; ++container) TRY(append(sd_bus_message_close_container(message)));
  return {};
}

Result<> append_limits(sd_bus_message* message, const ScopeLimits& limits) {
  const std::array properties = {std::pair{"CPUWeight", limits.cpu_weight},
                                 std::pair{"CPUQuotaPerSecUSec", limits.cpu_quota_us_a_second},
                                 std::pair{"CPUQuotaPeriodUSec", limits.cpu_quota_period_us},
                                 std::pair{"MemoryHigh", limits.memory_high},
                                 std::pair{"MemoryMax", limits.memory_max},
                                 std::pair{"MemorySwapMax", limits.memory_swap_max},
                                 std::pair{"IOWeight", limits.io_weight}};
  for (const auto& [name, value] : properties)
    TRY(append(sd_bus_message_append(message, "(sv)", name, "t", value)));
  TRY(append_device_limits(message, "IODeviceWeight", limits.io_device_weights));
  TRY(append_device_limits(message, "IOReadBandwidthMax", limits.io_read_bytes));
  TRY(append_device_limits(message, "IOWriteBandwidthMax", limits.io_write_bytes));
  TRY(append_device_limits(message, "IOReadIOPSMax", limits.io_read_requests));
  return append_device_limits(message, "IOWriteIOPSMax", limits.io_write_requests);
}

// When the host shuts down, libvirt-guests.service asks guests to power off first (virt-guest-shutdown.target
// of libvirt's packages), and the daemon that it asks must still be there.
Result<> append_order(sd_bus_message* message) {
  return append(sd_bus_message_append(message, "(sv)(sv)", "After", "as", 1, "virttdxd.service", "Before",
                                      "as", 1, "virt-guest-shutdown.target"));
}

Error in_context(const Error& error, std::string_view what, const std::string& name) {
  return Error(error).with_context(fmt::format("{} control group '{}' by systemd", what, name));
}

}  // namespace

std::string scope_name(int id, std::string_view domain) {
  std::string name = fmt::format("machine-tdx\\x2d{}\\x2d", id);
  for (const char character : domain.substr(0, kNameMaximum)) name += escaped(character);
  return name + ".scope";
}

std::string slice_name(std::string_view partition) {
  const auto slices = slices_of(partition);
  return slices.empty() ? "-.slice" : slices.back();
}

MachineScopes::MachineScopes(SystemBus& bus, const std::filesystem::path& run,
                             std::filesystem::path control_groups)
    : bus_(bus),
      control_groups_(std::move(control_groups)),
      available_(is_run_by_systemd(run, control_groups_)) {
  bus_.on_disconnect([this] {
    listening_ = false;
    for (const auto& [path, done] : std::exchange(jobs_, {}))
      done(fail(Error::Code::System, "the system bus ended the connection"));
  });
}

std::filesystem::path MachineScopes::directory(const Scope& scope) const {
  auto path = control_groups_;
  for (const auto& slice : slices_of(scope.partition)) path /= slice;
  return path / scope.name;
}

Result<> MachineScopes::listen() {
  if (listening_) return {};
  TRY(bus_.listen(manager_method("JobRemoved"), [this](sd_bus_message* signal) { job_removed(signal); }));
  listening_ = true;
  return {};
}

Result<BusMessage> MachineScopes::scope_call(const Request& request) {
  TRY(listen());
  auto message = TRY(bus_.new_call(manager_method("StartTransientUnit")));
  auto* const made = message.get();
  TRY(append(sd_bus_message_append(made, "ss", request.scope.name.c_str(), "fail")));
  TRY(append(sd_bus_message_open_container(made, 'a', "(sv)")));
  TRY(append(sd_bus_message_append(made, "(sv)(sv)(sv)(sv)(sv)", "Description", "s", "TDX guest",  //
                                   "Slice", "s", slice_name(request.scope.partition).c_str(), "Delegate", "b",
                                   1, "CollectMode", "s", "inactive-or-failed",  //
                                   "PIDs", "au", 1, static_cast<std::uint32_t>(request.process))));
  TRY(append_order(made));
  TRY(append_limits(made, request.limits));
  TRY(append(sd_bus_message_close_container(made)));
  TRY(append(sd_bus_message_append(made, "a(sa(sv))", 0)));
  return message;
}

void MachineScopes::create(const Scope& scope, pid_t process, const ScopeLimits& limits, Completion done) {
  create({scope, process, limits, std::chrono::steady_clock::now() + kPatience},
         [name = scope.name, done = std::move(done)](const Result<>& result) {
           result ? done({}) : done(tl::unexpected(in_context(result.error(), "make", name)));
         });
}

void MachineScopes::create(const Request& request, Completion done) {
  const auto message = scope_call(request);
  if (!message) return done(tl::unexpected(message.error()));
  bus_.call(*message, kPatience,
            [this, request, done = std::move(done)](const Result<sd_bus_message*>& answer) {
              answer ? created(*answer, done) : refused(request, answer.error(), done);
            });
}

// A domain that starts anew has the scope's name of the run before, whose end systemd may not have seen yet.
void MachineScopes::refused(const Request& request, const Error& error, Completion done) {
  if (error.message().find(".UnitExists:") == std::string::npos ||
      std::chrono::steady_clock::now() > request.deadline)
    return done(tl::unexpected(error));
  QTimer::singleShot(kRegistrationInterval, &timers_,
                     [this, request, done = std::move(done)] { create(request, done); });
}

// systemd has a job for it; what the job came to is told by a signal that follows this answer.
void MachineScopes::created(sd_bus_message* answer, Completion done) {
  const char* job = nullptr;
  if (auto read = check_bus(sd_bus_message_read(answer, "o", &job), "answer of systemd"); !read)
    return done(std::move(read));
  jobs_[job] = std::move(done);
  QTimer::singleShot(kPatience, &timers_, [this, path = std::string(job)] {
    if (const auto late = jobs_.extract(path))
      late.mapped()(fail(Error::Code::TimedOut, "systemd's job does not end"));
  });
}

void MachineScopes::job_removed(sd_bus_message* signal) {
  std::uint32_t id = 0;
  const char *path = nullptr, *unit = nullptr, *result = nullptr;
  if (sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result) < 0) return;
  const auto job = jobs_.extract(path);
  if (!job) return;
  if (std::strcmp(result, "done") == 0) return job.mapped()({});
  job.mapped()(fail(Error::Code::System, "systemd's job ended as '{}'", result));
}

void MachineScopes::set_limits(const std::string& name, const ScopeLimits& limits, Completion done) {
  const auto finish = [name, done = std::move(done)](const Result<>& result) {
    result ? done({}) : done(tl::unexpected(in_context(result.error(), "limit", name)));
  };
  auto message = bus_.new_call(manager_method("SetUnitProperties"));
  if (!message) return finish(tl::unexpected(message.error()));
  auto* const made = message->get();
  const auto filled = [&]() -> Result<> {
    constexpr int kRuntime = 1;
    TRY(append(sd_bus_message_append(made, "sb", name.c_str(), kRuntime)));
    TRY(append(sd_bus_message_open_container(made, 'a', "(sv)")));
    TRY(append_limits(made, limits));
    return append(sd_bus_message_close_container(made));
  }();
  if (!filled) return finish(filled);
  bus_.call(*message, kPatience, [finish](const Result<sd_bus_message*>& answer) {
    answer ? finish({}) : finish(tl::unexpected(answer.error()));
  });
}

}  // namespace virttdx::driver
