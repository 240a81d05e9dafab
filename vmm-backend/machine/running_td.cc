// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/running_td.h"

namespace virttdx {

Result<std::unique_ptr<RunningTd>> RunningTd::launch(const VmConfig& config, const Tdvf& tdvf,
                                                     TdSurroundings surroundings) {
  auto launched = TRY(TdVm::launch(surroundings.kernel, config, tdvf));
  std::unique_ptr<RunningTd> running(new RunningTd(std::move(launched)));
  TdVm& td = *running->td_;
  running->machine_ =
      TRY(Machine::create({.uuid = config.uuid,
                           .x2apic_ids = x2apic_ids(config.vcpu_ids, config.vcpu_count),
                           .layout = td.layout(),
                           .kernel = surroundings.kernel_image,
                           .smbios = config.smbios.value_or(SmbiosConfig()),
                           .cpuid = config.td.vcpu_cpuid,
                           .numa_nodes = config.numa_nodes,
                           .clock = surroundings.clock,
                           .clock_adjustment = surroundings.clock_adjustment,
                           .memory = td.memory(),
                           .serials = surroundings.serials,
                           .interrupts = [&td](const MsiMessage& message) { td.signal(message); },
                           .devices = config.devices,
                           .backends = std::move(surroundings.backends),
                           .doorbells = &td.doorbells(),
                           .irqfds = &td.irqfds(),
                           .on_power_off = std::move(surroundings.on_power_off),
                           .on_reset = std::move(surroundings.on_reset),
                           .on_panic = std::move(surroundings.on_panic),
                           .on_slot_power_off = std::move(surroundings.on_slot_power_off),
                           .on_port = std::move(surroundings.on_port)}));
  TRY(td.start(running->machine_->ports(), running->machine_->mmio(), std::move(surroundings.on_stop),
               surroundings.trace));
  return running;
}

}  // namespace virttdx
