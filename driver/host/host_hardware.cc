// SPDX-License-Identifier: GPL-2.0-or-later
// From Linux's /sys and /proc (Documentation/ABI/stable/sysfs-devices-system-cpu and -node,
// testing/sysfs-kernel-mm-hugepages, testing/sysfs-kernel-iommu_groups).
#include "host/host_hardware.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>
#include <tuple>

#include "host/cpu_list.h"
#include "host/kernel_file.h"

namespace virttdx::driver {
namespace {

using domain_xml::CacheBank;
using domain_xml::HostHardware;
using domain_xml::HugePages;
using std::filesystem::path;

// Smaller caches belong to a core: libvirt leaves them out too.
constexpr std::uint32_t kLowestSharedCache = 3;

std::string read_line(const path& file) {
  const std::string text = read_kernel_file(file);
  return text.substr(0, text.find('\n'));
}

std::optional<std::uint32_t> number_in(std::string_view text, int base = 10) {
  std::uint32_t value = 0;
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value, base);
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<std::uint32_t> read_number(const path& file) { return number_in(read_line(file)); }

std::vector<path> entries_of(const path& folder) {
  std::vector<path> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; at != end; at.increment(error))
    entries.push_back(at->path());
  return entries;
}

// "microcode\t: 0x2b000461"
std::optional<std::uint32_t> read_microcode(const path& root) {
  const std::string text = read_kernel_file(root / "proc/cpuinfo");
  const std::size_t line = text.find("microcode");
  const std::size_t digits = line == std::string::npos ? line : text.find("0x", line);
  if (digits == std::string::npos) return std::nullopt;
  return number_in(std::string_view(text).substr(digits + 2), 16);
}

void read_dies(const path& cpus, HostHardware& hardware) {
  std::map<std::uint32_t, std::set<std::uint32_t>> dies_of_socket;
  for (const auto cpu : parse_cpu_list(read_line(cpus / "online"))) {
    const path topology = cpus / fmt::format("cpu{}", cpu) / "topology";
    const auto die = read_number(topology / "die_id").value_or(0);
    hardware.die_of_cpu[cpu] = die;
    dies_of_socket[read_number(topology / "physical_package_id").value_or(0)].insert(die);
  }
  for (const auto& [socket, dies] : dies_of_socket)
    hardware.dies_per_socket = std::max(hardware.dies_per_socket, static_cast<std::uint32_t>(dies.size()));
}

std::string_view cache_type(std::string_view kernels) {
  if (kernels == "Unified") return "both";
  return kernels == "Instruction" ? "code" : "data";
}

// The size is in KiB, "15360K". Kernels and hypervisors that give no id tell no banks apart.
std::optional<CacheBank> read_cache(const path& folder) {
  const auto level = read_number(folder / "level"), id = read_number(folder / "id");
  const auto size = read_number(folder / "size");
  if (!level || !id || !size || *level < kLowestSharedCache) return std::nullopt;
  return CacheBank{*id, *level, std::string(cache_type(read_line(folder / "type"))), *size,
                   read_line(folder / "shared_cpu_list")};
}

// Every CPU names the banks that it shares with others.
std::vector<CacheBank> read_caches(const path& cpus) {
  std::map<std::tuple<std::uint32_t, std::string, std::uint32_t>, CacheBank> banks;
  for (const auto cpu : parse_cpu_list(read_line(cpus / "online")))
    for (const auto& folder : entries_of(cpus / fmt::format("cpu{}", cpu) / "cache"))
      if (auto bank = read_cache(folder))
        banks.try_emplace({bank->level, bank->type, bank->id}, *std::move(bank));
  std::vector<CacheBank> caches;
  for (auto& [key, bank] : banks) caches.push_back(std::move(bank));
  return caches;
}

// "10 21": to each node that is online, in their order.
void read_distances(const path& nodes, HostHardware& hardware) {
  const auto online = parse_cpu_list(read_line(nodes / "online"));
  for (const auto node : online) {
    std::istringstream values(read_line(nodes / fmt::format("node{}", node) / "distance"));
    std::uint32_t value = 0;
    for (const auto other : online)
      if (values >> value) hardware.distances[node][other] = value;
  }
}

// "hugepages-2048kB"
HugePages read_huge_pages(const path& folder) {
  constexpr std::string_view kPrefix = "hugepages-";
  HugePages pages;
  for (const auto& entry : entries_of(folder)) {
    const std::string name = entry.filename();
    if (!name.starts_with(kPrefix)) continue;
    const auto size = number_in(std::string_view(name).substr(kPrefix.size()));
    if (size) pages[*size] = read_number(entry / "nr_hugepages").value_or(0);
  }
  return pages;
}

// A kernel that shows no nodes has one, which is cell 0.
std::map<std::uint32_t, HugePages> read_pages(const path& root) {
  const path nodes = root / "sys/devices/system/node";
  std::map<std::uint32_t, HugePages> pages;
  for (const auto node : parse_cpu_list(read_line(nodes / "online")))
    pages[node] = read_huge_pages(nodes / fmt::format("node{}", node) / "hugepages");
  if (pages.empty()) pages[0] = read_huge_pages(root / "sys/kernel/mm/hugepages");
  return pages;
}

HostHardware read_what_stays(const path& root) {
  HostHardware hardware;
  hardware.microcode = read_microcode(root);
  hardware.iommu = !entries_of(root / "sys/kernel/iommu_groups").empty();
  const path cpus = root / "sys/devices/system/cpu";
  read_dies(cpus, hardware);
  hardware.caches = read_caches(cpus);
  read_distances(root / "sys/devices/system/node", hardware);
  return hardware;
}

}  // namespace

HostHardware read_host_hardware(const path& root) {
  HostHardware hardware = read_what_stays(root);
  hardware.pages = read_pages(root);
  return hardware;
}

HostHardware host_hardware() {
  static const HostHardware kStays = read_what_stays("/");
  HostHardware hardware = kStays;
  hardware.pages = read_pages("/");
  return hardware;
}

}  // namespace virttdx::driver
