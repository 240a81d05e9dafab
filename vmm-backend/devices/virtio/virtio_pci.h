// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bus/doorbell.h"
#include "bus/irqfd.h"
#include "devices/pci/pci_endpoint.h"
#include "devices/virtio/virtio_common_config.h"

namespace virttdx {

/// What a virtio PCI function needs of the machine. References outlive it.
struct VirtioPciParts {
  std::string name;  ///< for messages
  PciExpressPlace place = PciExpressPlace::RootComplex;
  MmioBus& mmio;
  DmaMemory& memory;
  MsiSink interrupts;
  DoorbellBus* doorbells = nullptr;  ///< nullptr: every notification is an exit
  IrqfdBus* irqfds = nullptr;        ///< nullptr: the device reads what its queues' callers tell
};

/// A virtio device as a PCI function: one BAR of 64 bits with common, ISR, device and notification
/// structures, an MSI-X vector for each queue and one for the configuration. Modern interface only. Accessed
/// under PciRoot's lock; its regions and device: any thread. Not emulated: INTx (a TD has no level
/// interrupts), legacy interface, shared memory regions.
class VirtioPci final : public PciEndpoint {
 public:
  /// `device` outlives it.
  VirtioPci(VirtioDevice& device, const VirtioPciParts& parts);
  ~VirtioPci() override;

  /// Tells the driver that the device's configuration is another one. Any thread.
  void configuration_changed() { common_.configuration_changed(); }

 protected:
  void written(std::size_t offset, std::size_t size) override;
  void reading(std::size_t offset, std::size_t size) override;
  void bar_moved(unsigned index, std::optional<Gpa> place) override;

 private:
  /// The BAR with the structures.
  struct Structures final : BusRegion {
    explicit Structures(VirtioPci& owner) : owner_(owner) {}
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t offset, std::span<const std::byte> data) override;
    VirtioPci& owner_;
  };
  void add_structures();
  std::size_t add_structure(std::uint8_t type, std::size_t capability_size, std::uint32_t offset,
                            std::uint32_t size);
  void raise_vector(std::uint16_t vector, std::uint8_t isr);
  void notify(std::uint64_t offset);
  void connect_doorbells(Gpa bar);
  void disconnect_doorbells();
  /// Connects the calls of the device's queues to the messages of their vectors.
  void route_calls();
  void route_call(std::size_t queue, const std::optional<MsiMessage>& message);
  std::span<std::byte> access_window(std::array<std::byte, 4>& buffer) const;
  std::uint64_t access_offset() const;
  std::uint64_t bar_size() const;

  VirtioDevice& device_;
  DoorbellBus* const doorbells_;
  Msix msix_;
  VirtioCommonConfig common_;
  Structures structures_{*this};
  std::atomic<std::uint8_t> isr_ = 0;
  std::size_t access_capability_ = 0;
  std::optional<Gpa> doorbell_bar_;  ///< where the doorbells are connected
  IrqfdBus* const irqfds_;
  std::mutex calls_mutex_;
  std::vector<std::optional<MsiMessage>> call_messages_;  ///< by queue: what it is connected to
};

}  // namespace virttdx
