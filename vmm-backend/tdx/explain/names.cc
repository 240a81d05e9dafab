// SPDX-License-Identifier: GPL-2.0-or-later
// Names of requests, errnos, statuses and SEAMCALL leaves, both ways.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "tdx/explain/names.h"
#include "tdx/tdx_names_spec.h"
#include "tdx/tdx_spec.h"
#include "vmm_backend/tdx_explain.h"

namespace virttdx {
namespace {

struct RequestName {
  KvmRequest request;
  std::string_view name;
};

// The first name of a request is the one to print.
constexpr RequestName kRequestNames[] = {
    {KvmRequest::OpenKvm, "/dev/kvm"},
    {KvmRequest::CreateVm, "KVM_CREATE_VM"},
    {KvmRequest::EnableSplitIrqchip, "KVM_CAP_SPLIT_IRQCHIP"},
    {KvmRequest::EnableExitHypercall, "KVM_CAP_EXIT_HYPERCALL"},
    {KvmRequest::EnableX2apicApi, "KVM_CAP_X2APIC_API"},
    {KvmRequest::EnableApicBusCycles, "KVM_CAP_X86_APIC_BUS_CYCLES_NS"},
    {KvmRequest::SetTscKhz, "KVM_SET_TSC_KHZ"},
    {KvmRequest::CreateIrqchip, "KVM_CREATE_IRQCHIP"},
    {KvmRequest::CreateGuestMemfd, "KVM_CREATE_GUEST_MEMFD"},
    {KvmRequest::SetUserMemoryRegion, "KVM_SET_USER_MEMORY_REGION2"},
    {KvmRequest::SetUserMemoryRegion, "KVM_SET_USER_MEMORY_REGION"},
    {KvmRequest::SetMemoryAttributes, "KVM_SET_MEMORY_ATTRIBUTES"},
    {KvmRequest::PreFaultMemory, "KVM_PRE_FAULT_MEMORY"},
    {KvmRequest::CreateVcpu, "KVM_CREATE_VCPU"},
    {KvmRequest::SetCpuid2, "KVM_SET_CPUID2"},
    {KvmRequest::TdxCapabilities, "KVM_TDX_CAPABILITIES"},
    {KvmRequest::TdxInitVm, "KVM_TDX_INIT_VM"},
    {KvmRequest::TdxInitVcpu, "KVM_TDX_INIT_VCPU"},
    {KvmRequest::TdxInitMemRegion, "KVM_TDX_INIT_MEM_REGION"},
    {KvmRequest::TdxFinalizeVm, "KVM_TDX_FINALIZE_VM"},
    {KvmRequest::TdxGetCpuid, "KVM_TDX_GET_CPUID"},
    {KvmRequest::Run, "KVM_RUN"},
    {KvmRequest::Seamcall, "SEAMCALL"},
};

constexpr int kLargestErrno = EHWPOISON;

const char* name_in(std::span<const tdx::NumberName> names, std::uint64_t value) {
  const auto found = std::ranges::find(names, value, &tdx::NumberName::value);
  return found == names.end() ? nullptr : found->name;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

bool is_constant_character(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

}  // namespace

std::size_t find_word(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_constant_character(text[at - 1])) &&
        (end == text.size() || !is_constant_character(text[end])))
      return at;
  }
  return std::string_view::npos;
}

bool is_tdx_status(std::uint64_t value) {
  return name_in(tdx::kStatusNames, value & tdx::status::kClassMask) != nullptr &&
         (value & tdx::status::kClassMask) != 0;
}

std::optional<std::uint64_t> seamcall_of_name(std::string_view name) {
  if (!name.starts_with("TDH_")) return std::nullopt;
  const auto* const found =
      std::ranges::find(tdx::kSeamcallNames, name.substr(4),
                        [](const tdx::NumberName& row) { return std::string_view(row.name); });
  if (found == std::end(tdx::kSeamcallNames)) return std::nullopt;
  return found->value;
}

std::string_view kvm_request_name(KvmRequest request) {
  const auto* const found = std::ranges::find(kRequestNames, request, &RequestName::request);
  return found == std::end(kRequestNames) ? "unknown" : found->name;
}

std::optional<KvmRequest> kvm_request_of_name(std::string_view name) {
  const std::string wanted = upper(name);
  for (const std::string_view prefix : {"", "KVM_", "KVM_TDX_", "KVM_CAP_"})
    for (const RequestName& row : kRequestNames)
      if (upper(row.name) == std::string(prefix) + wanted) return row.request;
  return std::nullopt;
}

std::optional<KvmRequest> kvm_request_in(std::string_view text) {
  std::size_t first = std::string_view::npos;
  std::optional<KvmRequest> result;
  for (const RequestName& row : kRequestNames)
    if (const std::size_t at = find_word(text, row.name); at < first) {
      first = at;
      result = row.request;
    }
  return result;
}

std::string describe_tdx_status(std::uint64_t status) {
  const std::uint64_t status_class = status & tdx::status::kClassMask;
  const char* const name = name_in(tdx::kStatusNames, status_class);
  if (name == nullptr) return fmt::format("TDX module status {:#x}", status);
  const bool has_operand =
      status_class == tdx::status::kOperandInvalid || status_class == tdx::status::kOperandBusy;
  const char* const operand =
      has_operand ? name_in(tdx::kOperandNames, status & ~tdx::status::kClassMask) : nullptr;
  if (operand == nullptr) return fmt::format("{} ({:#x})", name, status);
  return fmt::format("{}, operand {} ({:#x})", name, operand, status);
}

std::string seamcall_name(std::uint64_t leaf) {
  // RAX bits 23:16 are the leaf's version.
  const char* const name = name_in(tdx::kSeamcallNames, leaf & 0xFFFF);
  if (name == nullptr) return fmt::format("{}", leaf);
  std::string text = fmt::format("TDH.{}", name);
  std::ranges::replace(text, '_', '.');
  return text;
}

std::string errno_name(int system_errno) {
  const char* const name = strerrorname_np(system_errno);
  return name == nullptr ? fmt::format("errno {}", system_errno) : name;
}

std::optional<int> errno_of_name(std::string_view name) {
  const std::string_view digits = name.starts_with('-') ? name.substr(1) : name;
  int number = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (status == std::errc() && end == digits.data() + digits.size() && number > 0 && number <= kLargestErrno)
    return number;
  const std::string wanted = upper(name);
  if (wanted == "ENOTSUP") return EOPNOTSUPP;
  if (wanted == "EWOULDBLOCK") return EAGAIN;
  for (int candidate = 1; candidate <= kLargestErrno; ++candidate)
    if (const char* const known = strerrorname_np(candidate); known != nullptr && known == wanted)
      return candidate;
  return std::nullopt;
}

}  // namespace virttdx
