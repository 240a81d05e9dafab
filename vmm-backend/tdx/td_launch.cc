// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_launch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "kvm/cpuid_buffer.h"
#include "memory/anonymous_mapping.h"
#include "tdx/explained.h"
#include "tdx/td_cpuid.h"

namespace virttdx {
namespace {

/// The TDX module's virtual APIC timer counts at 25 MHz.
constexpr std::uint64_t kApicBusCycleNanoseconds = 40;
/// Bounds for answers that mean "again" (no entropy, a busy lock): a host that never stops giving them is
/// broken.
constexpr int kRetryLimit = 10000;

Result<> tdx_checked(KvmRequest request, const TdxAnswer& answer, std::string_view what) {
  if (answer.answer >= 0) return {};
  const TdxFailure failure = failure_of(request, answer);
  return tl::unexpected<Error>(explained_error(what, failure, explain_tdx(failure)));
}

/// Calls while it answers -`again`, at most kRetryLimit times.
template <typename Call>
TdxAnswer retried(int again, Call call) {
  TdxAnswer answer = call();
  for (int tries = 1; answer.answer == -again && tries < kRetryLimit; ++tries) {
    std::this_thread::yield();
    answer = call();
  }
  return answer;
}

Result<KvmVm> create_td(Kvm& kvm, std::uint32_t vcpu_count) {
  if (!kvm.has_vm_type(kvm::KVM_X86_TDX_VM))
    return fail(Error::Code::Unsupported, "{}", explain_missing_tdx());
  auto vm = TRY(explained(kvm.create_vm(kvm::KVM_X86_TDX_VM)));
  const int maximum = vm.check_extension(kvm::KVM_CAP_MAX_VCPUS);
  if (std::cmp_greater(vcpu_count, maximum))
    return fail(Error::Code::ConfigUnsupported, "{} vCPUs: this host runs at most {} in a TD", vcpu_count,
                maximum);
  return vm;
}

Result<> enable_capabilities(KvmVm& vm) {
  TRY(vm.enable(kvm::KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP", kIoApicRoutes));
  TRY(vm.enable(kvm::KVM_CAP_EXIT_HYPERCALL, "KVM_CAP_EXIT_HYPERCALL", 1ULL << kvm::KVM_HC_MAP_GPA_RANGE));
  TRY(vm.enable(kvm::KVM_CAP_X2APIC_API, "KVM_CAP_X2APIC_API",
                kvm::KVM_X2APIC_API_USE_32BIT_IDS | kvm::KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK));
  return vm.enable(kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS, "KVM_CAP_X86_APIC_BUS_CYCLES_NS",
                   kApicBusCycleNanoseconds);
}

void copy_measurement(std::uint64_t (&into)[6], const Measurement& from) {
  static_assert(sizeof(into) == sizeof(from));
  std::memcpy(into, from.data(), from.size());
}

// KVM takes an entry whose index is not significant for every sub-leaf that it looks for, and
// KVM_TDX_CAPABILITIES marks none of those it lists.
CpuidEntries with_significant_indexes(CpuidEntries entries) {
  for (CpuidEntry& entry : entries) entry.index_significant = true;
  return entries;
}

/// Names the entry that KVM or the TDX module refused, or else all that KVM_TDX_INIT_VM was given.
Error init_vm_error(const Kvm& kvm, const LaunchedTd& launched, const TdConfig& td, const TdxAnswer& answer) {
  const TdxFailure failure = failure_of(KvmRequest::TdxInitVm, answer);
  TdConfig given = td;
  given.cpuid = with_significant_indexes(td.cpuid);
  const auto causes = explain_init_vm(given, known_host(kvm, launched.capabilities), failure);
  if (!causes.empty() && causes.front().certainty == TdxCertainty::Certain)
    return explained_error("KVM_TDX_INIT_VM", failure, causes);
  return explained_error(fmt::format("KVM_TDX_INIT_VM attributes {:#x} XFAM {:#x} with {} CPUID entries",
                                     td.attributes, td.xfam, td.cpuid.size()),
                         failure, causes);
}

Result<> init_vm(const Kvm& kvm, const LaunchedTd& launched, const TdConfig& td) {
  CpuidBuffer<kvm::kvm_tdx_init_vm> buffer(with_significant_indexes(td.cpuid));
  kvm::kvm_tdx_init_vm& init = buffer.header();
  init.attributes = td.attributes;
  init.xfam = td.xfam;
  copy_measurement(init.mrconfigid, td.mr_config_id);
  copy_measurement(init.mrowner, td.mr_owner);
  copy_measurement(init.mrownerconfig, td.mr_owner_config);
  const TdxAnswer answer =
      retried(EAGAIN, [&] { return launched.vm->tdx_command(kvm::KVM_TDX_INIT_VM, 0, &init); });
  if (answer.answer >= 0) return {};
  return tl::unexpected<Error>(init_vm_error(kvm, launched, td, answer));
}

Result<KvmVcpu> create_vcpu(KvmVm& vm, std::uint32_t id, const TdLaunchRequest& request) {
  auto vcpu = TRY(explained(vm.create_vcpu(id)));
  // KVM_TDX_INIT_VCPU fails unless the vCPU's CPUID has x2APIC by then.
  TRY(explained(vcpu.set_cpuid(cpuid_of_vcpu(request.td.vcpu_cpuid, id))));
  const TdxAnswer answer = vcpu.tdx_command(kvm::KVM_TDX_INIT_VCPU, 0, request.td_hob.value);
  if (answer.answer >= 0) return vcpu;
  const TdxFailure failure = failure_of(KvmRequest::TdxInitVcpu, answer);
  return tl::unexpected<Error>(explained_error(fmt::format("KVM_TDX_INIT_VCPU {}", id), failure,
                                               explain_init_vcpu(request.td, failure)));
}

/// Adds what is left of a region. KVM writes back how far it came, so that a call after EINTR or EAGAIN goes
/// on there.
Result<> init_mem_region(KvmVcpu& vcpu, kvm::kvm_tdx_init_mem_region& region, std::uint32_t flags) {
  for (int tries = 0; tries < kRetryLimit; ++tries) {
    const std::uint64_t left = region.nr_pages;
    const TdxAnswer answer = vcpu.tdx_command(kvm::KVM_TDX_INIT_MEM_REGION, flags, &region);
    if (answer.answer != -EINTR && answer.answer != -EAGAIN)
      return tdx_checked(
          KvmRequest::TdxInitMemRegion, answer,
          fmt::format("KVM_TDX_INIT_MEM_REGION {:#x} with {} pages left", region.gpa, region.nr_pages));
    if (region.nr_pages != left) tries = 0;
  }
  return fail(Error::Code::Busy, "KVM_TDX_INIT_MEM_REGION {:#x}: no progress in {} tries", region.gpa,
              kRetryLimit);
}

Result<> add_pages(KvmVcpu& vcpu, const GuestMemory& memory, const TdPageRange& range) {
  if (!memory.contains(range.memory))
    return fail(Error::Code::ConfigUnsupported,
                "firmware section {:#x}+{:#x} lies outside of the TD's memory and of its firmware's place "
                "below 4 GiB",
                range.memory.base().value, range.memory.size());
  const auto source = TRY(AnonymousMapping::create(range.memory.size()));
  std::ranges::copy(range.content, source.bytes().begin());
  // SAFETY: KVM reads the source during the call only.
  kvm::kvm_tdx_init_mem_region region{reinterpret_cast<std::uint64_t>(source.bytes().data()),
                                      range.memory.base().value, range.memory.size() / kPageSize};
  return init_mem_region(vcpu, region, range.measured ? kvm::KVM_TDX_MEASURE_MEMORY_REGION : 0);
}

Result<CpuidEntries> read_cpuid(KvmVcpu& vcpu) {
  auto buffer = TRY(explained(call_with_growing_buffer<kvm::kvm_cpuid2>("KVM_TDX_GET_CPUID", [&](auto& room) {
    return vcpu.tdx_command(kvm::KVM_TDX_GET_CPUID, 0, &room.header()).answer;
  })));
  return buffer.entries();
}

Result<CpuidReport> report_cpuid(std::span<KvmVcpu> vcpus, const TdConfig& td) {
  CpuidReport report;
  report.requested = td.cpuid;
  report.vcpu_requested = cpuid_of_vcpu(td.vcpu_cpuid, 0);
  report.actual = TRY(read_cpuid(vcpus.front()));
  std::size_t left = kCpuidDeviationsMaximum;
  for (std::uint32_t id = 1; id < vcpus.size(); ++id) {
    auto deviating = deviating_leaves(report.actual, TRY(read_cpuid(vcpus[id])));
    deviating.resize(std::min(deviating.size(), left));
    left -= deviating.size();
    if (!deviating.empty()) report.deviations.push_back({id, std::move(deviating)});
  }
  return report;
}

Result<> finalize(KvmVm& vm) {
  const TdxAnswer answer =
      retried(EBUSY, [&] { return vm.tdx_command(kvm::KVM_TDX_FINALIZE_VM, 0, std::uint64_t{0}); });
  return tdx_checked(KvmRequest::TdxFinalizeVm, answer, "KVM_TDX_FINALIZE_VM");
}

std::vector<GpaRange> regions_of(const MemoryLayout& layout) {
  std::vector<GpaRange> regions = layout.ram;
  regions.push_back(layout.firmware);
  return regions;
}

}  // namespace

Result<LaunchedTd> launch_td(Kvm& kvm, const TdLaunchRequest& request) {
  CHECK(!request.vcpu_ids.empty());
  LaunchedTd td;
  td.vm = std::make_unique<KvmVm>(TRY(create_td(kvm, static_cast<std::uint32_t>(request.vcpu_ids.size()))));
  td.capabilities = TRY(explained(read_tdx_capabilities(*td.vm)));
  TRY(explained(enable_capabilities(*td.vm)));
  if (request.td.tsc_khz != 0) TRY(explained(td.vm->set_tsc_khz(request.td.tsc_khz)));
  TRY(init_vm(kvm, td, request.td));
  const auto regions = regions_of(request.layout);
  td.memory = TRY(explained(
      GuestMemory::create(*td.vm, regions, {request.shared_page_bytes, request.layout.ram.size()})));
  for (const std::uint32_t id : request.vcpu_ids) td.vcpus.push_back(TRY(create_vcpu(*td.vm, id, request)));
  for (const TdPageRange& range : request.pages) TRY(add_pages(td.vcpus.front(), *td.memory, range));
  // Before FINALIZE: KVM refuses it on a TD that may run.
  td.cpuid = TRY(report_cpuid(td.vcpus, request.td));
  TRY(finalize(*td.vm));
  return td;
}

}  // namespace virttdx
