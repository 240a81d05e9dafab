// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/kernel_counters.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace virttdx {
namespace {

std::uint64_t read_number(const UniqueFd& file) {
  std::array<char, 24> text{};
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  std::uint64_t number = 0;
  if (size > 0) std::from_chars(text.data(), text.data() + size, number);
  return number;
}

}  // namespace

// Opened while files may be opened, read later.
Result<KernelCounters> KernelCounters::open(const std::string& device) {
  constexpr std::array<const char*, kKinds> kNames = {"bytes", "packets", "errors", "dropped"};
  KernelCounters counters;
  for (auto* direction : {&counters.received_, &counters.sent_})
    for (std::size_t i = 0; i < kKinds; ++i) {
      const char* const side = direction == &counters.received_ ? "rx" : "tx";
      const auto path = fmt::format("/sys/class/net/{}/statistics/{}_{}", device, side, kNames.at(i));
      direction->at(i) = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!direction->at(i)) return fail_errno(errno, "cannot open '{}'", path);
    }
  return counters;
}

InterfaceStatistics KernelCounters::read(const Direction& received, const Direction& sent) {
  InterfaceStatistics statistics;
  statistics.received_bytes = read_number(received[kBytes]);
  statistics.received_packets = read_number(received[kPackets]);
  statistics.received_errors = read_number(received[kErrors]);
  statistics.received_drops = read_number(received[kDrops]);
  statistics.sent_bytes = read_number(sent[kBytes]);
  statistics.sent_packets = read_number(sent[kPackets]);
  statistics.sent_errors = read_number(sent[kErrors]);
  statistics.sent_drops = read_number(sent[kDrops]);
  return statistics;
}

}  // namespace virttdx
