// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "bus/bus.h"
#include "bus/dma.h"

namespace virttdx {

/// What fw_cfg hands out: key to bytes.
using FwCfgItems = std::map<std::uint16_t, std::vector<std::byte>>;
/// The same for large content that lives elsewhere and outlives the device.
using FwCfgViews = std::map<std::uint16_t, std::span<const std::byte>>;

/// The fw_cfg device at ports 0x510 to 0x51B: selector, data and DMA interface. Absent items and bytes behind
/// an item's end read 0. Any thread. Not emulated: writes to items (DMA writes answer with the error bit).
class FwCfg final : public BusRegion {
 public:
  /// A key is in one of the two.
  FwCfg(FwCfgItems items, FwCfgViews views, DmaMemory& memory)
      : views_(std::move(views)), memory_(memory), items_(std::move(items)) {}

  /// Gives a file of the directory other content of the same size. CHECKs that it is there and has that size.
  void replace_file(std::string_view name, std::span<const std::byte> content);

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

 private:
  // Under mutex_.
  std::vector<std::byte>& file(std::string_view name);
  void select(std::uint16_t key);
  void take(std::span<std::byte> data);
  void write_dma_address(std::uint64_t offset, std::span<const std::byte> data);
  void run_descriptor(Gpa descriptor);
  bool transfer(std::uint32_t control, std::uint32_t length, Gpa address);

  const FwCfgViews views_;
  DmaMemory& memory_;
  std::mutex mutex_;
  FwCfgItems items_;  ///< guarded by mutex_; no item comes or goes
  std::span<const std::byte> selected_;
  std::uint64_t position_ = 0;
  std::uint32_t dma_address_high_ = 0;
};

}  // namespace virttdx
