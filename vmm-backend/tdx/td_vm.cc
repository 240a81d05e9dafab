// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_vm.h"

#include <algorithm>
#include <cerrno>

#include "support/log.h"
#include "tdx/explained.h"
#include "tdx/key_ids.h"
#include "tdx/td_cpuid.h"
#include "tdx/td_hob.h"

namespace virttdx {
namespace {

QuoteServiceConfig quote_service_of(const TdConfig& config) {
  QuoteServiceConfig service;
  service.wait = std::chrono::milliseconds(config.quote_wait_ms);
  if (const auto& text = config.quote_service_socket)
    // validate() has accepted it.
    service.address = *qgs::parse_address(*text);
  return service;
}

MonitorMeasurements measure(const TdConfig& td, std::span<const TdPageRange> pages, const Measurement& mrtd) {
  MonitorMeasurements measurements;
  measurements.mrtd = mrtd;
  measurements.attributes = td.attributes;
  measurements.xfam = td.xfam;
  measurements.gpaw = gpaw_of(td.cpuid);
  for (const TdPageRange& range : pages) {
    measurements.pages_added += range.memory.size() / kPageSize;
    if (range.measured) measurements.pages_measured += range.memory.size() / kPageSize;
  }
  return measurements;
}

/// KVM_TDX_INIT_VM takes a key id: ENOSPC when the host has none left, EBUSY when the cgroup may have no
/// more.
Error with_key_ids(Error error) {
  const bool took_key_id = kvm_request_in(error.message()) == KvmRequest::TdxInitVm &&
                           (error.system_errno() == ENOSPC || error.system_errno() == EBUSY);
  const std::string key_ids = took_key_id ? describe_key_ids() : "";
  if (key_ids.empty()) return error;
  return {error.code(), error.message() + "; " + key_ids, error.system_errno()};
}

}  // namespace

Result<std::unique_ptr<TdVm>> TdVm::launch(KernelCalls& kernel, const VmConfig& config, const Tdvf& tdvf) {
  MemoryLayout layout = TRY(memory_layout(config.memory_bytes, tdvf.image.size()));
  const auto hob = TRY(build_td_hob(tdvf, layout));
  const auto pages = td_page_list(tdvf, hob);
  const Measurement mrtd = TRY(predict_mrtd(pages));
  auto kvm = TRY(explained(Kvm::open(kernel)));
  const bool is_kernel = config.host == HostKind::Kvm;
  if (is_kernel) TRY(check_key_ids());
  auto launched = launch_td(kvm, {config.td, x2apic_ids(config.vcpu_ids, config.vcpu_count), layout, pages,
                                  tdvf.td_hob().memory.base(), config.shared_page_bytes});
  if (!launched && is_kernel) return tl::unexpected<Error>(with_key_ids(std::move(launched).error()));
  LaunchedTd td = TRY(std::move(launched));
  auto statistics = TRY(explained(TdStatistics::open(*td.vm, td.vcpus)));
  std::unique_ptr<TdVm> vm(new TdVm(std::move(td), std::move(statistics), std::move(layout), config.td));
  vm->measurements_ = measure(config.td, pages, mrtd);
  return vm;
}

TdVm::TdVm(LaunchedTd td, TdStatistics statistics, MemoryLayout layout, const TdConfig& config)
    : td_(std::move(td)),
      statistics_(std::move(statistics)),
      exits_(static_cast<std::uint32_t>(td_.vcpus.size())),
      layout_(std::move(layout)),
      td_vmcalls_(*td_.memory, td_.capabilities, quote_service_of(config),
                  [this](const MsiMessage& message) { signal(message); }),
      doorbells_(*td_.vm),
      irqfds_(*td_.vm) {}

void TdVm::signal(const MsiMessage& message) const {
  if (const auto sent = td_.vm->signal_msi(message.address, message.data); !sent)
    log::debug("{}", sent.error().message());
}

Result<> TdVm::start(PortBus& ports, MmioBus& mmio, VcpuThread::StopHandler on_stop, ExitTrace* trace) {
  CHECK(threads_.empty());
  on_stop_ = std::move(on_stop);
  const ExitServices services{ports, mmio, *td_.memory, td_vmcalls_, trace, &exits_};
  for (KvmVcpu& vcpu : td_.vcpus)
    threads_.push_back(
        TRY(VcpuThread::create(vcpu, services, [this](const VcpuStop& stop) { finish(stop); })));
  return {};
}

void TdVm::resume() {
  if (stopped_) return;
  for (const auto& thread : threads_) thread->resume();
}

void TdVm::pause() {
  for (const auto& thread : threads_) thread->request_pause();
  td_vmcalls_.release_vcpus();
  for (const auto& thread : threads_) thread->wait_paused();
}

void TdVm::stop() {
  stopped_ = true;
  for (const auto& thread : threads_) thread->request_pause();
  td_vmcalls_.release_vcpus();
  for (const auto& thread : threads_) thread->end();
}

void TdVm::finish(const VcpuStop& stop) {
  if (stopped_.exchange(true)) return;
  for (const auto& thread : threads_) thread->request_pause();
  on_stop_(stop);
}

std::vector<std::uint64_t> TdVm::vcpu_time_ns() const {
  std::vector<std::uint64_t> times;
  std::ranges::transform(threads_, std::back_inserter(times),
                         [](const auto& thread) { return thread->cpu_time_ns(); });
  return times;
}

Result<HypervisorStatistics> TdVm::statistics() const {
  auto statistics = TRY(statistics_.read());
  auto& vcpus = statistics.vcpus;
  std::ranges::copy(ExitCounts::columns(), std::back_inserter(vcpus.columns));
  for (std::uint32_t id = 0; id < vcpus.rows.size(); ++id)
    std::ranges::copy(exits_.read(id), std::back_inserter(vcpus.rows[id]));
  return statistics;
}

}  // namespace virttdx
