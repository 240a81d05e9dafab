// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/status_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "tdx/tdx_spec.h"

namespace virttdx {
namespace {

struct Name {
  std::uint64_t value;
  const char* name;
};

constexpr Name kStatusNames[] = {
    {tdx::status::kNonRecoverableVcpu, "TDX_NON_RECOVERABLE_VCPU"},
    {tdx::status::kOperandInvalid, "TDX_OPERAND_INVALID"},
    {tdx::status::kOperandBusy, "TDX_OPERAND_BUSY"},
    {tdx::status::kOpStateIncorrect, "TDX_OP_STATE_INCORRECT"},
    {tdx::status::kNoVcpus, "TDX_NO_VCPUS"},
    {tdx::status::kX2apicIdNotUnique, "TDX_X2APIC_ID_NOT_UNIQUE"},
    {tdx::status::kMaxVcpusExceeded, "TDX_MAX_VCPUS_EXCEEDED"},
    {tdx::status::kCpuidLeaf1fFormatUnrecognized, "TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED"},
};

constexpr Name kOperandNames[] = {
    {tdx::operand::kRcx, "RCX"},
    {tdx::operand::kRdx, "RDX"},
    {tdx::operand::kR8, "R8"},
    {tdx::operand::kAttributes, "ATTRIBUTES"},
    {tdx::operand::kXfam, "XFAM"},
    {tdx::operand::kExecControls, "EXEC_CONTROLS"},
    {tdx::operand::kEptpControls, "EPTP_CONTROLS"},
    {tdx::operand::kMaxVcpus, "MAX_VCPUS"},
    {tdx::operand::kCpuidConfig, "CPUID_CONFIG"},
    {tdx::operand::kTscFrequency, "TSC_FREQUENCY"},
    {tdx::operand::kNumL2Vms, "NUM_L2_VMS"},
    {tdx::operand::kArchCapabilitiesConfig, "IA32_ARCH_CAPABILITIES_CONFIG"},
};

template <std::size_t N>
const char* name_in(const Name (&names)[N], std::uint64_t value) {
  const Name* const found = std::ranges::find(names, value, &Name::value);
  return found == std::end(names) ? nullptr : found->name;
}

}  // namespace

std::string describe_tdx_status(std::uint64_t status) {
  const std::uint64_t status_class = status & tdx::status::kClassMask;
  const char* const name = name_in(kStatusNames, status_class);
  if (name == nullptr) return fmt::format("TDX module status {:#x}", status);
  const char* const operand =
      status_class == tdx::status::kOperandInvalid || status_class == tdx::status::kOperandBusy
          ? name_in(kOperandNames, status & ~tdx::status::kClassMask)
          : nullptr;
  if (operand == nullptr) return fmt::format("{} ({:#x})", name, status);
  return fmt::format("{}, operand {} ({:#x})", name, operand, status);
}

}  // namespace virttdx
