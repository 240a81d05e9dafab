// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "control/sandbox.h"
#include "support/file.h"
#include "support/log.h"

namespace virttdx {
namespace {

// Clients that read at all have the last event long before.
constexpr std::chrono::seconds kLastWords{2};

// A guest can set its clock as often as it likes. QEMU's pace.
constexpr std::chrono::seconds kRtcPace{1};

constexpr std::size_t kFaultsMaximum = 1 << 16, kProfileMaximum = 1 << 20;

Result<std::vector<SoftFault>> read_faults(const std::filesystem::path& file) {
  if (file.empty()) return std::vector<SoftFault>();
  auto faults = soft_faults_from_json(TRY(read_text_file(file, kFaultsMaximum)));
  if (!faults) return tl::unexpected<Error>(std::move(faults).error().with_context(file.string()));
  return faults;
}

Result<HostCapabilities> read_profile(const std::filesystem::path& file) {
  auto profile = host_capabilities_from_json(TRY(read_text_file(file, kProfileMaximum)));
  if (!profile) return tl::unexpected<Error>(std::move(profile).error().with_context(file.string()));
  return profile;
}

// A disk that is added has a queue for each vCPU, if nobody says otherwise.
std::size_t spare_rings_for(const VmConfig& config) {
  constexpr std::size_t kMaximum = 64;  // some 30 KiB each
  return std::min(kMaximum, config.devices.root_ports.size() * config.vcpu_count);
}

}  // namespace

Result<std::unique_ptr<softhost::SoftHost>> open_soft_host(const Options& options) {
  auto faults = TRY(read_faults(options.soft_faults));
  if (options.soft_profile.empty()) return softhost::create_soft_host(std::move(faults));
  auto host = softhost::create_soft_host_playing(TRY(read_profile(options.soft_profile)), std::move(faults));
  if (!host)
    return tl::unexpected<Error>(std::move(host).error().with_context(options.soft_profile.string()));
  return host;
}

Result<std::unique_ptr<Monitor>> Monitor::create(const VmConfig& config, const Options& options) {
  std::unique_ptr<Monitor> monitor(new Monitor);
  monitor->loop_ = TRY(EventLoop::create());
  // Before any thread, so that all of them leave the signals to the loop.
  TRY(monitor->open_signals());
  monitor->rtc_announcement_ = TRY(
      PacedTask::create(*monitor->loop_, kRtcPace, [it = monitor.get()] { it->announce(it->rtc_event_); }));
  TRY(monitor->open_consoles(config));
  TRY(monitor->open_host(config.host, options));
  TRY(monitor->open_devices(config, options));
  TRY(monitor->open_vm(config));
  if (!options.control_socket.empty())
    monitor->server_ = TRY(ControlServer::create(*monitor->loop_, options.control_socket, *monitor));
  if (options.console) TRY(monitor->open_terminal());
  return monitor;
}

Monitor::~Monitor() {
  if (launcher_.joinable()) launcher_.join();
}

Result<> Monitor::open_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  signals_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return fail_errno(errno, "cannot receive signals");
  TRY(loop_->add(signals_.get(), EPOLLIN, [this](std::uint32_t) {
    signalfd_siginfo information{};
    if (::read(signals_.get(), &information, sizeof information) != sizeof information) return;
    log::info("ending the TD on signal {}", information.ssi_signo);
    request_stop();
  }));
  return {};
}

Result<> Monitor::open_consoles(const VmConfig& config) {
  for (const auto& serial : config.serials)
    consoles_[serial.port] = TRY(SerialConsole::create(*loop_, serial));
  return {};
}

