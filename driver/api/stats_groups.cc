// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/stats_groups.h"

#include <libvirt/libvirt.h>

#include <algorithm>
#include <array>

#include "api/find_device.h"
#include "domain/affinity.h"
#include "process/process_stat.h"

namespace virttdx::driver::api {
namespace {

struct InterfaceCount {
  std::string_view name;
  std::uint64_t InterfaceStatistics::*value;
};
constexpr std::array kInterfaceCounts = {InterfaceCount{"rx.bytes", &InterfaceStatistics::received_bytes},
                                         InterfaceCount{"rx.pkts", &InterfaceStatistics::received_packets},
                                         InterfaceCount{"rx.errs", &InterfaceStatistics::received_errors},
                                         InterfaceCount{"rx.drop", &InterfaceStatistics::received_drops},
                                         InterfaceCount{"tx.bytes", &InterfaceStatistics::sent_bytes},
                                         InterfaceCount{"tx.pkts", &InterfaceStatistics::sent_packets},
                                         InterfaceCount{"tx.errs", &InterfaceStatistics::sent_errors},
                                         InterfaceCount{"tx.drop", &InterfaceStatistics::sent_drops}};

struct DiskCount {
  std::string_view name;
  std::uint64_t DiskStatistics::*value;
};
constexpr std::array kDiskCounts = {DiskCount{"rd.reqs", &DiskStatistics::read_requests},
                                    DiskCount{"rd.bytes", &DiskStatistics::read_bytes},
                                    DiskCount{"rd.times", &DiskStatistics::read_time_ns},
                                    DiskCount{"wr.reqs", &DiskStatistics::write_requests},
                                    DiskCount{"wr.bytes", &DiskStatistics::write_bytes},
                                    DiskCount{"wr.times", &DiskStatistics::write_time_ns},
                                    DiskCount{"fl.reqs", &DiskStatistics::flush_requests},
                                    DiskCount{"fl.times", &DiskStatistics::flush_time_ns},
                                    DiskCount{"allocation", &DiskStatistics::allocated},
                                    DiskCount{"capacity", &DiskStatistics::capacity},
                                    DiskCount{"physical", &DiskStatistics::physical}};

void add_state(const StatsSubject& subject, TypedParams& params) {
  const auto& record = subject.record;
  params.add_int("state.state", libvirt_state(record.phase));
  params.add_int("state.reason", record.reason);
}

// What KVM spent looking whether a vCPU that halts is woken at once, of all vCPUs together.
struct HaltPoll {
  std::string_view name, column;
};
constexpr std::array kHaltPolls = {HaltPoll{"cpu.haltpoll.success.time", "halt_poll_success_ns"},
                                   HaltPoll{"cpu.haltpoll.fail.time", "halt_poll_fail_ns"}};

void add_halt_polls(const StatisticTable& vcpus, std::size_t count, TypedParams& params) {
  for (const auto& poll : kHaltPolls) {
    const auto column = std::ranges::find(vcpus.columns, poll.column, &StatisticColumn::name);
    if (column == vcpus.columns.end()) continue;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < std::min(vcpus.rows.size(), count); ++i)
      sum += vcpus.rows[i][static_cast<std::size_t>(column - vcpus.columns.begin())];
    params.add_ullong(poll.name, sum);
  }
}

void add_cpu(const StatsSubject& subject, TypedParams& params) {
  const auto& record = subject.record;
  if (!record.live) return;
  const auto stat = read_process_stat(record.live->process.pid);
  if (!stat) return;
  params.add_ullong("cpu.time", ticks_to_ns(stat->user_ticks + stat->system_ticks));
  params.add_ullong("cpu.user", ticks_to_ns(stat->user_ticks));
  params.add_ullong("cpu.system", ticks_to_ns(stat->system_ticks));
  if (subject.hypervisor != nullptr)
    add_halt_polls(subject.hypervisor->vcpus, record.current().vcpus, params);
}

void add_balloon(const StatsSubject& subject, TypedParams& params) {
  const auto& record = subject.record;
  const auto& domain = record.current();
  params.add_ullong("balloon.current", domain.current_memory_kib.value_or(domain.memory_kib));
  params.add_ullong("balloon.maximum", domain.memory_kib);
  if (record.live) params.add_ullong("balloon.rss", resident_kib(record.live->process));
}

// libvirt's ends of the names of KVM's statistics.
std::string_view suffix_of(StatisticKind kind) {
  switch (kind) {
    case StatisticKind::Sum:
      return "sum";
    case StatisticKind::Peak:
      return "max";
    case StatisticKind::Current:
      break;
  }
  return "cur";
}

void add_row(const StatisticTable& table, std::size_t row, std::string_view prefix, TypedParams& params) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    const std::string name = fmt::format("{}.{}.{}", prefix, column.name, suffix_of(column.kind));
    if (name.size() >= VIR_TYPED_PARAM_FIELD_LENGTH) continue;
    const std::uint64_t value = table.rows[row][i];
    column.is_boolean ? params.add_boolean(name, value != 0) : params.add_ullong(name, value);
  }
}

