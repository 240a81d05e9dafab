// SPDX-License-Identifier: GPL-2.0-or-later
// A line of any bytes: the monitor answers each with one line that a client can read, and a client survives
// it.
#include <cstddef>
#include <cstdint>

#include "control/control_commands.h"

namespace {

using namespace virttdx;

class Handler : public ControlHandler {
  MonitorStatus status() override { return {}; }
  Result<> pause() override { return {}; }
  Result<> resume() override { return {}; }
  Result<> stop() override { return {}; }
  Result<> powerdown(bool) override { return {}; }
  Result<> reset() override { return fail(Error::Code::WrongState, "not running"); }
  Result<MonitorMeasurements> measurements() override { return MonitorMeasurements{}; }
  Result<CpuidReport> cpuid() override { return CpuidReport{}; }
  DeviceStatistics device_statistics() override { return {}; }
  Result<HypervisorStatistics> hypervisor_statistics() override { return HypervisorStatistics{}; }
  ExitStatistics trace() override { return {}; }
  Result<UniqueFd> console_attach(std::uint8_t, bool) override { return UniqueFd(); }
  Result<UniqueFd> console_attach(const std::string&, bool) override { return UniqueFd(); }
  Result<> device_add(const DiskConfig&, std::vector<UniqueFd>) override { return {}; }
  Result<> device_add(const NetworkInterfaceConfig&, std::vector<UniqueFd>) override { return {}; }
  Result<> device_remove(const std::string&) override { return {}; }
  Result<> link_set(const std::string&, bool) override { return {}; }
  Result<bool> tray_open(const std::string&, bool) override { return true; }
  Result<> medium_offer(const DiskConfig&, std::vector<UniqueFd>) override { return {}; }
  Result<> medium_change(const std::string&) override { return {}; }
  Result<> disk_limits(const std::string&, const DiskLimits&) override { return {}; }
  Result<> disk_resize(const std::string&, std::uint64_t) override { return {}; }
  Result<> set_actions(const LifecycleActions&) override { return {}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  Handler handler;
  std::vector<UniqueFd> descriptors;
  const auto answer = run_command_line(line, descriptors, handler).text;
  CHECK(answer.find('\n') == answer.size() - 1);
  CHECK(control_wire::parse_incoming(std::string_view(answer).substr(0, answer.size() - 1)));
  [[maybe_unused]] const auto as_client = control_wire::parse_incoming(line);
  [[maybe_unused]] const auto as_greeting = control_wire::check_greeting(line);
  return 0;
}
