// SPDX-License-Identifier: GPL-2.0-or-later
// The guest's two address spaces of devices: I/O ports and memory-mapped I/O.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx {

/// What answers for a range of addresses. A device with several ranges has one region for each.
/// Called by vCPU threads, several at once: an implementation takes its device's lock itself.
class BusRegion {
 public:
  virtual ~BusRegion() = default;
  /// Fills `data` (1 to 8 bytes) from `offset` bytes behind the range's base. The access lies inside the
  /// range; the guest chooses size and alignment.
  virtual void read(std::uint64_t offset, std::span<std::byte> data) = 0;
  virtual void write(std::uint64_t offset, std::span<const std::byte> data) = 0;
};

/// A region of byte-wide registers: wider accesses are split, lowest address first.
class ByteRegion : public BusRegion {
 public:
  void read(std::uint64_t offset, std::span<std::byte> data) final;
  void write(std::uint64_t offset, std::span<const std::byte> data) final;

 protected:
  virtual std::uint8_t read_byte(std::uint64_t offset) = 0;
  virtual void write_byte(std::uint64_t offset, std::uint8_t value) = 0;
};

/// Non-overlapping ranges, each answered by a region. Thread-safe. No lock is held while a region runs, so a
/// region may add and remove ranges; a region must outlive the threads that access the bus.
class AddressBus {
 public:
  AddressBus(const AddressBus&) = delete;
  AddressBus& operator=(const AddressBus&) = delete;

  /// Claims [base, base + size). Errors: InvalidArgument (empty, or beyond the address space), AlreadyExists
  /// (overlap, naming both owners). `name` is for messages.
  Result<> add(std::uint64_t base, std::uint64_t size, std::string_view name, BusRegion& region);
  /// Gives up every range of `region`.
  void remove(const BusRegion& region);

  /// An access that is not wholly inside one range is unclaimed: reads give all ones, writes are dropped;
  /// counted, and logged with priority debug. `data` holds 1 to 8 bytes.
  void read(std::uint64_t address, std::span<std::byte> data);
  void write(std::uint64_t address, std::span<const std::byte> data);

  std::uint64_t unclaimed_reads() const { return unclaimed_reads_; }
  std::uint64_t unclaimed_writes() const { return unclaimed_writes_; }

 protected:
  /// `last` is the highest address.
  AddressBus(std::string name, std::uint64_t last) : name_(std::move(name)), last_(last) {}
  ~AddressBus() = default;

 private:
  struct Claim {
    std::uint64_t base;
    std::uint64_t size;
    std::string name;
    BusRegion* region;
  };
  struct Target {
    BusRegion* region;
    std::uint64_t offset;
  };
  Target find(std::uint64_t address, std::size_t size) const;

  const std::string name_;
  const std::uint64_t last_;
  mutable std::shared_mutex mutex_;
  std::vector<Claim> claims_;  ///< sorted by base; guarded by mutex_
  std::atomic<std::uint64_t> unclaimed_reads_ = 0;
  std::atomic<std::uint64_t> unclaimed_writes_ = 0;
};

/// I/O ports 0 to 0xFFFF.
class PortBus final : public AddressBus {
 public:
  PortBus() : AddressBus("port", 0xFFFF) {}
};

/// Guest-physical addresses, without the SHARED bit.
class MmioBus final : public AddressBus {
 public:
  MmioBus() : AddressBus("MMIO", (1ULL << 52) - 1) {}
};

}  // namespace virttdx
