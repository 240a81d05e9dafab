// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>

#include "bus/bus.h"
#include "devices/pci/pci_function.h"
#include "vmm_backend/gpa.h"

namespace virttdx {

/// PCI segment 0: finds the function that a configuration access names, on bus 0 or behind one of its
/// bridges, by ports 0xCF8/0xCFC and by the memory-mapped window. Absent functions read all ones. Any thread;
/// functions run under one lock. Not emulated: bridges behind bridges, special cycles, master aborts in
/// status registers.
class PciRoot final {
 public:
  /// `byte_1` answers byte accesses to port 0xCF9, which lies inside the 32-bit register at 0xCF8.
  PciRoot(MmioBus& mmio, BusRegion& byte_1) : mmio_(mmio), ports_(*this, byte_1) {}

  /// Before any access. The function must outlive this object's use. CHECKs that the place is free.
  void add(unsigned device, unsigned function, PciFunction& pci_function);

  /// Runs `change` on functions while no access to configuration space is under way.
  template <typename Change>
  void while_quiet(Change change) {
    const std::lock_guard lock(mutex_);
    change();
  }

  /// Ports 0xCF8 to 0xCFF.
  BusRegion& ports() { return ports_; }

  /// Moves the memory-mapped window (bus 0 first, 1 MiB a bus), or takes it away. A place that is taken by
  /// another device leaves no window; the log says so with priority debug (guests must not be able to fill a
  /// log).
  void place_window(const std::optional<GpaRange>& window);

 private:
  struct Ports final : BusRegion {
    Ports(PciRoot& root, BusRegion& byte_1) : root_(root), byte_1_(byte_1) {}
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t offset, std::span<const std::byte> data) override;
    PciRoot& root_;
    BusRegion& byte_1_;
    std::uint32_t address_ = 0;  ///< guarded by root_.mutex_
  };
  struct Window final : BusRegion {
    explicit Window(PciRoot& root) : root_(root) {}
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t offset, std::span<const std::byte> data) override;
    PciRoot& root_;
  };
  // Under mutex_. `function` counts over buses, devices and functions.
  PciFunction* find(std::size_t function) const;
  void read(std::size_t function, std::size_t offset, std::span<std::byte> data) const;
  void write(std::size_t function, std::size_t offset, std::span<const std::byte> data) const;

  MmioBus& mmio_;
  std::mutex mutex_;
  std::array<PciFunction*, pci_spec::kFunctionsABus> functions_{};  ///< guarded by mutex_
  Ports ports_;
  Window window_{*this};
};

}  // namespace virttdx
