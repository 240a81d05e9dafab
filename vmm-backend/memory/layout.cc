// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/layout.h"

#include <algorithm>

#include "vmm_backend/memory_limits.h"

namespace virttdx {
namespace {

constexpr std::uint64_t kMebibyte = 1ULL << 20;
constexpr std::uint64_t kGibibyte = 1ULL << 30;
constexpr std::uint64_t kFourGibibytes = 4 * kGibibyte;

constexpr std::uint64_t kSplitFrom = 0xB0000000;
constexpr std::uint64_t kLowRamWhenSplit = 0x80000000;
constexpr std::uint64_t kChipsetBase = 0xFEC00000;
constexpr std::uint64_t kChipsetEnd = 0xFEF00000;
// Where firmware places its window of BARs differs: OVMF 2022.11 right behind RAM, aligned to its 32 GiB;
// later ones at the top of the address space, of which they use no more than 46 bits.
constexpr std::uint64_t kPciHole64End = 1ULL << 46;

constexpr std::uint64_t kFirmwareMaximum = 16 * kMebibyte;

GpaRange range(std::uint64_t base, std::uint64_t end) {
  const auto result = GpaRange::create({base}, end - base);
  CHECK(end >= base && result);
  return *result;
}

std::uint64_t aligned_to_gibibyte(std::uint64_t address) {
  return (address + kGibibyte - 1) / kGibibyte * kGibibyte;
}

Result<> check_sizes(std::uint64_t ram_bytes, std::uint64_t firmware_bytes) {
  if (ram_bytes % kRamUnit != 0 || ram_bytes < kRamMinimum || ram_bytes > kRamMaximum)
    return fail(Error::Code::InvalidArgument, "memory of {} bytes is not a multiple of 2 MiB from {}",
                ram_bytes, kRamLimits);
  if (firmware_bytes % kPageSize != 0 || firmware_bytes == 0 || firmware_bytes > kFirmwareMaximum)
    return fail(Error::Code::InvalidArgument, "firmware of {} bytes is not a multiple of 4 KiB up to 16 MiB",
                firmware_bytes);
  return {};
}

}  // namespace

Result<MemoryLayout> memory_layout(std::uint64_t ram_bytes, std::uint64_t firmware_bytes) {
  TRY(check_sizes(ram_bytes, firmware_bytes));
  const std::uint64_t low = ram_bytes >= kSplitFrom ? kLowRamWhenSplit : ram_bytes;
  const std::uint64_t ram_end = low == ram_bytes ? kFourGibibytes : kFourGibibytes + ram_bytes - low;
  MemoryLayout layout;
  layout.ram.push_back(range(0, low));
  if (low != ram_bytes) layout.ram.push_back(range(kFourGibibytes, ram_end));
  layout.pci_hole = range(low, kChipsetBase);
  layout.chipset = range(kChipsetBase, kChipsetEnd);
  layout.firmware = range(kFourGibibytes - firmware_bytes, kFourGibibytes);
  const std::uint64_t hole = aligned_to_gibibyte(ram_end);
  layout.pci_hole_64 = range(hole, kPciHole64End);
  return layout;
}

std::vector<std::vector<GpaRange>> split_ram(const MemoryLayout& layout,
                                             std::span<const std::uint64_t> sizes) {
  std::vector<std::vector<GpaRange>> nodes;
  auto piece = layout.ram.begin();
  std::uint64_t used = 0;  // of *piece
  for (std::uint64_t left : sizes) {
    auto& node = nodes.emplace_back();
    while (left != 0) {
      CHECK(piece != layout.ram.end());
      const std::uint64_t taken = std::min(left, piece->size() - used);
      node.push_back(range(piece->base().value + used, piece->base().value + used + taken));
      left -= taken;
      used += taken;
      if (used == piece->size()) {
        ++piece;
        used = 0;
      }
    }
  }
  return nodes;
}

}  // namespace virttdx
