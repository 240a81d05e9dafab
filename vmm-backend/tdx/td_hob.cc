// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_hob.h"

#include <algorithm>
#include <cstdint>

#include "support/byte_order.h"
#include "tdx/td_hob_spec.h"

namespace virttdx {
namespace {

using namespace tdx::hob;

class HobList {
 public:
  void append(std::uint16_t type, std::uint16_t size) {
    current_ = bytes_.size();
    bytes_.resize(current_ + size);
    set(kType, type);
    set(kLength, size);
  }
  template <typename T>
  void set(std::size_t field, T value) {
    store_le(std::span(bytes_), current_ + field, value);
  }
  /// The next set() calls go to the first HOB again.
  void rewind() { current_ = 0; }
  std::size_t size() const { return bytes_.size(); }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
  std::size_t current_ = 0;
};

void append_resource(HobList& list, std::uint32_t kind, std::uint64_t start, std::uint64_t end) {
  if (start == end) return;
  list.append(kResourceType, kResourceSize);
  list.set(kResourceKind, kind);
  list.set(kResourceAttributes, kPresentInitializedTested);
  list.set(kPhysicalStart, start);
  list.set(kResourceLength, end - start);
}

std::vector<GpaRange> sorted(std::span<const GpaRange> ranges) {
  std::vector<GpaRange> copy(ranges.begin(), ranges.end());
  std::ranges::sort(copy, {}, &GpaRange::base);
  return copy;
}

void append_ram(HobList& list, const GpaRange& ram, std::span<const GpaRange> added) {
  std::uint64_t position = ram.base().value;
  for (const GpaRange& range : added) {
    if (!ram.contains(range)) continue;
    append_resource(list, kUnacceptedMemory, position, range.base().value);
    append_resource(list, kSystemMemory, range.base().value, range.end().value);
    position = range.end().value;
  }
  append_resource(list, kUnacceptedMemory, position, ram.end().value);
}

}  // namespace

Result<std::vector<std::byte>> build_td_hob(const GpaRange& hob_memory, std::span<const GpaRange> ram,
                                            std::span<const GpaRange> added) {
  HobList list;
  list.append(kHandoffType, kHandoffSize);
  list.set(kVersion, kHandoffVersion);
  const auto added_in_order = sorted(added);
  for (const GpaRange& range : sorted(ram)) append_ram(list, range, added_in_order);
  list.append(kEndType, kEndSize);
  list.rewind();
  list.set(kEndOfHobList, hob_memory.base().value + list.size());
  if (list.size() > hob_memory.size())
    return fail(Error::Code::NoSpace,
                "TD HOB of {} bytes does not fit into the firmware's section of {} bytes at {:#x}",
                list.size(), hob_memory.size(), hob_memory.base().value);
  return list.take();
}

Result<std::vector<std::byte>> build_td_hob(const Tdvf& tdvf, const MemoryLayout& layout) {
  std::vector<GpaRange> added;
  for (const TdvfSection& section : tdvf.sections) added.push_back(section.memory);
  return build_td_hob(tdvf.td_hob().memory, layout.ram, added);
}

}  // namespace virttdx
