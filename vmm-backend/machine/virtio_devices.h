// SPDX-License-Identifier: GPL-2.0-or-later
// The PCI Express ports and virtio devices of a machine, at the places that its configuration names.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "bus/dma.h"
#include "bus/doorbell.h"
#include "bus/interrupt_line.h"
#include "devices/device_backends.h"
#include "devices/pci/pci_root.h"
#include "devices/pci/pcie_root_port.h"
#include "devices/virtio/virtio_device.h"
#include "devices/virtio/virtio_pci.h"
#include "support/result.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// Made before the first vCPU runs, destroyed after the last. Destroying it stops the devices.
class VirtioDevices {
 public:
  /// References outlive it.
  struct Parts {
    PciRoot& root;
    MmioBus& mmio;
    DmaMemory& memory;
    MsiSink interrupts;
    DoorbellBus* doorbells = nullptr;
    DeviceBackends backends;
  };
  /// Errors: a device without its back end, or at a bus that no port leads to.
  static Result<std::unique_ptr<VirtioDevices>> create(const DeviceConfigs& configs, Parts parts);
  ~VirtioDevices();
  VirtioDevices(const VirtioDevices&) = delete;
  VirtioDevices& operator=(const VirtioDevices&) = delete;

 private:
  explicit VirtioDevices(Parts parts) : parts_(std::move(parts)) {}
  Result<> add_all(const DeviceConfigs& configs);
  void add_root_port(const PciRootPortConfig& config);
  Result<> add_disk(const DiskConfig& config);
  Result<> add_scsi_controller(const ScsiControllerConfig& config, const std::vector<DiskConfig>& disks);
  Result<> add_interface(const NetworkInterfaceConfig& config);
  Result<> add_rng(const RngConfig& config);
  Result<> add_console(const VirtioSerialConfig& config, const std::vector<ConsolePortConfig>& ports);
  Result<> add(const std::string& id, const PciAddress& address, std::unique_ptr<VirtioDevice> device);

  const Parts parts_;
  std::map<std::uint8_t, PcieRootPort*> ports_by_bus_;
  std::vector<std::unique_ptr<PcieRootPort>> ports_;
  std::vector<BlockBackend*> disks_;  ///< that use parts_.memory
  std::vector<std::unique_ptr<VirtioDevice>> devices_;
  std::vector<std::unique_ptr<VirtioPci>> functions_;  // after devices_: each uses one
};

}  // namespace virttdx