Result<> Monitor::open_host(HostKind kind, const Options& options) {
  if (kind == HostKind::Kvm) {
    if (!options.soft_faults.empty() || !options.soft_profile.empty())
      return fail(Error::Code::InvalidArgument, "--soft-{}: the TD runs on the kernel (\"host\": \"kvm\")",
                  options.soft_faults.empty() ? "profile" : "faults");
    kernel_ = linux_kernel_calls();
    log::info("host: {}", kernel_->description());
    return {};
  }
  auto soft_host = TRY(open_soft_host(options));
  soft_host_ = soft_host.get();
  kernel_ = std::move(soft_host);
  log::warning("host: {}", kernel_->description());
  if (!options.soft_profile.empty()) log::warning("host: plays {}", options.soft_profile.string());
  if (!options.soft_faults.empty())
    log::warning("host: faults on demand by {}", options.soft_faults.string());
  return {};
}

// No disk fails before there is a Vm.
Result<> Monitor::open_devices(const VmConfig& config, const Options& options) {
  const auto on_disk_error = [this](MonitorEvent event, const std::function<void()>& taken) {
    loop_->post([this, event = std::move(event), taken] {
      vm_->disk_failed(event);
      taken();
    });
  };
  const auto tell = [this](MonitorEventKind kind, const std::string& id) {
    loop_->post([this, kind, id] { announce({.kind = kind, .message = {}, .device = id}); });
  };
  const auto on_tray = [tell](const std::string& id, bool is_open) {
    tell(is_open ? MonitorEventKind::TrayOpened : MonitorEventKind::TrayClosed, id);
  };
  const auto on_link_lost = [tell](const std::string& id) { tell(MonitorEventKind::LinkLost, id); };
  devices_ = TRY(HostBackends::create(config.devices, {.loop = *loop_,
                                                       .vsock_socket = options.vsock_socket.native(),
                                                       .on_disk_error = on_disk_error,
                                                       .spare_rings = spare_rings_for(config),
                                                       .on_tray = on_tray,
                                                       .on_link_lost = on_link_lost}));
  return {};
}

Result<> Monitor::open_vm(const VmConfig& config) {
  std::map<std::uint8_t, SerialBackend*> serials;
  for (const auto& [port, console] : consoles_) serials[port] = console.get();
  VmSurroundings surroundings{*kernel_,
                              std::move(serials),
                              devices_->by_id(),
                              [this](const MonitorEvent& event) { on_vm_event(event); },
                              {}};
  if (soft_host_ != nullptr)
    surroundings.host_mrtd = [host = soft_host_](int vm_fd) { return host->mrtd(vm_fd); };
  vm_ = TRY(Vm::create(config, std::move(surroundings)));
  return {};
}

Result<> Monitor::open_terminal() {
  const auto console = consoles_.find(0);
  if (console == consoles_.end())
    return fail(Error::Code::InvalidArgument,
                "--console needs serial port 0 in the configuration's \"serials\"");
  terminal_ = TRY(HostTerminal::create(TRY(console->second->attach(true)),
                                       [this] { loop_->post([this] { request_stop(); }); }));
  return {};
}

StopReason Monitor::run() {
  // A launch takes its time; status and events are served meanwhile.
  launcher_ = std::thread([this] { launch(); });
  loop_->run();
  if (server_) server_->flush(kLastWords);
  return stop_reason_;
}

void Monitor::launch() {
  if (const auto started = vm_->start(); !started) log::error("launch failed: {}", started.error().message());
}

// On a thread of the Vm's.
void Monitor::on_vm_event(const MonitorEvent& event) {
  if (event.kind == MonitorEventKind::Launched && !std::exchange(confined_, true)) confine();
  loop_->post([this, event] { on_event(event); });
}

void Monitor::confine() {
  const auto confined = enter_sandbox();
  if (confined) return;
  log::error("the TD is ended, because its monitor cannot be confined: {}", confined.error().message());
  loop_->post([this] { request_stop(); });
}

void Monitor::on_event(const MonitorEvent& event) {
  if (event.kind != MonitorEventKind::RtcChanged) return announce(event);
  rtc_event_ = event;
  rtc_announcement_->request();
}

