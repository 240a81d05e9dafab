// SPDX-License-Identifier: GPL-2.0-or-later
// The PCI Express ports and virtio devices of a machine, at the places that its configuration names.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "bus/dma.h"
#include "bus/doorbell.h"
#include "bus/interrupt_line.h"
#include "bus/irqfd.h"
#include "devices/device_backends.h"
#include "devices/pci/pci_root.h"
#include "devices/pci/pcie_root_port.h"
#include "devices/virtio/virtio_device.h"
#include "devices/virtio/virtio_pci.h"
#include "machine/device_to_plug.h"
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
    IrqfdBus* irqfds = nullptr;
    DeviceBackends backends;
    /// The guest lets go of the device behind the port with this bus. On a vCPU's thread, which must not
    /// wait.
    std::function<void(std::uint8_t bus)> on_slot_power_off{};
    /// The guest opened or closed the console's port with this id. On the console's thread, which must not
    /// wait.
    std::function<void(std::string id, bool is_open)> on_port{};
  };
  /// Errors: a device without its back end, or at a bus that no port leads to.
  static Result<std::unique_ptr<VirtioDevices>> create(const DeviceConfigs& configs, Parts parts);
  ~VirtioDevices();
  VirtioDevices(const VirtioDevices&) = delete;
  VirtioDevices& operator=(const VirtioDevices&) = delete;

  // Hot-plug. One thread at a time, while vCPUs may run.
  /// Puts a device into the empty slot that its address names, and tells the guest. Errors: a slot that is
  /// taken, is not for hot-plug, or is none.
  Result<> plug(const DeviceToPlug& device);
  /// Asks the guest to let a device go; on_slot_power_off() is its consent. Errors: NotFound, a device that
  /// is in no slot for hot-plug.
  Result<> request_unplug(const std::string& id);
  /// Tells the guest's driver that the device's configuration is another one now. Errors: NotFound.
  Result<> configuration_changed(const std::string& id);
  /// Takes out what is behind the port: its id. No vCPU may run.
  std::string unplug(std::uint8_t bus);

 private:
  // `function` goes first: it stops `device`.
  struct Device {
    std::string id;
    PciAddress address;
    BlockBackend* disk;  ///< that uses parts_.memory, or nullptr
    std::unique_ptr<VirtioDevice> device;
    std::unique_ptr<VirtioPci> function;
  };
  explicit VirtioDevices(Parts parts) : parts_(std::move(parts)) {}
  Result<std::unique_ptr<VirtioDevice>> make(BlockBackend& disk) const;
  Result<std::unique_ptr<VirtioDevice>> make(NetworkBackendDevice& interface) const;
  Result<> add_all(const DeviceConfigs& configs);
  void add_root_port(const PciRootPortConfig& config);
  Result<> add_disk(const DiskConfig& config);
  Result<> add_scsi_controller(const ScsiControllerConfig& config, const std::vector<DiskConfig>& disks);
  Result<> add_interface(const NetworkInterfaceConfig& config);
  Result<> add_rng(const RngConfig& config);
  Result<> add_console(const VirtioSerialConfig& config, const std::vector<ConsolePortConfig>& ports);
  Result<> add_vsock(const VsockConfig& config);
  Result<> add(const std::string& id, const PciAddress& address, std::unique_ptr<VirtioDevice> device,
               BlockBackend* disk = nullptr);
  std::unique_ptr<VirtioPci> make_function(const std::string& id, PciExpressPlace place,
                                           VirtioDevice& device);
  Result<PcieRootPort*> hot_plug_port(const std::string& id, const PciAddress& address) const;
  Result<PcieRootPort*> empty_port(const std::string& id, const PciAddress& address) const;
  static void leave_memory(BlockBackend* disk);

  const Parts parts_;
  std::map<std::uint8_t, PcieRootPort*> ports_by_bus_;
  std::vector<std::unique_ptr<PcieRootPort>> ports_;
  std::vector<Device> devices_;
};

}  // namespace virttdx
