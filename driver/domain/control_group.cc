// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/control_group.h"

#include <algorithm>
#include <map>
#include <string>

#include "domain/affinity.h"
#include "host/kernel_file.h"
#include "process/process_stat.h"

namespace virttdx::driver {
namespace {

// systemd's and the kernel's range of weights; libvirt's of shares is wider.
constexpr std::uint64_t kWeightMaximum = 10'000;
constexpr std::uint64_t kSecond = 1'000'000;

std::uint64_t bytes_of(const std::optional<std::uint64_t>& kib) {
  return kib && *kib <= ScopeLimits::kUnlimited / 1024 ? *kib * 1024 : ScopeLimits::kUnlimited;
}

std::uint64_t weight_of(std::uint64_t shares) { return std::clamp<std::uint64_t>(shares, 1, kWeightMaximum); }

void limit_bandwidth(ScopeLimits& limits, std::optional<std::uint64_t> period,
                     std::optional<std::int64_t> quota) {
  if (quota.value_or(0) <= 0) return;
  limits.cpu_quota_period_us = period.value_or(0) == 0 ? kCpuPeriod : *period;
  const auto share = static_cast<long double>(*quota) / static_cast<long double>(limits.cpu_quota_period_us);
  limits.cpu_quota_us_a_second =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::min<long double>(share * kSecond, 1e18L)));
}

// As cpu.max has it.
std::string bandwidth(std::optional<std::uint64_t> period, std::optional<std::int64_t> quota) {
  const std::uint64_t microseconds = period.value_or(0) == 0 ? kCpuPeriod : *period;
  return quota.value_or(0) <= 0 ? fmt::format("max {}", microseconds)
                                : fmt::format("{} {}", *quota, microseconds);
}

void limit_block_devices(ScopeLimits& limits, const domain_xml::BlkioTune& tune) {
  if (tune.weight.value_or(0) != 0) limits.io_weight = *tune.weight;
  const auto add = [](auto& list, const std::string& path, const std::optional<std::uint64_t>& value) {
    if (value.value_or(0) != 0) list.push_back({path, *value});
  };
  for (const auto& device : tune.devices) {
    add(limits.io_device_weights, device.path, device.weight);
    add(limits.io_read_requests, device.path, device.read_iops_sec);
    add(limits.io_write_requests, device.path, device.write_iops_sec);
    add(limits.io_read_bytes, device.path, device.read_bytes_sec);
    add(limits.io_write_bytes, device.path, device.write_bytes_sec);
  }
}

bool has_child_groups(const std::filesystem::path& group) {
  std::error_code error;
  return std::filesystem::exists(group / "emulator", error);
}

// Threads can be moved between groups of one process only when these are "threaded" (cgroup-v2.rst, Threads).
Result<> make_child(const std::filesystem::path& child) {
  std::error_code error;
  std::filesystem::create_directory(child, error);
  if (error) return fail_errno(error.value(), "make control group '{}'", child.native());
  return write_kernel_file(child / "cgroup.type", "threaded");
}

Result<> limit_child(const std::filesystem::path& child, const std::vector<pid_t>& threads,
                     const std::string& limit) {
  for (const pid_t thread : threads)
    TRY(write_kernel_file(child / "cgroup.threads", fmt::format("{}", thread)));
  return write_kernel_file(child / "cpu.max", limit);
}

}  // namespace

ScopeLimits scope_limits(const domain_xml::Tuning& tuning) {
  ScopeLimits limits;
  if (tuning.cpu) {
    if (tuning.cpu->shares.value_or(0) != 0) limits.cpu_weight = weight_of(*tuning.cpu->shares);
    limit_bandwidth(limits, tuning.cpu->global_period, tuning.cpu->global_quota);
  }
  if (tuning.memory) {
    limits.memory_max = bytes_of(tuning.memory->hard_limit);
    limits.memory_high = bytes_of(tuning.memory->soft_limit);
    // libvirt's limit is of memory and swap together, the kernel's of swap alone.
    const auto& both = tuning.memory->swap_hard_limit;
    const std::uint64_t memory = tuning.memory->hard_limit.value_or(0);
    if (both) limits.memory_swap_max = bytes_of(*both - std::min(*both, memory));
  }
  if (tuning.blkio) limit_block_devices(limits, *tuning.blkio);
  return limits;
}

Scope scope_of(const DomainRecord& record) {
  CHECK(record.live);
  return {scope_name(record.id, record.name), domain_xml::partition_of(record.live->definition)};
}

Result<> limit_threads(const std::filesystem::path& group, const MonitorProcess& process,
                       const domain_xml::Domain& domain) {
  const auto tune = domain.tuning.cpu.value_or(domain_xml::CpuTune());
  if (!tune.period && !tune.quota && !tune.emulator_period && !tune.emulator_quota &&
      !has_child_groups(group))
    return {};
  std::map<std::string, std::vector<pid_t>> threads;
  for (const auto& thread : threads_of(process.pid))
    threads[is_vcpu_thread(thread.name) ? thread.name : "emulator"].push_back(thread.id);
  for (const auto& [name, members] : threads) TRY(make_child(group / name));
  TRY(write_kernel_file(group / "cgroup.subtree_control", "+cpu"));
  for (const auto& [name, members] : threads)
    TRY(limit_child(group / name, members,
                    name == "emulator" ? bandwidth(tune.emulator_period, tune.emulator_quota)
                                       : bandwidth(tune.period, tune.quota)));
  return {};
}

}  // namespace virttdx::driver
