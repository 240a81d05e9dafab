// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/td_hob_reader.h"

#include <algorithm>
#include <array>

#include "memory/layout.h"
#include "support/byte_order.h"
#include "tdx/sha384.h"
#include "tdx/td_hob.h"
#include "tdx/td_hob_spec.h"

namespace virttdx {
namespace {

using namespace tdx::hob;
using Bytes = std::span<const std::byte>;

struct Kind {
  std::uint16_t type;
  std::string_view name;
  std::uint16_t size;  ///< 0: any
};
/// The blocks that a TDVF takes; it stops at others, memory allocations (2) among them.
constexpr std::array kKinds = {
    Kind{kHandoffType, "hand-off", kHandoffSize},
    Kind{kResourceType, "resource descriptor", kResourceSize},
    Kind{4, "GUID extension", 0},
    Kind{5, "firmware volume", 24},
    Kind{6, "CPU", 16},
    Kind{9, "firmware volume 2", 56},
    Kind{12, "firmware volume 3", 64},
    Kind{kEndType, "end of list", kEndSize},
};

/// EFI_BOOT_MODE (PI Specification 1.8, volume 1, "Boot Mode").
constexpr std::array<std::uint32_t, 12> kBootModes = {0, 1, 2, 3, 4, 5, 6, 7, 0x10, 0x11, 0x12, 0x20};

struct Block {
  std::size_t number = 0;
  std::size_t offset = 0;
  std::uint16_t type = 0;
  Bytes bytes;

