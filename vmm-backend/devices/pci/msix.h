// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "bus/bus.h"
#include "bus/interrupt_line.h"
#include "devices/pci/pci_spec.h"

namespace virttdx {

/// A function's MSI-X vectors: the region of its BAR (table first, pending bits in the second half) and their
/// delivery. Any thread.
class Msix final : public BusRegion {
 public:
  /// `vectors`: 1 to 2048. `sink` is called under this object's lock. `changed` is called after what
  /// message() answers may have changed, on the thread of the change and without the lock.
  Msix(unsigned vectors, MsiSink sink, std::function<void()> changed = nullptr);

  unsigned vectors() const { return static_cast<unsigned>(entries_.size()); }
  /// Bytes of the region: a power of two of at least 4096.
  std::uint64_t region_size() const { return 2 * pending_offset(); }
  std::uint64_t pending_offset() const;

  /// Message Control's enable and function mask, and the command register's bus master bit. What became
  /// deliverable is delivered.
  void configure(bool enabled, bool function_masked);
  /// Sends vector `vector`, or keeps it pending while it is masked. Nothing while MSI-X is disabled, or
  /// without such a vector.
  void raise(unsigned vector);
  /// What raising the vector would send now: nothing while it is masked, while MSI-X is disabled, or
  /// without such a vector.
  std::optional<MsiMessage> message(unsigned vector);

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

 private:
  struct Entry {
    std::uint64_t address = 0;
    std::uint32_t data = 0;
    std::uint32_t control = pci_spec::kMsixEntryMasked;
    bool pending = false;
  };
  // Under mutex_.
  bool is_masked(const Entry& entry) const;
  void send(Entry& entry);
  void send_pending();
  std::uint32_t read_dword(std::uint64_t offset) const;
  std::uint32_t pending_dword(std::uint64_t first_vector) const;
  void write_dword(std::uint64_t offset, std::uint32_t value);

  const MsiSink sink_;
  const std::function<void()> changed_;
  std::mutex mutex_;
  std::vector<Entry> entries_;    ///< guarded by mutex_
  bool enabled_ = false;          ///< guarded by mutex_
  bool function_masked_ = false;  ///< guarded by mutex_
};

}  // namespace virttdx
