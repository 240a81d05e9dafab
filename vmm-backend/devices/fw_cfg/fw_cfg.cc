// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/fw_cfg/fw_cfg.h"

#include <algorithm>
#include <array>

#include "devices/fw_cfg/fw_cfg_spec.h"
#include "support/byte_order.h"
#include "support/log.h"

namespace virttdx {

using namespace fw_cfg_spec;

namespace {

std::uint32_t load_be32(std::span<const std::byte> bytes, std::size_t offset) {
  return __builtin_bswap32(load_le<std::uint32_t>(bytes, offset));
}

}  // namespace

std::vector<std::byte>& FwCfg::file(std::string_view name) {
  const std::vector<std::byte>& directory = items_.at(kFileDirectory);
  std::array<std::byte, kFileNameSize> wanted{};
  std::ranges::copy(std::as_bytes(std::span(name)), wanted.begin());
  std::size_t entry = kDirectoryHeaderSize;
  while (!std::ranges::equal(std::span(directory).subspan(entry + kFileNameOffset, kFileNameSize), wanted))
    entry += kFileEntrySize;
  return items_.at(__builtin_bswap16(load_le<std::uint16_t>(directory, entry + kFileKeyOffset)));
}

void FwCfg::replace_file(std::string_view name, std::span<const std::byte> content) {
  CHECK(name.size() < kFileNameSize);
  const std::lock_guard lock(mutex_);
  std::vector<std::byte>& present = file(name);
  CHECK(present.size() == content.size());
  std::ranges::copy(content, present.begin());
}

void FwCfg::read(std::uint64_t offset, std::span<std::byte> data) {
  std::fill(data.begin(), data.end(), std::byte{0});
  const std::lock_guard lock(mutex_);
  if (offset == kData) return take(data);
  if (offset < kDmaAddress) return;
  for (std::byte& byte : data)
    byte = static_cast<std::byte>(kDmaSignature >> (8 * (7 - (offset++ - kDmaAddress))));
}

void FwCfg::write(std::uint64_t offset, std::span<const std::byte> data) {
  const std::lock_guard lock(mutex_);
  if (offset == kSelector && data.size() == 2) select(load_le<std::uint16_t>(data, 0));
  if (offset >= kDmaAddress) write_dma_address(offset - kDmaAddress, data);
}

void FwCfg::select(std::uint16_t key) {
  const auto item = items_.find(key & kKeyMask);
  const auto view = views_.find(key & kKeyMask);
  selected_ = {};
  if (item != items_.end()) selected_ = item->second;
  if (view != views_.end()) selected_ = view->second;
  position_ = 0;
}

void FwCfg::take(std::span<std::byte> data) {
  const std::uint64_t size = selected_.size();
  const std::uint64_t available =
      position_ < size ? std::min<std::uint64_t>(size - position_, data.size()) : 0;
  if (available > 0)
    std::copy_n(selected_.begin() + static_cast<std::ptrdiff_t>(position_), available, data.begin());
  std::fill(data.begin() + static_cast<std::ptrdiff_t>(available), data.end(), std::byte{0});
  position_ += data.size();
}

void FwCfg::write_dma_address(std::uint64_t offset, std::span<const std::byte> data) {
  if (data.size() != 4) return;
  if (offset == 0) dma_address_high_ = load_be32(data, 0);
  if (offset != 4) return;
  const Gpa descriptor{std::uint64_t{dma_address_high_} << 32 | load_be32(data, 0)};
  dma_address_high_ = 0;
  run_descriptor(descriptor);
}

void FwCfg::run_descriptor(Gpa descriptor) {
  std::array<std::byte, kDescriptorSize> bytes{};
  if (!memory_.read(descriptor, bytes)) {
    log::debug("fw_cfg: DMA descriptor at {:#x} is not in shared memory", descriptor.value);
    return;
  }
  const std::uint32_t control = load_be32(bytes, 0);
  if ((control & kDmaSelect) != 0) select(static_cast<std::uint16_t>(control >> 16));
  const Gpa address{std::uint64_t{load_be32(bytes, 8)} << 32 | load_be32(bytes, 12)};
  const bool done = transfer(control, load_be32(bytes, 4), address);
  std::array<std::byte, 4> answer{};
  store_le(std::span(answer), 0, __builtin_bswap32(done ? 0 : kDmaError));
  memory_.write(descriptor, answer);
}

// As the specification orders them: read before write before skip.
bool FwCfg::transfer(std::uint32_t control, std::uint32_t length, Gpa address) {
  if ((control & (kDmaRead | kDmaWrite)) == 0) {
    if ((control & kDmaSkip) != 0) position_ += length;
    return true;
  }
  if ((control & kDmaRead) == 0) return false;
  std::array<std::byte, kPageSize> chunk;
  for (std::uint32_t done = 0; done < length;) {
    const std::span<std::byte> part(chunk.data(), std::min<std::size_t>(chunk.size(), length - done));
    const auto target = address.checked_add(done);
    take(part);
    if (!target || !memory_.write(*target, part)) return false;
    done += static_cast<std::uint32_t>(part.size());
  }
  return true;
}

}  // namespace virttdx
