// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "machine/machine.h"
#include "tdx/td_vm.h"

namespace virttdx {

/// What RunningTd::launch() is given. References and back ends outlive the TD.
struct TdSurroundings {
  KernelCalls& kernel;
  const Clock& clock;
  RtcAdjustment& clock_adjustment;
  std::map<std::uint8_t, SerialBackend*> serials;
  DeviceBackends backends{};
  const DirectKernel* kernel_image;  ///< null: none
  ExitTrace* trace = nullptr;
  /// On a vCPU's thread: must not wait for vCPUs.
  std::function<void()> on_power_off;
  std::function<void()> on_reset;
  std::function<void()> on_panic{};  ///< absent: no pvpanic device
  std::function<void(const VcpuStop&)> on_stop;
  std::function<void(std::uint8_t bus)> on_slot_power_off;
  std::function<void(std::string id, bool is_open)> on_port{};  ///< VirtioDevices::Parts
};

/// A TD together with its machine: launched, not running yet.
class RunningTd {
 public:
  static Result<std::unique_ptr<RunningTd>> launch(const VmConfig& config, const Tdvf& tdvf,
                                                   TdSurroundings surroundings);
  RunningTd(const RunningTd&) = delete;
  RunningTd& operator=(const RunningTd&) = delete;
  /// Ends the vCPU threads before the devices that they use.
  ~RunningTd() { td_->stop(); }

  TdVm& td() { return *td_; }
  const TdVm& td() const { return *td_; }
  Machine& machine() { return *machine_; }

 private:
  explicit RunningTd(std::unique_ptr<TdVm> td) : td_(std::move(td)) {}

  std::unique_ptr<TdVm> td_;
  std::unique_ptr<Machine> machine_;  // after td_: uses its memory
};

}  // namespace virttdx
