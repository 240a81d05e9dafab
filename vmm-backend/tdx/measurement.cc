// SPDX-License-Identifier: GPL-2.0-or-later
// The pages of a launch and the MRTD that they give.
#include <algorithm>
#include <array>

#include "support/byte_order.h"
#include "tdx/sha384.h"
#include "vmm_backend/tdvf.h"

namespace virttdx {
namespace {

constexpr std::size_t kBlockSize = 128;
constexpr std::size_t kChunkSize = 256;
constexpr std::size_t kBlockGpa = 16;

using Block = std::array<std::byte, kBlockSize>;

Block block(std::string_view operation, std::uint64_t gpa) {
  Block bytes{};
  std::ranges::transform(operation, bytes.begin(),
                         [](char letter) { return static_cast<std::byte>(letter); });
  store_le(std::span(bytes), kBlockGpa, gpa);
  return bytes;
}

void add_measured_page(Sha384& hash, std::uint64_t gpa, std::span<const std::byte> page) {
  for (std::size_t offset = 0; offset < kPageSize; offset += kChunkSize) {
    hash.add(block("MR.EXTEND", gpa + offset));
    hash.add(page.subspan(offset, kChunkSize));
  }
}

/// The page at `offset` of a range, zeros behind its content.
std::array<std::byte, kPageSize> page_of(const TdPageRange& range, std::uint64_t offset) {
  std::array<std::byte, kPageSize> page{};
  const auto rest = range.content.subspan(std::min<std::size_t>(offset, range.content.size()));
  std::ranges::copy(rest.first(std::min(rest.size(), page.size())), page.begin());
  return page;
}

void add_range(Sha384& hash, const TdPageRange& range, MrtdOrder order) {
  const std::uint64_t base = range.memory.base().value;
  const auto for_each_page = [&](const auto& action) {
    for (std::uint64_t offset = 0; offset < range.memory.size(); offset += kPageSize) action(offset);
  };
  const auto extend = [&](std::uint64_t offset) {
    if (range.measured) add_measured_page(hash, base + offset, page_of(range, offset));
  };
  for_each_page([&](std::uint64_t offset) {
    hash.add(block("MEM.PAGE.ADD", base + offset));
    if (order == MrtdOrder::SinglePass) extend(offset);
  });
  if (order == MrtdOrder::TwoPass) for_each_page(extend);
}

}  // namespace

std::vector<TdPageRange> td_page_list(const Tdvf& tdvf, std::span<const std::byte> hob) {
  std::vector<TdPageRange> pages;
  for (const TdvfSection& section : tdvf.sections) {
    TdPageRange range{section.memory, section.measured, {}};
    if (section.type == TdvfSectionType::TdHob) range.content = hob;
    if (section.raw_size != 0)
      range.content = std::span(tdvf.image).subspan(section.data_offset, section.raw_size);
    pages.push_back(range);
  }
  return pages;
}

Result<Measurement> predict_mrtd(std::span<const TdPageRange> pages, MrtdOrder order) {
  Sha384 hash;
  for (const TdPageRange& range : pages) {
    if (!range.memory.is_page_aligned() || range.content.size() > range.memory.size())
      return fail(
          Error::Code::InvalidArgument,
          "predict MRTD: page range {:#x}+{:#x} with {:#x} bytes of content is not a range of whole pages",
          range.memory.base().value, range.memory.size(), range.content.size());
    add_range(hash, range, order);
  }
  return hash.finish();
}

}  // namespace virttdx
