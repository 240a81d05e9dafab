// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/host_statistics.h"

#include <unistd.h>

#include <charconv>
#include <utility>
#include <vector>

#include "host/kernel_file.h"
#include "process/process_stat.h"

namespace virttdx::driver {
namespace {

// The line that starts with `key`, without it.
std::optional<std::string_view> line_after(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (text.substr(0, end).starts_with(key)) return text.substr(key.size(), end - key.size());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

std::vector<std::uint64_t> numbers_of(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  while (true) {
    const std::size_t start = text.find_first_of("0123456789");
    if (start == std::string_view::npos) return numbers;
    text.remove_prefix(start);
    std::uint64_t value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value).ptr;
    numbers.push_back(value);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
}

// "MemFree:  123 kB", or "Node 0 MemFree:  123 kB".
std::uint64_t memory_value(const std::string& text, std::string_view name) {
  const std::size_t at = text.find(fmt::format("{}:", name));
  if (at == std::string::npos) return 0;
  const auto numbers = numbers_of(std::string_view(text).substr(at + name.size(), 40));
  return numbers.empty() ? 0 : numbers.front();
}

}  // namespace

// proc(5): user nice system idle iowait irq softirq, in clock ticks.
Result<CpuTimes> host_cpu_times(std::optional<std::uint32_t> cpu) {
  const std::string text = read_kernel_file("/proc/stat");
  const auto line = line_after(text, cpu ? fmt::format("cpu{} ", *cpu) : "cpu ");
  if (!line) return fail(Error::Code::NotFound, "/proc/stat tells nothing of CPU {}", cpu.value_or(0));
  const auto ticks = numbers_of(*line);
  if (ticks.size() < 7) return fail(Error::Code::InvalidData, "/proc/stat: '{}' is too short", *line);
  return CpuTimes{.kernel = ticks_to_ns(ticks[2] + ticks[5] + ticks[6]),
                  .user = ticks_to_ns(ticks[0] + ticks[1]),
                  .idle = ticks_to_ns(ticks[3]),
                  .io_wait = ticks_to_ns(ticks[4])};
}

Result<MemoryUse> host_memory(std::optional<std::uint32_t> node) {
  const std::string text = read_kernel_file(
      node ? fmt::format("/sys/devices/system/node/node{}/meminfo", *node) : "/proc/meminfo");
  // Kernels without NUMA and many containers show no nodes: there is one then.
  if (text.empty() && node && *node == 0) return host_memory(std::nullopt);
  if (text.empty()) return fail(Error::Code::NotFound, "the host has no NUMA node {}", node.value_or(0));
  return MemoryUse{.total = memory_value(text, "MemTotal"),
                   .free = memory_value(text, "MemFree"),
                   .buffers = memory_value(text, "Buffers"),
                   .cached = memory_value(text, "Cached")};
}

Result<std::uint64_t> free_pages(std::uint32_t node, std::uint32_t page_kib) {
  if (std::cmp_equal(page_kib, sysconf(_SC_PAGESIZE) / 1024)) return TRY(host_memory(node)).free / page_kib;
  for (const auto& folder : {fmt::format("/sys/devices/system/node/node{}/hugepages", node),
                             std::string(node == 0 ? "/sys/kernel/mm/hugepages" : "")}) {
    const auto numbers =
        numbers_of(read_kernel_file(fmt::format("{}/hugepages-{}kB/free_hugepages", folder, page_kib)));
    if (!numbers.empty()) return numbers.front();
  }
  return fail(Error::Code::NotFound, "page size {} is not available on node {}", page_kib, node);
}

std::optional<std::uint64_t> ksm_value(std::string_view name) {
  const auto numbers = numbers_of(read_kernel_file(fmt::format("/sys/kernel/mm/ksm/{}", name)));
  return numbers.empty() ? std::nullopt : std::optional(numbers.front());
}

std::string dmi_value(std::string_view name) {
  std::string text = read_kernel_file(fmt::format("/sys/class/dmi/id/{}", name));
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

}  // namespace virttdx::driver