  template <typename... Args>
  tl::unexpected<Error> wrong(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(Error::Code::InvalidData, "TD HOB: block {} at {:#x}: {}", number, offset,
                fmt::format(format, std::forward<Args>(args)...));
  }
};

Result<Block> block_at(Bytes list, std::size_t number, std::size_t offset) {
  const auto rest = list.subspan(offset);
  Block block{number, offset, 0, rest};
  if (rest.size() < kHeaderSize)
    return block.wrong("{} bytes are left for a header of {}: the list has no end-of-list block", rest.size(),
                       kHeaderSize);
  const auto size = load_le<std::uint16_t>(rest, kLength);
  if (size < kHeaderSize || size % 8 != 0 || size > rest.size())
    return block.wrong("HobLength is {}; a multiple of 8, from 8 to the {} bytes left, is expected", size,
                       rest.size());
  if (const auto reserved = load_le<std::uint32_t>(rest, kReserved); reserved != 0)
    return block.wrong("Reserved is {:#x} instead of 0", reserved);
  block.type = load_le<std::uint16_t>(rest, kType);
  block.bytes = rest.first(size);
  return block;
}

Result<Kind> kind_of(const Block& block) {
  const auto* const kind = std::ranges::find(kKinds, block.type, &Kind::type);
  if (kind == kKinds.end())
    return block.wrong("HobType {:#x} is none that a TDVF takes; it stops there", block.type);
  if (kind->size != 0 && block.bytes.size() != kind->size)
    return block.wrong("a {} block has {} bytes, this one {}", kind->name, kind->size, block.bytes.size());
  return *kind;
}

Result<> read_handoff(const Block& block, TdHob& hob) {
  if (const auto version = load_le<std::uint32_t>(block.bytes, kVersion); version != kHandoffVersion)
    return block.wrong("Version is {} instead of {}", version, kHandoffVersion);
  hob.boot_mode = load_le<std::uint32_t>(block.bytes, kBootMode);
  if (std::ranges::find(kBootModes, hob.boot_mode) == kBootModes.end())
    return block.wrong("BootMode {:#x} is not defined", hob.boot_mode);
  if (const auto top = load_le<std::uint64_t>(block.bytes, kFreeMemoryTop); top % kPageSize != 0)
    return block.wrong("EfiFreeMemoryTop {:#x} is not a multiple of 4 KiB", top);
  hob.end_of_list = {load_le<std::uint64_t>(block.bytes, kEndOfHobList)};
  return {};
}

Result<TdHobResource> read_resource(const Block& block) {
  const auto type = load_le<std::uint32_t>(block.bytes, kResourceKind);
  if (type > kUnacceptedMemory) return block.wrong("ResourceType {:#x} is not defined", type);
  const auto attributes = load_le<std::uint32_t>(block.bytes, kResourceAttributes);
  if ((attributes & ~kResourceAttributeMask) != 0)
    return block.wrong("ResourceAttribute {:#x} has bits outside of {:#x}", attributes,
                       kResourceAttributeMask);
  const auto start = load_le<std::uint64_t>(block.bytes, kPhysicalStart);
  const auto length = load_le<std::uint64_t>(block.bytes, kResourceLength);
  const auto range = GpaRange::create({start}, length);
  if (!range) return block.wrong("ResourceLength {:#x} from {:#x} on goes beyond 64 bits", length, start);
  if (type == kUnacceptedMemory && !range->is_page_aligned())
    return block.wrong(
        "unaccepted memory of {:#x} bytes at {:#x} is not whole pages, which alone can be accepted", length,
        start);
  return TdHobResource{static_cast<TdHobResourceType>(type), attributes, *range};
}

Result<> read_block(const Block& block, TdHob& hob) {
  const Kind kind = TRY(kind_of(block));
  if ((block.number == 0) != (block.type == kHandoffType))
    return block.wrong("a {} block: the first block, and no other, is the hand-off block", kind.name);
  if (block.type == kHandoffType) return read_handoff(block, hob);
  if (block.type == kResourceType) {
    hob.resources.push_back(TRY(read_resource(block)));
  } else if (block.type != kEndType) {
    hob.other_blocks.push_back({kind.name, static_cast<std::uint16_t>(block.bytes.size())});
  }
  return {};
}

bool is_memory(const TdHobResource& resource) {
  return resource.type != TdHobResourceType::Io && resource.type != TdHobResourceType::IoReserved;
}

Result<> check_overlaps(const std::vector<TdHobResource>& resources) {
  std::vector<GpaRange> ranges;
  for (const auto& resource : resources)
    if (is_memory(resource) && resource.range.size() != 0) ranges.push_back(resource.range);
  std::ranges::sort(ranges, {}, &GpaRange::base);
  const auto found = std::ranges::adjacent_find(
      ranges, [](const GpaRange& lower, const GpaRange& upper) { return lower.overlaps(upper); });
  if (found == ranges.end()) return {};
  const auto& upper = *std::next(found);
  return fail(Error::Code::InvalidData,
              "TD HOB: the resource of {:#x} bytes at {:#x} overlaps that of {:#x} bytes at {:#x}",
              found->size(), found->base().value, upper.size(), upper.base().value);
}

}  // namespace

std::string_view name_of(TdHobResourceType type) {
  constexpr std::array<std::string_view, 8> kNames = {
      "system memory",          "memory-mapped I/O", "I/O",          "firmware device",
      "memory-mapped I/O port", "reserved memory",   "reserved I/O", "unaccepted memory"};
  return kNames.at(static_cast<std::size_t>(type));
}

Result<TdHob> parse_td_hob(std::span<const std::byte> list) {
  TdHob hob;
  bool ended = false;
  for (std::size_t number = 0; !ended; ++number) {
    const Block block = TRY(block_at(list, number, hob.size));
    TRY(read_block(block, hob));
    hob.size += block.bytes.size();
    ended = block.type == kEndType;
  }
  TRY(check_overlaps(hob.resources));
  return hob;
}

Result<Measurement> td_hob_digest(std::span<const std::byte> list) {
  const TdHob hob = TRY(parse_td_hob(list));
  Sha384 hash;
  hash.add(list.first(hob.size - kEndSize));
  return hash.finish();
}

Result<std::vector<std::byte>> td_hob_of(const VmConfig& config, const Tdvf& tdvf) {
  const auto layout = TRY(memory_layout(config.memory_bytes, tdvf.image.size()));
  return build_td_hob(tdvf, layout);
}

}  // namespace virttdx
