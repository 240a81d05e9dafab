// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/affinity.h"

#include <sched.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <memory>

#include "host/kernel_file.h"
#include "process/process_stat.h"

namespace virttdx::driver {
namespace {

// More than any kernel is built for (NR_CPUS).
constexpr std::size_t kMaximumCpus = 16384;

std::string thread_name(std::uint32_t vcpu) { return fmt::format("vcpu{}", vcpu); }

Result<std::vector<pid_t>> threads_meant(const MonitorProcess& process, std::optional<std::uint32_t> vcpu) {
  std::vector<pid_t> threads;
  if (is_alive(process))
    for (const auto& thread : threads_of(process.pid))
      if (vcpu ? thread.name == thread_name(*vcpu) : !is_vcpu_thread(thread.name))
        threads.push_back(thread.id);
  if (threads.empty())
    return fail(Error::Code::Internal, "monitor process {} has no such thread", process.pid);
  return threads;
}

// The kernel's own structure for a number of CPUs that is known only now.
struct KernelSet {
  explicit KernelSet(std::size_t count)
      : size(CPU_ALLOC_SIZE(count)), bits(CPU_ALLOC(count), [](cpu_set_t* set) { CPU_FREE(set); }) {
    if (bits) CPU_ZERO_S(size, bits.get());
  }
  std::size_t size;
  std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> bits;
};

// /proc/PID/task/TID/schedstat counts in nanoseconds: on a CPU, waiting for one. Kernels may lack it.
std::optional<VcpuUse> use_of(pid_t process, pid_t thread) {
  const auto stat = read_thread_stat(process, thread);
  if (!stat) return std::nullopt;
  VcpuUse use{
      .time_ns = ticks_to_ns(stat->user_ticks + stat->system_ticks),
      .delay_ns = std::nullopt,
      .wait_ns = scheduler_wait_ns(read_kernel_file(fmt::format("/proc/{}/task/{}/sched", process, thread))),
      .processor = stat->processor};
  const std::string text = read_kernel_file(fmt::format("/proc/{}/task/{}/schedstat", process, thread));
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return use;
  std::from_chars(text.data(), text.data() + space, use.time_ns);
  std::from_chars(text.data() + space + 1, text.data() + text.size(), use.delay_ns.emplace());
  return use;
}

}  // namespace

bool is_vcpu_thread(const std::string& name) {
  return name.starts_with("vcpu") && name.size() > 4 &&
         std::all_of(name.begin() + 4, name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

Result<> set_affinity(const MonitorProcess& process, std::optional<std::uint32_t> vcpu, const CpuSet& cpus) {
  KernelSet set(std::max<std::size_t>(cpus.size(), 1024));
  if (!set.bits) return fail(Error::Code::NoSpace, "no memory for a set of {} CPUs", cpus.size());
  for (std::size_t cpu = 0; cpu < cpus.size(); ++cpu)
    if (cpus[cpu]) CPU_SET_S(cpu, set.size, set.bits.get());
  for (const pid_t thread : TRY(threads_meant(process, vcpu)))
    if (sched_setaffinity(thread, set.size, set.bits.get()) != 0 && errno != ESRCH)
      return fail_errno(errno, "restrict thread {} of the monitor to CPUs {}", thread,
                        domain_xml::format_cpuset(cpus));
  return {};
}

Result<CpuSet> affinity_of(const MonitorProcess& process, std::optional<std::uint32_t> vcpu) {
  KernelSet set(kMaximumCpus);
  if (!set.bits) return fail(Error::Code::NoSpace, "no memory for a set of {} CPUs", kMaximumCpus);
  const auto threads = TRY(threads_meant(process, vcpu));
  if (sched_getaffinity(threads.front(), set.size, set.bits.get()) != 0)
    return fail_errno(errno, "ask where thread {} of the monitor may run", threads.front());
  CpuSet cpus(kMaximumCpus);
  for (std::size_t cpu = 0; cpu < kMaximumCpus; ++cpu)
    cpus[cpu] = CPU_ISSET_S(cpu, set.size, set.bits.get()) != 0;
  return cpus;
}

Result<> apply_affinity(const MonitorProcess& process, const domain_xml::Domain& domain) {
  const auto& tune = domain.tuning.cpu;
  const auto& emulator = tune && tune->emulator_cpuset ? tune->emulator_cpuset : domain.vcpu_cpuset;
  if (emulator) TRY(set_affinity(process, std::nullopt, TRY(domain_xml::parse_cpuset(*emulator))));
  // vCPUs of a TD that was made anew have the emulator's.
  CpuSet of_vcpus(kMaximumCpus, true);
  if (domain.vcpu_cpuset) of_vcpus = TRY(domain_xml::parse_cpuset(*domain.vcpu_cpuset));
  if (emulator)
    for (std::uint32_t vcpu = 0; vcpu < domain.vcpus; ++vcpu) TRY(set_affinity(process, vcpu, of_vcpus));
  if (!tune) return {};
  for (const auto& pin : tune->vcpu_pins)
    if (pin.vcpu < domain.vcpus)
      TRY(set_affinity(process, pin.vcpu, TRY(domain_xml::parse_cpuset(pin.cpuset))));
  return {};
}

std::vector<std::optional<VcpuUse>> vcpu_uses(const MonitorProcess& process, std::uint32_t count) {
  std::vector<std::optional<VcpuUse>> uses(count);
  if (!is_alive(process)) return uses;
  for (const auto& thread : threads_of(process.pid)) {
    std::uint32_t vcpu = 0;
    if (!is_vcpu_thread(thread.name)) continue;
    std::from_chars(thread.name.data() + 4, thread.name.data() + thread.name.size(), vcpu);
    // A thread that the vCPU's has just made still has its name.
    if (vcpu < count && !uses[vcpu]) uses[vcpu] = use_of(process.pid, thread.id);
  }
  return uses;
}

}  // namespace virttdx::driver