void add_vcpu(const StatsSubject& subject, TypedParams& params) {
  const auto& record = subject.record;
  const auto& domain = record.current();
  params.add_uint("vcpu.current", domain.current_vcpus.value_or(domain.vcpus));
  params.add_uint("vcpu.maximum", domain.vcpus);
  if (!record.live) return;
  const int state = record.phase == Phase::Running ? VIR_VCPU_RUNNING : VIR_VCPU_BLOCKED;
  const auto uses = vcpu_uses(record.live->process, domain.vcpus);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    params.add_int(fmt::format("vcpu.{}.state", i), state);
    if (!uses[i]) continue;
    params.add_ullong(fmt::format("vcpu.{}.time", i), uses[i]->time_ns);
    if (uses[i]->wait_ns) params.add_ullong(fmt::format("vcpu.{}.wait", i), *uses[i]->wait_ns);
    if (uses[i]->delay_ns) params.add_ullong(fmt::format("vcpu.{}.delay", i), *uses[i]->delay_ns);
  }
  if (subject.hypervisor == nullptr) return;
  const auto& counted = subject.hypervisor->vcpus;
  for (std::size_t i = 0; i < std::min<std::size_t>(counted.rows.size(), domain.vcpus); ++i)
    add_row(counted, i, fmt::format("vcpu.{}", i), params);
}

// Counts of devices come for running and other domains alike. An interface without a device on the host goes
// by its MAC address, which virDomainInterfaceStats takes too.
void add_interfaces(const StatsSubject& subject, TypedParams& params) {
  const auto& interfaces = subject.record.current().devices.interfaces;
  params.add_uint("net.count", static_cast<std::uint32_t>(interfaces.size()));
  for (std::size_t i = 0; subject.devices != nullptr && i < interfaces.size(); ++i) {
    const auto* counts = statistics_of(*subject.devices, interfaces[i]);
    if (counts == nullptr) continue;
    params.add_string(fmt::format("net.{}.name", i),
                      interfaces[i].target_dev.value_or(interfaces[i].mac.value_or("")));
    for (const auto& row : kInterfaceCounts)
      params.add_ullong(fmt::format("net.{}.{}", i, row.name), counts->*row.value);
  }
}

void add_image(const ImageSize& size, const std::string& prefix, TypedParams& params) {
  params.add_ullong(prefix + "allocation", size.allocation);
  params.add_ullong(prefix + "capacity", size.capacity);
  params.add_ullong(prefix + "physical", size.physical);
}