void Monitor::announce(const MonitorEvent& event) {
  const bool ended = event.kind == MonitorEventKind::Stopped;
  log::info("event {}{}{}{}{}", to_name(event.kind), ended ? ", " : "",
            ended ? to_name(event.stop_reason) : "", event.message.empty() ? "" : ": ", event.message);
  if (event.kind == MonitorEventKind::DeviceRemoved) devices_->remove(event.message);
  if (server_) server_->broadcast(event);
  if (!ended) return;
  stop_reason_ = event.stop_reason;
  loop_->stop();
}

void Monitor::request_stop() {
  if (const auto stopped = vm_->stop(); !stopped) log::error("stop: {}", stopped.error().message());
}

MonitorStatus Monitor::status() {
  auto status = vm_->status();
  status.pid = ::getpid();
  status.serials.clear();
  for (const auto& [port, console] : consoles_) status.serials.push_back(console->status());
  status.console_ports = devices_->console_ports();
  status.vsock_cid = devices_->vsock_cid();
  status.open_trays = devices_->open_trays();
  status.lost_links = devices_->lost_links();
  status.rtc_offset_seconds = rtc_event_.rtc_offset_seconds;
  return status;
}

Result<> Monitor::pause() { return vm_->pause(); }
Result<> Monitor::resume() { return vm_->resume(); }
Result<> Monitor::stop() { return vm_->stop(); }
Result<> Monitor::powerdown(bool reboot) { return vm_->powerdown(reboot); }
Result<> Monitor::reset() { return vm_->reset(); }
Result<MonitorMeasurements> Monitor::measurements() { return vm_->measurements(); }
Result<CpuidReport> Monitor::cpuid() { return vm_->cpuid(); }
DeviceStatistics Monitor::device_statistics() { return devices_->statistics(); }
Result<HypervisorStatistics> Monitor::hypervisor_statistics() { return vm_->statistics(); }
ExitStatistics Monitor::trace() { return vm_->trace(); }

Result<UniqueFd> Monitor::console_attach(std::uint8_t port, bool force) {
  const auto console = consoles_.find(port);
  if (console == consoles_.end())
    return fail(Error::Code::NotFound, "the TD has no serial port {}; it has {} of them", port,
                consoles_.size());
  return console->second->attach(force);
}

Result<UniqueFd> Monitor::console_attach(const std::string& device, bool force) {
  return devices_->attach_console(device, force);
}

Result<> Monitor::device_add(const DiskConfig& disk, std::vector<UniqueFd> descriptors) {
  auto* const backend = TRY(devices_->open_for_running_td(disk, std::move(descriptors)));
  return plug(disk.id, DiskToPlug{disk, backend});
}

Result<> Monitor::device_add(const NetworkInterfaceConfig& interface, std::vector<UniqueFd> descriptors) {
  auto* const backend = TRY(devices_->open_for_running_td(interface, std::move(descriptors)));
  return plug(interface.id, InterfaceToPlug{interface, backend});
}

Result<> Monitor::plug(const std::string& id, const DeviceToPlug& device) {
  auto plugged = vm_->plug(device);
  if (!plugged) devices_->remove(id);
  return plugged;
}

Result<> Monitor::device_remove(const std::string& id) { return vm_->request_unplug(id); }
Result<> Monitor::link_set(const std::string& id, bool up) { return devices_->set_link(id, up); }

Result<bool> Monitor::tray_open(const std::string& id, bool force) { return devices_->open_tray(id, force); }

Result<> Monitor::medium_offer(const DiskConfig& disk, std::vector<UniqueFd> descriptors) {
  return devices_->offer_medium(disk, std::move(descriptors));
}

Result<> Monitor::medium_change(const std::string& id) { return devices_->change_medium(id); }

Result<> Monitor::disk_limits(const std::string& id, const DiskLimits& limits) {
  return devices_->set_disk_limits(id, limits);
}

Result<> Monitor::disk_resize(const std::string& id, std::uint64_t bytes) {
  TRY(devices_->resize_disk(id, bytes));
  return vm_->disk_resized(id);
}

Result<> Monitor::set_actions(const LifecycleActions& actions) { return vm_->set_actions(actions); }

}  // namespace virttdx
