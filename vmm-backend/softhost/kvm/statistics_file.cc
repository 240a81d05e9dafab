// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/statistics_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kvm/statistics_spec.h"
#include "softhost/kvm/vcpu.h"
#include "softhost/kvm/vm.h"

namespace virttdx::softhost {
namespace {

/// KVM_STATS_NAME_SIZE of Linux; the file's id has it too.
constexpr std::uint32_t kNameSize = 48;
constexpr std::int16_t kNanoseconds = -9;

struct Descriptor {
  const char* name;
  std::uint32_t flags = kvm::KVM_STATS_TYPE_CUMULATIVE | kvm::KVM_STATS_UNIT_NONE;
  std::int16_t exponent = 0;
};

struct VcpuRow {
  Descriptor descriptor;
  VcpuCounters::Counter VcpuCounters::*counter;
};
constexpr std::array kVcpuRows = {
    VcpuRow{{"exits"}, &VcpuCounters::exits},
    VcpuRow{{"io_exits"}, &VcpuCounters::io_exits},
    VcpuRow{{"mmio_exits"}, &VcpuCounters::mmio_exits},
    VcpuRow{{"halt_exits"}, &VcpuCounters::halt_exits},
    VcpuRow{{"hypercalls"}, &VcpuCounters::hypercalls},
    VcpuRow{{"signal_exits"}, &VcpuCounters::signal_exits},
    VcpuRow{{"nmi_injections"}, &VcpuCounters::nmi_injections},
    VcpuRow{{"pf_taken"}, &VcpuCounters::pf_taken},
    VcpuRow{{"pf_fixed"}, &VcpuCounters::pf_fixed},
    VcpuRow{{"halt_wait_ns", kvm::KVM_STATS_TYPE_CUMULATIVE | kvm::KVM_STATS_UNIT_SECONDS, kNanoseconds},
            &VcpuCounters::halt_wait_ns},
    VcpuRow{{"blocking", kvm::KVM_STATS_TYPE_INSTANT | kvm::KVM_STATS_UNIT_BOOLEAN},
            &VcpuCounters::blocking}};
constexpr std::array kVmRows = {Descriptor{"pages_4k", kvm::KVM_STATS_TYPE_INSTANT},
                                Descriptor{"pages_2m", kvm::KVM_STATS_TYPE_INSTANT}};

void append(std::vector<std::byte>& bytes, std::span<const std::byte> more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}
template <typename T>
void append(std::vector<std::byte>& bytes, const T& value) {
  append(bytes, std::as_bytes(std::span(&value, 1)));
}
void append_name(std::vector<std::byte>& bytes, std::string_view name) {
  std::array<char, kNameSize> padded{};
  name.copy(padded.data(), kNameSize - 1);
  append(bytes, padded);
}

// All of the file but the values, which come last.
std::vector<std::byte> head_of(std::string_view id, std::span<const Descriptor> descriptors) {
  constexpr std::uint32_t kDescriptors = sizeof(kvm::kvm_stats_header) + kNameSize;
  const auto count = static_cast<std::uint32_t>(descriptors.size());
  const auto data =
      kDescriptors + count * static_cast<std::uint32_t>(sizeof(kvm::kvm_stats_desc) + kNameSize);
  std::vector<std::byte> bytes;
  append(bytes,
         kvm::kvm_stats_header{0, kNameSize, count, sizeof(kvm::kvm_stats_header), kDescriptors, data});
  append_name(bytes, id);
  std::uint32_t offset = 0;
  for (const Descriptor& descriptor : descriptors) {
    append(bytes, kvm::kvm_stats_desc{descriptor.flags, descriptor.exponent, 1, offset, 0});
    append_name(bytes, descriptor.name);
    offset += sizeof(std::uint64_t);
  }
  return bytes;
}

class StatisticsFile final : public File {
 public:
  using Values = std::function<std::vector<std::uint64_t>()>;
  StatisticsFile(std::vector<std::byte> head, Values values)
      : head_(std::move(head)), values_(std::move(values)) {}

  int ioctl(unsigned long /*request*/, std::uintptr_t /*argument*/) override { return -ENOTTY; }
  int pread(std::span<std::byte> to, std::uint64_t offset) override {
    std::vector<std::byte> bytes = head_;
    const auto values = values_();
    append(bytes, std::as_bytes(std::span(values)));
    if (offset >= bytes.size()) return 0;
    const auto from = std::span(bytes).subspan(offset);
    const std::size_t count = std::min(from.size(), to.size());
    std::ranges::copy(from.first(count), to.begin());
    return static_cast<int>(count);
  }

 private:
  const std::vector<std::byte> head_;
  const Values values_;
};

int enter(Vm& vm, std::string_view id, std::span<const Descriptor> descriptors,
          StatisticsFile::Values values) {
  UniqueFd fd(memfd_create("kvm-stats", MFD_CLOEXEC));  // any file: only its number is used
  if (!fd) return -errno;
  return vm.host.descriptors.insert(
      std::move(fd), std::make_shared<StatisticsFile>(head_of(id, descriptors), std::move(values)));
}

}  // namespace

int create_vm_statistics(const std::shared_ptr<Vm>& vm) {
  return enter(*vm, fmt::format("kvm-{}", getpid()), kVmRows, [vm]() -> std::vector<std::uint64_t> {
    const auto pages = vm->td ? vm->td->memory().count_pages() : SecureEpt::PageCounts{};
    return {pages.small, pages.large};
  });
}

int create_vcpu_statistics(const std::shared_ptr<Vm>& vm, const Vcpu& vcpu) {
  std::vector<Descriptor> descriptors;
  descriptors.reserve(kVcpuRows.size());
  for (const VcpuRow& row : kVcpuRows) descriptors.push_back(row.descriptor);
  return enter(*vm, fmt::format("kvm-{}/vcpu-{}", getpid(), vcpu.id), descriptors, [vm, &vcpu] {
    std::vector<std::uint64_t> values;
    values.reserve(kVcpuRows.size());
    for (const VcpuRow& row : kVcpuRows)
      values.push_back((vcpu.counters.*row.counter).load(std::memory_order_relaxed));
    return values;
  });
}

}  // namespace virttdx::softhost
