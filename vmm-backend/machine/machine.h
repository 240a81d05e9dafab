// SPDX-License-Identifier: GPL-2.0-or-later
// The machine around a TD's vCPUs and memory: the one place that knows every device.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bus/bus.h"
#include "bus/clock.h"
#include "bus/dma.h"
#include "bus/interrupt_line.h"
#include "bus/shared_line.h"
#include "devices/acpi_pm/acpi_pm.h"
#include "devices/debug_port/debug_port.h"
#include "devices/fw_cfg/fw_cfg.h"
#include "devices/host_bridge/host_bridge.h"
#include "devices/i8042/i8042.h"
#include "devices/io_apic/io_apic.h"
#include "devices/lpc/lpc.h"
#include "devices/pci/pci_root.h"
#include "devices/pic/pic.h"
#include "devices/port92/port92.h"
#include "devices/pvpanic/pvpanic.h"
#include "devices/reset_control/reset_control.h"
#include "devices/rtc/rtc.h"
#include "devices/serial/serial.h"
#include "firmware/acpi/acpi_files.h"
#include "firmware/direct_kernel.h"
#include "machine/virtio_devices.h"
#include "memory/layout.h"
#include "support/result.h"
#include "vmm_backend/gpa.h"

namespace virttdx {

/// What a machine is made of. References outlive the machine.
struct MachineParts {
  std::string uuid;
  std::vector<std::uint32_t> x2apic_ids{0};
  const MemoryLayout& layout;            ///< read by create() only
  const DirectKernel* kernel = nullptr;  ///< absent: firmware boots from a disk
  SmbiosConfig smbios{};
  CpuidEntries cpuid{};  ///< of vCPUs
  std::vector<NumaNodeConfig> numa_nodes{};
  const Clock& clock;
  RtcAdjustment& clock_adjustment;  ///< outlives a reset, as the clock's battery does
  DmaMemory& memory;
  /// Port number (0 to 3: COM1 to COM4) to back end.
  std::map<std::uint8_t, SerialBackend*> serials;
  MsiSink interrupts;
  DeviceConfigs devices{};
  DeviceBackends backends{};  ///< of `devices`
  DoorbellBus* doorbells = nullptr;
  IrqfdBus* irqfds = nullptr;
  /// The guest asks for it. On a vCPU's thread: must not destroy the machine nor wait for vCPUs.
  std::function<void()> on_power_off;
  std::function<void()> on_reset;
  std::function<void()> on_panic{};                             ///< absent: no pvpanic device
  std::function<void(std::uint8_t bus)> on_slot_power_off{};    ///< VirtioDevices::Parts
  std::function<void(std::string id, bool is_open)> on_port{};  ///< VirtioDevices::Parts
};

/// A Q35 machine with the devices of devices/README.md. vCPU threads use the buses; they must have ended
/// before it is destroyed.
class Machine {
 public:
  static Result<std::unique_ptr<Machine>> create(const MachineParts& parts);

  PortBus& ports() { return ports_; }
  MmioBus& mmio() { return mmio_; }
  /// Any thread. Does nothing that the guest has not enabled.
  void press_power_button() { acpi_pm_.press_power_button(); }
  VirtioDevices& virtio() { return *virtio_; }

 private:
  Machine(const MachineParts& parts, AcpiInputs acpi, FwCfgItems items, FwCfgViews views);
  Result<> add_platform();
  Result<> add_legacy();
  Result<> add_virtio(const MachineParts& parts);
  Result<> add_serials(const std::map<std::uint8_t, SerialBackend*>& backends);

  void place_pci_window(const std::optional<GpaRange>& window);
  void place_pm_block(std::optional<std::uint16_t> base);
  void renew_acpi_tables();

  AcpiInputs acpi_;  ///< changed under PciRoot's lock only
  PortBus ports_;
  MmioBus mmio_;
  IoApic io_apic_;
  Pic master_pic_;
  Pic slave_pic_;
  EdgeLevelControl edge_level_control_;
  AcpiPm acpi_pm_;
  ResetControl reset_control_;
  PciRoot pci_;
  HostBridge host_bridge_;
  Lpc lpc_;
  FwCfg fw_cfg_;
  Rtc rtc_;
  I8042 i8042_;
  Port92 port92_;
  DebugPort debug_port_;
  std::optional<Pvpanic> pvpanic_;
  SharedLine com1_com3_line_;
  SharedLine com2_com4_line_;
  std::map<std::uint8_t, std::unique_ptr<Serial>> serials_;
  std::unique_ptr<VirtioDevices> virtio_;
};

}  // namespace virttdx
