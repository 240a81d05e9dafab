// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu/exit_trace.h"

#include <algorithm>
#include <bit>
#include <ctime>
#include <map>
#include <utility>

#include "support/result.h"

namespace virttdx {
namespace {

/// A kind of exit in one number: KVM's exit reason in bits 63:56, a write in bit 55, and below what tells
/// apart within it: port, page frame, or number of the TDVMCALL.
constexpr unsigned kReasonShift = 56, kWriteShift = 55;
constexpr std::uint64_t kDetailMask = (std::uint64_t{1} << kWriteShift) - 1;
constexpr std::uint32_t kReasonMask = 0xFF;

std::uint64_t make_kind(std::uint32_t reason, std::uint64_t detail = 0, bool is_write = false) {
  return std::uint64_t{reason & kReasonMask} << kReasonShift | std::uint64_t{is_write} << kWriteShift |
         (detail & kDetailMask);
}

/// The overloads are the table: std::visit does not compile when one is missing.
struct KindOfExit {
  std::uint64_t operator()(const IoExit& exit) const {
    return make_kind(kvm::KVM_EXIT_IO, exit.port, exit.is_write);
  }
  std::uint64_t operator()(const MmioExit& exit) const {
    return make_kind(kvm::KVM_EXIT_MMIO, exit.gpa.value / kPageSize, exit.is_write);
  }
  std::uint64_t operator()(const HypercallExit& exit) const {
    return make_kind(kvm::KVM_EXIT_HYPERCALL, exit.number);
  }
  std::uint64_t operator()(const MemoryFaultExit&) const { return make_kind(kvm::KVM_EXIT_MEMORY_FAULT); }
  std::uint64_t operator()(const TdxExit& exit) const {
    return make_kind(kvm::KVM_EXIT_TDX, exit.run->tdx.nr);
  }
  std::uint64_t operator()(const SystemEventExit& exit) const {
    return make_kind(kvm::KVM_EXIT_SYSTEM_EVENT, exit.type);
  }
  std::uint64_t operator()(const HltExit&) const { return make_kind(kvm::KVM_EXIT_HLT); }
  std::uint64_t operator()(const ShutdownExit&) const { return make_kind(kvm::KVM_EXIT_SHUTDOWN); }
  std::uint64_t operator()(const InternalErrorExit&) const { return make_kind(kvm::KVM_EXIT_INTERNAL_ERROR); }
  std::uint64_t operator()(const FailEntryExit&) const { return make_kind(kvm::KVM_EXIT_FAIL_ENTRY); }
  std::uint64_t operator()(const InterruptedExit&) const { return make_kind(kvm::KVM_EXIT_INTR); }
  std::uint64_t operator()(const UnknownExit& exit) const { return make_kind(exit.reason); }
};

constexpr std::array<std::pair<std::uint32_t, const char*>, 11> kReasons = {
    {{kvm::KVM_EXIT_IO, "KVM_EXIT_IO"},
     {kvm::KVM_EXIT_MMIO, "KVM_EXIT_MMIO"},
     {kvm::KVM_EXIT_HYPERCALL, "KVM_EXIT_HYPERCALL"},
     {kvm::KVM_EXIT_MEMORY_FAULT, "KVM_EXIT_MEMORY_FAULT"},
     {kvm::KVM_EXIT_TDX, "KVM_EXIT_TDX"},
     {kvm::KVM_EXIT_SYSTEM_EVENT, "KVM_EXIT_SYSTEM_EVENT"},
     {kvm::KVM_EXIT_HLT, "KVM_EXIT_HLT"},
     {kvm::KVM_EXIT_SHUTDOWN, "KVM_EXIT_SHUTDOWN"},
     {kvm::KVM_EXIT_INTERNAL_ERROR, "KVM_EXIT_INTERNAL_ERROR"},
     {kvm::KVM_EXIT_FAIL_ENTRY, "KVM_EXIT_FAIL_ENTRY"},
     {kvm::KVM_EXIT_INTR, "KVM_EXIT_INTR"}}};

/// Sub-functions that KVM_EXIT_TDX carries (GHCI, "TDG.VP.VMCALL Interface").
constexpr std::array<std::pair<std::uint64_t, const char*>, 3> kTdVmcalls = {
    {{0x10000, "GetTdVmCallInfo"}, {0x10002, "GetQuote"}, {0x10004, "SetupEventNotifyInterrupt"}}};

template <typename Table, typename Number>
std::string name_in(const Table& table, Number number, std::string_view other) {
  for (const auto& [value, name] : table)
    if (value == number) return name;
  return fmt::format("{} {:#x}", other, number);
}

/// The TDVMCALL behind an exit, where there is one (Linux arch/x86/kvm/vmx/tdx.c, handle_tdvmcall()).
std::optional<std::string> td_vmcall_of(std::uint32_t reason, std::uint64_t detail) {
  switch (reason) {
    case kvm::KVM_EXIT_IO:
      return "Instruction.IO";
    case kvm::KVM_EXIT_MMIO:
      return "#VE.RequestMMIO";
    case kvm::KVM_EXIT_HYPERCALL:
      return detail == kvm::KVM_HC_MAP_GPA_RANGE ? "MapGPA" : fmt::format("KVM hypercall {}", detail);
    case kvm::KVM_EXIT_TDX:
      return name_in(kTdVmcalls, detail, "sub-function");
    case kvm::KVM_EXIT_SYSTEM_EVENT:
      if (detail == kvm::KVM_SYSTEM_EVENT_TDX_FATAL) return "ReportFatalError";
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::uint64_t trace_clock_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t ExitTrace::kind_of(const VcpuExit& exit) { return std::visit(KindOfExit{}, exit); }

void ExitTrace::Count::add(const Count& other) {
  count += other.count;
  total_ns += other.total_ns;
  maximum_ns = std::max(maximum_ns, other.maximum_ns);
  for (std::size_t i = 0; i < histogram.size(); ++i) histogram.at(i) += other.histogram.at(i);
}

void ExitTrace::record(std::uint32_t vcpu, std::uint64_t kind, std::uint64_t begin_ns, std::uint64_t end_ns) {
  if (vcpu >= vcpus_.size()) return;
  std::uint64_t until = until_ns_.load(std::memory_order_relaxed);
  if (begin_ns > until) {
    until_ns_.compare_exchange_strong(until, 0);
    return;
  }
  PerVcpu& own = vcpus_[vcpu];
  const std::lock_guard lock(own.mutex);
  if (own.counts.size() >= kKindsMaximum && !own.counts.contains(kind)) {
    ++own.untold;
    return;
  }
  Count& count = own.counts[kind];
  const std::uint64_t took = end_ns - begin_ns;
  ++count.count;
  count.total_ns += took;
  count.maximum_ns = std::max(count.maximum_ns, took);
  ++count.histogram.at(took == 0 ? 0 : static_cast<std::size_t>(std::bit_width(took)) - 1);
}

ExitStatistics ExitTrace::read(std::uint64_t now_ns) {
  const std::lock_guard reading(read_mutex_);
  const bool begins = now_ns > until_ns_.load(std::memory_order_relaxed);
  if (begins) begin_ns_ = now_ns;
  std::map<std::uint64_t, Count> counts;  // in the kinds' order, which is stable
  ExitStatistics statistics;
  for (PerVcpu& vcpu : vcpus_) {
    const std::lock_guard lock(vcpu.mutex);
    if (begins) vcpu.counts.clear();
    if (begins) vcpu.untold = 0;
    statistics.untold += vcpu.untold;
    for (const auto& [kind, count] : vcpu.counts) counts[kind].add(count);
  }
  until_ns_.store(now_ns + kLeaseNs, std::memory_order_relaxed);
  statistics.elapsed_ns = now_ns - begin_ns_;
  for (const auto& [kind, count] : counts) statistics.exits.push_back(describe_kind(kind, count));
  return statistics;
}

ExitCount ExitTrace::describe_kind(std::uint64_t kind, const Count& count) {
  const auto reason = static_cast<std::uint32_t>(kind >> kReasonShift);
  const bool is_write = (kind >> kWriteShift & 1) != 0;
  const std::uint64_t detail = kind & kDetailMask;
  ExitCount exit;
  exit.reason = name_in(kReasons, reason, "exit reason");
  exit.td_vmcall = td_vmcall_of(reason, detail);
  if (reason == kvm::KVM_EXIT_IO) exit.port = static_cast<std::uint16_t>(detail);
  if (reason == kvm::KVM_EXIT_MMIO) exit.gpa = detail * kPageSize;
  if (reason == kvm::KVM_EXIT_IO || reason == kvm::KVM_EXIT_MMIO) exit.write = is_write;
  exit.count = count.count;
  exit.total_ns = count.total_ns;
  exit.maximum_ns = count.maximum_ns;
  const auto last =
      std::find_if(count.histogram.rbegin(), count.histogram.rend(), [](auto number) { return number != 0; });
  exit.histogram.assign(count.histogram.begin(), last.base());
  return exit;
}

}  // namespace virttdx
