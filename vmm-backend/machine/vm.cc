// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/vm.h"

#include <array>
#include <mutex>
#include <type_traits>

#include "machine/rtc_events.h"
#include "machine/running_td.h"
#include "machine/statistics_over_resets.h"
#include "machine/system_clock.h"
#include "machine/task_thread.h"

namespace virttdx {
namespace {

/// Everything that changes the TD happens on commands_: guests' requests are posted there by vCPU threads,
/// which must not wait for it.
class VmWithThread final : public Vm {
 public:
  VmWithThread(const VmConfig& config, VmSurroundings surroundings, Tdvf tdvf,
               std::optional<DirectKernel> kernel);
  ~VmWithThread() override { (void)stop(); }

  Result<> start() override {
    return commands_.run([this] { return start_now(); });
  }
  Result<> pause() override {
    return commands_.run([this] { return pause_now(); });
  }
  Result<> resume() override {
    return commands_.run([this] { return resume_now(); });
  }
  Result<> stop() override;
  Result<> powerdown(bool reboot) override {
    return commands_.run([this, reboot] { return powerdown_now(reboot); });
  }
  Result<> reset() override;
  Result<> plug(const DeviceToPlug& device) override {
    return commands_.run([&] { return plug_now(device); });
  }
  Result<> request_unplug(const std::string& id) override {
    return commands_.run([&] { return request_unplug_now(id); });
  }
  Result<> disk_resized(const std::string& id) override {
    return commands_.run([&] { return disk_resized_now(id); });
  }
  Result<> set_actions(const LifecycleActions& actions) override {
    return commands_.run([&] { return set_actions_now(actions); });
  }
  void disk_failed(MonitorEvent event) override {
    commands_.post([this, event = std::move(event)] { disk_failed_now(event); });
  }
  MonitorStatus status() const override;
  Result<MonitorMeasurements> measurements() const override {
    return of_launch(measurements_, "measurements");
  }
  Result<CpuidReport> cpuid() const override { return of_launch(cpuid_, "CPUID"); }
  Result<HypervisorStatistics> statistics() const override;
  ExitStatistics trace() override { return trace_.read(); }

 private:
  // On commands_' thread.
  Result<> start_now();
  Result<> pause_now();
  Result<> resume_now();
  Result<> powerdown_now(bool reboot);
  void reset_now();
  Result<> plug_now(const DeviceToPlug& device);
  Result<> request_unplug_now(const std::string& id);
  Result<> disk_resized_now(const std::string& id);
  Result<> set_actions_now(const LifecycleActions& actions);
  void disk_failed_now(const MonitorEvent& event);
  void port_changed(const std::string& id, bool is_open);
  void slot_without_power(std::uint8_t bus);
  void powered_off();
  void recreate();
  void preserve(const std::string& message);
  void relaunch(bool stay_paused);
  void end(StopReason reason, const std::string& message);
  Result<> launch();
  Result<> require(bool allowed, std::string_view action) const;
  template <typename T>
  Result<T> of_launch(const std::optional<T>& value, std::string_view what) const;
  void guest_ended(const VcpuStop& stop);
  void kernel_panicked() { guest_ended({StopReason::Crashed, "its kernel said so to pvpanic", true}); }
  void emit(MonitorEventKind kind, StopReason reason = StopReason::None, const std::string& message = "");
  VmState state() const;
  void set_state(VmState state, StopReason reason = StopReason::None, const std::string& message = "");
  void stop_td();
  /// A callback for vCPU threads that runs `task` on commands_, unless its TD is gone by then.
  template <typename... Args>
  std::function<void(Args...)> posted(std::function<void(Args...)> task);

