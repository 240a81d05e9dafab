// SPDX-License-Identifier: GPL-2.0-or-later
#include "kvm/kvm_statistics.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "kvm/statistics_spec.h"

namespace virttdx {
namespace {

/// Far above what any KVM has.
constexpr std::uint32_t kNameSizeMaximum = 256, kDescriptorsMaximum = 4096, kDataSizeMaximum = 1 << 20;

Result<> read_at(const KernelFd& fd, std::uint64_t offset, std::span<std::byte> to) {
  const int count = TRY(checked(fd.kernel().pread(fd.get(), to.data(), to.size(), offset),
                                "Cannot read KVM's statistics at {}", offset));
  if (static_cast<std::size_t>(count) != to.size())
    return fail(Error::Code::InvalidData, "KVM's statistics end at {} instead of {}",
                offset + static_cast<std::size_t>(count), offset + to.size());
  return {};
}

std::optional<StatisticKind> kind_of(const kvm::kvm_stats_desc& descriptor) {
  if (descriptor.size != 1) return std::nullopt;
  switch (descriptor.flags & kvm::KVM_STATS_TYPE_MASK) {
    case kvm::KVM_STATS_TYPE_CUMULATIVE:
      return StatisticKind::Sum;
    case kvm::KVM_STATS_TYPE_INSTANT:
      return StatisticKind::Current;
    case kvm::KVM_STATS_TYPE_PEAK:
      return StatisticKind::Peak;
    default:
      return std::nullopt;
  }
}

std::string name_in(std::span<const std::byte> bytes) {
  const auto end = std::ranges::find(bytes, std::byte{0});
  std::string name;
  for (auto letter = bytes.begin(); letter != end; ++letter) name.push_back(static_cast<char>(*letter));
  return name;
}

}  // namespace

Result<KvmStatistics> KvmStatistics::open(KernelFd fd) {
  kvm::kvm_stats_header header{};
  TRY(read_at(fd, 0, std::as_writable_bytes(std::span(&header, 1))));
  if (header.name_size > kNameSizeMaximum || header.num_desc > kDescriptorsMaximum)
    return fail(Error::Code::InvalidData, "KVM's statistics have {} descriptors with names of {} bytes",
                header.num_desc, header.name_size);
  const std::size_t stride = sizeof(kvm::kvm_stats_desc) + header.name_size;
  std::vector<std::byte> table(stride * header.num_desc);
  TRY(read_at(fd, header.desc_offset, table));
  KvmStatistics statistics(std::move(fd), header.data_offset);
  for (std::size_t at = 0; at < table.size(); at += stride) {
    kvm::kvm_stats_desc descriptor{};
    std::memcpy(&descriptor, &table[at], sizeof(descriptor));
    const auto kind = kind_of(descriptor);
    if (!kind || descriptor.offset > kDataSizeMaximum) continue;
    const bool is_boolean = (descriptor.flags & kvm::KVM_STATS_UNIT_MASK) == kvm::KVM_STATS_UNIT_BOOLEAN;
    const auto name = std::span(table).subspan(at + sizeof(descriptor), header.name_size);
    statistics.columns_.push_back({name_in(name), *kind, is_boolean});
    statistics.offsets_.push_back(descriptor.offset);
    statistics.data_size_ = std::max(statistics.data_size_, descriptor.offset + sizeof(std::uint64_t));
  }
  return statistics;
}

Result<std::vector<std::uint64_t>> KvmStatistics::read() const {
  std::vector<std::byte> data(data_size_);
  TRY(read_at(fd_, data_offset_, data));
  std::vector<std::uint64_t> values(offsets_.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    std::memcpy(&values[i], &data[offsets_[i]], sizeof(std::uint64_t));
  return values;
}

}  // namespace virttdx