void add_disk(const StatsSubject& subject, const domain_xml::Disk& disk, const std::string& prefix,
              TypedParams& params) {
  params.add_string(prefix + "name", disk.target_dev);
  if (const std::string path = path_of(disk); !path.empty()) params.add_string(prefix + "path", path);
  if (disk.source && disk.source->index) params.add_uint(prefix + "backingIndex", *disk.source->index);
  if (const auto image = subject.images.find(image_of(disk)); image != subject.images.end())
    return add_image(image->second, prefix, params);
  const auto* counts = subject.devices == nullptr ? nullptr : statistics_of(*subject.devices, disk);
  if (counts == nullptr) return;
  for (const auto& row : kDiskCounts) params.add_ullong(prefix + std::string(row.name), counts->*row.value);
}

void add_block(const StatsSubject& subject, TypedParams& params) {
  const auto& disks = subject.record.current().devices.disks;
  params.add_uint("block.count", static_cast<std::uint32_t>(disks.size()));
  for (std::size_t i = 0; i < disks.size(); ++i)
    add_disk(subject, disks[i], fmt::format("block.{}.", i), params);
}
void add_iothreads(const StatsSubject& subject, TypedParams& params) {
  const auto& record = subject.record;
  if (record.live) params.add_uint("iothread.count", 0);
}
void add_vm(const StatsSubject& subject, TypedParams& params) {
  if (subject.hypervisor != nullptr && !subject.hypervisor->vm.rows.empty())
    add_row(subject.hypervisor->vm, 0, "vm", params);
}

// KVM counts no events in a TD, nothing measures its memory bandwidth or how fast it dirties pages.
void add_nothing(const StatsSubject&, TypedParams&) {}

struct StatsGroup {
  unsigned flag;
  void (*add)(const StatsSubject&, TypedParams&);
};
constexpr std::array kGroups = {StatsGroup{VIR_DOMAIN_STATS_STATE, add_state},
                                StatsGroup{VIR_DOMAIN_STATS_CPU_TOTAL, add_cpu},
                                StatsGroup{VIR_DOMAIN_STATS_BALLOON, add_balloon},
                                StatsGroup{VIR_DOMAIN_STATS_VCPU, add_vcpu},
                                StatsGroup{VIR_DOMAIN_STATS_INTERFACE, add_interfaces},
                                StatsGroup{VIR_DOMAIN_STATS_BLOCK, add_block},
                                StatsGroup{VIR_DOMAIN_STATS_PERF, add_nothing},
                                StatsGroup{VIR_DOMAIN_STATS_IOTHREAD, add_iothreads},
                                StatsGroup{VIR_DOMAIN_STATS_MEMORY, add_nothing},
                                StatsGroup{VIR_DOMAIN_STATS_DIRTYRATE, add_nothing},
                                StatsGroup{VIR_DOMAIN_STATS_VM, add_vm}};

}  // namespace

unsigned all_stats_groups() {
  unsigned groups = 0;
  for (const auto& group : kGroups) groups |= group.flag;
  return groups;
}

bool needs_device_statistics(const domain_xml::Devices& devices, unsigned groups) {
  return ((groups & VIR_DOMAIN_STATS_INTERFACE) != 0 && !devices.interfaces.empty()) ||
         ((groups & VIR_DOMAIN_STATS_BLOCK) != 0 && !devices.disks.empty());
}

std::vector<Image> images_needed(const DomainRecord& record, unsigned groups) {
  std::vector<Image> images;
  if (record.live || (groups & VIR_DOMAIN_STATS_BLOCK) == 0) return images;
  for (const auto& disk : record.definition->devices.disks)
    if (!path_of(disk).empty()) images.push_back(image_of(disk));
  return images;
}

bool needs_hypervisor_statistics(unsigned groups) {
  return (groups & (VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_VM)) != 0;
}

void add_stats(const StatsSubject& subject, unsigned groups, TypedParams& params) {
  for (const auto& group : kGroups)
    if ((groups & group.flag) != 0) group.add(subject, params);
}

}  // namespace virttdx::driver::api
