// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/fault_injector.h"

#include <cstddef>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/caller_memory.h"

namespace virttdx::softhost {
namespace {

struct PointOfRequest {
  unsigned long request;
  FaultPoint point;
};

constexpr std::array kRequests = {
    PointOfRequest{kvm::KVM_GET_SUPPORTED_CPUID, FaultPoint::GetSupportedCpuid},
    PointOfRequest{kvm::KVM_CREATE_VM, FaultPoint::CreateVm},
    PointOfRequest{kvm::KVM_ENABLE_CAP, FaultPoint::EnableCap},
    PointOfRequest{kvm::KVM_SET_TSC_KHZ, FaultPoint::SetTscKhz},
    PointOfRequest{kvm::KVM_SET_USER_MEMORY_REGION2, FaultPoint::SetUserMemoryRegion2},
    PointOfRequest{kvm::KVM_SET_MEMORY_ATTRIBUTES, FaultPoint::SetMemoryAttributes},
    PointOfRequest{kvm::KVM_CREATE_GUEST_MEMFD, FaultPoint::CreateGuestMemfd},
    PointOfRequest{kvm::KVM_CREATE_VCPU, FaultPoint::CreateVcpu},
    PointOfRequest{kvm::KVM_SET_CPUID2, FaultPoint::SetCpuid2},
    PointOfRequest{kvm::KVM_RUN, FaultPoint::Run},
    PointOfRequest{kvm::KVM_SIGNAL_MSI, FaultPoint::SignalMsi},
    PointOfRequest{kvm::KVM_SET_GSI_ROUTING, FaultPoint::SetGsiRouting},
    PointOfRequest{kvm::KVM_IRQFD, FaultPoint::Irqfd},
    PointOfRequest{kvm::KVM_IOEVENTFD, FaultPoint::Ioeventfd},
};

// By kvm_tdx_cmd::id.
constexpr std::array kCommands = {
    FaultPoint::TdxCapabilities,  FaultPoint::TdxInitVm,     FaultPoint::TdxInitVcpu,
    FaultPoint::TdxInitMemRegion, FaultPoint::TdxFinalizeVm, FaultPoint::TdxGetCpuid,
};

std::optional<FaultPoint> point_of(unsigned long request, std::uintptr_t argument) {
  if (request == kvm::KVM_MEMORY_ENCRYPT_OP) {
    kvm::kvm_tdx_cmd command{};
    if (read_argument(argument, command) != 0 || command.id >= kCommands.size()) return std::nullopt;
    return kCommands.at(command.id);
  }
  for (const auto& row : kRequests)
    if (row.request == request) return row.point;
  return std::nullopt;
}

}  // namespace

std::optional<SoftFault> FaultInjector::arrive(FaultPoint point) {
  if (faults_.empty()) return std::nullopt;
  const std::lock_guard guard(mutex_);
  const std::uint64_t arrival = ++arrivals_.at(static_cast<std::size_t>(point));
  for (const SoftFault& fault : faults_)
    if (fault.at == point && arrival >= fault.first && arrival - fault.first < fault.count) return fault;
  return std::nullopt;
}

std::optional<SoftFault> FaultInjector::arrive_at_ioctl(unsigned long request, std::uintptr_t argument) {
  if (faults_.empty()) return std::nullopt;
  const auto point = point_of(request, argument);
  if (!point) return std::nullopt;
  auto fault = arrive(*point);
  if (fault && fault->hw_error != 0)
    (void)write_argument(argument + offsetof(kvm::kvm_tdx_cmd, hw_error), fault->hw_error);
  return fault;
}

}  // namespace virttdx::softhost
