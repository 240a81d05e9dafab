// SPDX-License-Identifier: GPL-2.0-or-later
// What machine this is, from Linux's /sys and /proc (Documentation/ABI/stable/sysfs-devices-system-cpu and
// -node).
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <string>

#include "host/cpu_list.h"
#include "host/host_access.h"
#include "host/kernel_file.h"

namespace virttdx::driver {
namespace {

using Cell = domain_xml::HostDescription::NumaCell;

std::string read_line(const std::filesystem::path& path) {
  const std::string text = read_kernel_file(path);
  return text.substr(0, text.find('\n'));
}

std::uint32_t read_number(const std::filesystem::path& path, std::uint32_t otherwise) {
  const std::string text = read_line(path);
  std::uint32_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "MemTotal:       16309284 kB", or "Node 0 MemTotal: 16309284 kB" of a node.
std::uint64_t total_memory_kib(const std::filesystem::path& path) {
  const std::string text = read_kernel_file(path);
  const std::size_t at = text.find("MemTotal:");
  if (at == std::string::npos) return 0;
  const std::size_t digits = std::min(text.find_first_of("0123456789", at), text.size());
  std::uint64_t value = 0;
  std::from_chars(text.data() + digits, text.data() + text.size(), value);
  return value;
}

// The machine's own uuid where it may be read, else the installation's id in the same form.
std::string machine_uuid() {
  std::string text = read_line("/sys/class/dmi/id/product_uuid");
  if (text.size() != 36) {
    text = read_line("/etc/machine-id");
    if (text.size() != 32) return "00000000-0000-0000-0000-000000000000";
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  }
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Cell::LogicalCpu read_cpu(std::uint32_t id) {
  const std::filesystem::path topology = fmt::format("/sys/devices/system/cpu/cpu{}/topology", id);
  return {.id = id,
          .socket_id = read_number(topology / "physical_package_id", 0),
          .core_id = read_number(topology / "core_id", id),
          .siblings = read_line(topology / "thread_siblings_list")};
}

Cell read_cell(std::uint32_t id, const std::string& cpu_list, std::uint64_t memory_kib) {
  Cell cell{.id = id, .memory_kib = memory_kib, .cpus = {}};
  for (const std::uint32_t cpu : parse_cpu_list(cpu_list)) cell.cpus.push_back(read_cpu(cpu));
  return cell;
}

std::vector<Cell> read_cells(std::uint64_t memory_kib) {
  std::vector<Cell> cells;
  const std::filesystem::path nodes = "/sys/devices/system/node";
  for (const std::uint32_t node : parse_cpu_list(read_line(nodes / "online"))) {
    const auto folder = nodes / fmt::format("node{}", node);
    cells.push_back(read_cell(node, read_line(folder / "cpulist"), total_memory_kib(folder / "meminfo")));
  }
  // Kernels without NUMA and many containers show no nodes.
  if (cells.empty()) cells.push_back(read_cell(0, read_line("/sys/devices/system/cpu/online"), memory_kib));
  return cells;
}

void count_topology(domain_xml::HostDescription& description) {
  std::set<std::uint32_t> sockets;
  std::set<std::pair<std::uint32_t, std::uint32_t>> cores;
  std::size_t cpus = 0;
  for (const Cell& cell : description.cells)
    for (const auto& cpu : cell.cpus) {
      sockets.insert(cpu.socket_id);
      cores.emplace(cpu.socket_id, cpu.core_id);
      ++cpus;
    }
  if (cpus == 0) return;
  description.cpu_sockets = static_cast<std::uint32_t>(sockets.size());
  description.cpu_cores = static_cast<std::uint32_t>(cores.size() / sockets.size());
  description.cpu_threads = static_cast<std::uint32_t>(std::max<std::size_t>(cpus / cores.size(), 1));
}

}  // namespace

domain_xml::HostDescription describe_machine(std::string emulator_path) {
  domain_xml::HostDescription description;
  description.uuid = machine_uuid();
  description.emulator_path = std::move(emulator_path);
  description.memory_kib = total_memory_kib("/proc/meminfo");
  description.cells = read_cells(description.memory_kib);
  count_topology(description);
  return description;
}

}  // namespace virttdx::driver