  VmConfig config_;              // its devices change, on commands_' thread
  VmSurroundings surroundings_;  // so do the back ends
  const Tdvf tdvf_;
  const std::optional<DirectKernel> kernel_;
  const SystemClock clock_;
  RtcAdjustment clock_adjustment_;
  ExitTrace trace_;
  std::uint64_t launches_ = 0;  // commands_' thread only, as the next
  bool reboot_asked_ = false;
  mutable std::mutex mutex_;  // guards what follows; commands_' thread alone changes it
  std::unique_ptr<RunningTd> td_;
  MonitorStatus status_;
  std::optional<MonitorMeasurements> measurements_;
  std::optional<CpuidReport> cpuid_;
  StatisticsOverResets statistics_;
  TaskThread commands_;  // last: its tasks use all of the above
};

VmWithThread::VmWithThread(const VmConfig& config, VmSurroundings surroundings, Tdvf tdvf,
                           std::optional<DirectKernel> kernel)
    : config_(config),
      surroundings_(std::move(surroundings)),
      tdvf_(std::move(tdvf)),
      kernel_(std::move(kernel)),
      clock_(config),
      clock_adjustment_(rtc_events(config.clock_offset_seconds, surroundings_.on_event)),
      trace_(config.vcpu_count) {
  status_.host = config.host;
  status_.host_description = surroundings_.kernel.description();
  status_.open_ports.emplace();
}

Result<> VmWithThread::stop() {
  return commands_.run([this]() -> Result<> {
    end(StopReason::Destroyed, "");
    return {};
  });
}

Result<> VmWithThread::reset() {
  return commands_.run([this]() -> Result<> {
    TRY(require(td_ != nullptr, "reset"));
    reset_now();
    return {};
  });
}

MonitorStatus VmWithThread::status() const {
  const std::lock_guard lock(mutex_);
  MonitorStatus status = status_;
  if (td_) status.vcpu_time_ns = td_->td().vcpu_time_ns();
  return status;
}

template <typename T>
Result<T> VmWithThread::of_launch(const std::optional<T>& value, std::string_view what) const {
  const std::lock_guard lock(mutex_);
  if (value) return *value;
  return fail(Error::Code::WrongState, "Cannot read {} of '{}': it has not been launched", what,
              config_.name);
}

Result<HypervisorStatistics> VmWithThread::statistics() const {
  const std::lock_guard lock(mutex_);
  if (!td_)
    return fail(Error::Code::WrongState, "Cannot read statistics of '{}': it does not run", config_.name);
  return statistics_.total(TRY(td_->td().statistics()));
}

Result<> VmWithThread::start_now() {
  TRY(require(launches_ == 0 && state() == VmState::Starting, "start"));
  if (auto launched = launch(); !launched) {
    end(StopReason::LaunchFailed, launched.error().message());
    return launched;
  }
  set_state(config_.start_paused ? VmState::Paused : VmState::Running);
  emit(MonitorEventKind::Launched);
  if (!config_.start_paused) td_->td().resume();
  return {};
}

Result<> VmWithThread::pause_now() {
  TRY(require(state() == VmState::Running, "pause"));
  td_->td().pause();
  set_state(VmState::Paused);
  emit(MonitorEventKind::Paused);
  return {};
}

Result<> VmWithThread::resume_now() {
  TRY(require(state() == VmState::Paused, "resume"));
  for (const auto& [id, disk] : surroundings_.devices.disks) disk->retry();
  set_state(VmState::Running);
  emit(MonitorEventKind::Resumed);
  td_->td().resume();
  return {};
}

Result<> VmWithThread::powerdown_now(bool reboot) {
  TRY(require(td_ != nullptr, "press the power button of"));
  reboot_asked_ = reboot;
  td_->machine().press_power_button();
  return {};
}

void VmWithThread::reset_now() {
  if (config_.on_reset == ResetAction::Recreate) return recreate();
  emit(MonitorEventKind::Reset);
  end(StopReason::Reset, "");
}

Result<> VmWithThread::plug_now(const DeviceToPlug& device) {
  TRY(require(td_ != nullptr, "add a device to"));
  VmConfig with_device = config_;
  add(device, with_device.devices);
  TRY(validate(with_device));
  TRY(td_->machine().virtio().plug(device));
  config_.devices = std::move(with_device.devices);
  add(device, surroundings_.devices);
  return {};
}

Result<> VmWithThread::request_unplug_now(const std::string& id) {
  TRY(require(td_ != nullptr, "take a device from"));
  return td_->machine().virtio().request_unplug(id);
}

Result<> VmWithThread::disk_resized_now(const std::string& id) {
  TRY(require(td_ != nullptr, "resize a disk of"));
  return td_->machine().virtio().configuration_changed(id);
}

Result<> VmWithThread::set_actions_now(const LifecycleActions& actions) {
  VmConfig changed = config_;
  apply(actions, changed);
  TRY(validate(changed));
  config_ = std::move(changed);
  reboot_asked_ = false;
  return {};
}

void VmWithThread::disk_failed_now(const MonitorEvent& event) {
  if (td_ == nullptr) return;
  if (surroundings_.on_event) surroundings_.on_event(event);
  if (event.io_error && event.io_error->action == IoErrorAction::Stop && state() == VmState::Running)
    (void)pause_now();
}

void VmWithThread::port_changed(const std::string& id, bool is_open) {
  {
    const std::lock_guard lock(mutex_);
    std::erase(*status_.open_ports, id);
    if (is_open) status_.open_ports->push_back(id);
  }
  if (surroundings_.on_event)
    surroundings_.on_event({.kind = is_open ? MonitorEventKind::PortOpened : MonitorEventKind::PortClosed,
                            .message = {},
                            .device = id});
}

// A vCPU could be inside of the device.
void VmWithThread::slot_without_power(std::uint8_t bus) {
  const bool runs = state() == VmState::Running;
  if (runs) td_->td().pause();
  const std::string id = td_->machine().virtio().unplug(bus);
  if (runs) td_->td().resume();
  if (id.empty()) return;
  remove(id, config_.devices, surroundings_.devices);
  emit(MonitorEventKind::DeviceRemoved, StopReason::None, id);
}

void VmWithThread::powered_off() {
  if (reboot_asked_) return reset_now();
  if (config_.on_power_off == ResetAction::Recreate) return recreate();
  end(StopReason::GuestShutdown, "");
}

// Clients see the same events whatever made the guest start anew.
void VmWithThread::recreate() {
  // libvirt's drivers leave a crashed domain paused after its reset.
  const bool was_paused = state() == VmState::Paused || state() == VmState::Crashed;
  emit(MonitorEventKind::Reset);
  stop_td();
  // A new guest has opened none.
  const auto open = status().open_ports.value_or(std::vector<std::string>());
  for (const auto& id : open) port_changed(id, false);
  relaunch(was_paused);
}

// Registers and private memory are out of reach: what stays to be looked at is shared memory, devices and
// logs.
void VmWithThread::preserve(const std::string& message) {
  td_->td().pause();
  set_state(VmState::Crashed, StopReason::Crashed, message);
  emit(MonitorEventKind::Preserved, StopReason::Crashed, message);
}

void VmWithThread::relaunch(bool stay_paused) {
  if (auto launched = launch(); !launched) return end(StopReason::LaunchFailed, launched.error().message());
  set_state(state() == VmState::Crashed ? VmState::Paused : state());
  {
    const std::lock_guard lock(mutex_);
    ++status_.recreated;
  }
  emit(MonitorEventKind::Recreated);
  if (!stay_paused) td_->td().resume();
}

void VmWithThread::end(StopReason reason, const std::string& message) {
  if (state() == VmState::Stopped) return;
  stop_td();
  set_state(VmState::Stopped, reason, message);
  emit(MonitorEventKind::Stopped, reason, message);
}

Result<> VmWithThread::launch() {
  ++launches_;
  reboot_asked_ = false;
  auto td = TRY(RunningTd::launch(
      config_, tdvf_,
      {.kernel = surroundings_.kernel,
       .clock = clock_,
       .clock_adjustment = clock_adjustment_,
       .serials = surroundings_.serials,
       .backends = surroundings_.devices,
       .kernel_image = kernel_ ? &*kernel_ : nullptr,
       .trace = &trace_,
       .on_power_off = posted(std::function([this] { powered_off(); })),
       .on_reset = posted(std::function([this] { reset_now(); })),
       .on_panic = config_.panic_device ? posted(std::function([this] { kernel_panicked(); })) : nullptr,
       .on_stop = posted(std::function([this](const VcpuStop& stop) { guest_ended(stop); })),
       .on_slot_power_off = posted(std::function([this](std::uint8_t bus) { slot_without_power(bus); })),
       .on_port =
           posted(std::function([this](std::string id, bool is_open) { port_changed(id, is_open); }))}));
  const std::lock_guard lock(mutex_);
  measurements_ = td->td().measurements();
  if (surroundings_.host_mrtd) measurements_->host_mrtd = surroundings_.host_mrtd(td->td().vm_fd());
  cpuid_ = td->td().cpuid();
  td_ = std::move(td);
  return {};
}

void VmWithThread::guest_ended(const VcpuStop& stop) {
  if (stop.reason == StopReason::Reset) return reset_now();
  if (stop.panicked) emit(MonitorEventKind::Panicked, StopReason::None, stop.message);
  if (stop.reason == StopReason::GuestShutdown) return powered_off();
  if (stop.reason == StopReason::Crashed && config_.on_crash == ResetAction::Recreate) return recreate();
  if (stop.reason == StopReason::Crashed && config_.on_crash == ResetAction::Preserve)
    return preserve(stop.message);
  end(stop.reason, stop.message);
}

Result<> VmWithThread::require(bool allowed, std::string_view action) const {
  if (allowed) return {};
  constexpr std::array kNames = {"starting", "running", "paused", "crashed", "stopped"};
  return fail(Error::Code::WrongState, "Cannot {} '{}': it is {}", action, config_.name,
              kNames.at(static_cast<std::size_t>(state())));
}

void VmWithThread::emit(MonitorEventKind kind, StopReason reason, const std::string& message) {
  if (surroundings_.on_event) surroundings_.on_event({kind, reason, message});
}

VmState VmWithThread::state() const {
  const std::lock_guard lock(mutex_);
  return status_.state;
}

void VmWithThread::set_state(VmState state, StopReason reason, const std::string& message) {
  const std::lock_guard lock(mutex_);
  status_.state = state;
  status_.stop_reason = reason;
  status_.message = message;
}

void VmWithThread::stop_td() {
  if (td_ == nullptr) return;
  td_->td().stop();
  std::unique_ptr<RunningTd> stopped;  // ends its life when the lock is given back
  const std::lock_guard lock(mutex_);
  if (const auto counted = td_->td().statistics()) statistics_.keep(*counted);
  status_.vcpu_time_ns = td_->td().vcpu_time_ns();
  stopped = std::move(td_);
}

template <typename... Args>
std::function<void(Args...)> VmWithThread::posted(std::function<void(Args...)> task) {
  return [this, task, launch = launches_](Args... args) {
    commands_.post([this, task, launch, args...] {
      // What the guest still asked for before it crashed would undo that it is kept.
      if (td_ != nullptr && launch == launches_ && state() != VmState::Crashed) task(args...);
    });
  };
}

}  // namespace

Result<std::unique_ptr<Vm>> Vm::create(const VmConfig& config, VmSurroundings surroundings) {
  TRY(validate(config));
  Tdvf tdvf = TRY(load_tdvf(config.firmware_path));
  std::optional<DirectKernel> kernel;
  if (config.kernel) kernel = TRY(load_direct_kernel(*config.kernel));
  return std::make_unique<VmWithThread>(config, std::move(surroundings), std::move(tdvf), std::move(kernel));
}

}  // namespace virttdx
