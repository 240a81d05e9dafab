// SPDX-License-Identifier: GPL-2.0-or-later
// TDG.VM.RD, TDG.VM.WR and TDG.SYS.RD. Intel TDX Module ABI Specification, "Metadata Abstraction". A field id
// is matched by its class and field code: guests pass ids with and without the context and size bits.
#include "softhost/module/td_vcpu.h"
#include "support/byte_order.h"
#include "tdx/tdx_spec.h"

namespace virttdx::softhost {

namespace {

using namespace tdx;

std::optional<std::uint64_t> scalar_field(const Td& td, std::uint64_t field) {
  const auto& parameters = td.parameters();
  switch (field) {
    case field::kAttributes:
      return parameters.attributes;
    case field::kXfam:
      return parameters.xfam;
    case field::kMaxVcpus:
      return parameters.max_vcpus;
    case field::kGpaw:
      return td.gpaw() == 52;
    case field::kTscFrequency:
      return parameters.tsc_frequency;
    case field::kNotifyEnables:
      return td.controls().notify_enables;
    case field::kConfigFlags:
      return parameters.config_flags;
    case field::kTdCtls:
      return td.controls().td_ctls;
    case field::kVirtMaxpa:
      return td.cpuid().value(0x80000008, 0)->eax & 0xFF;
    case field::kTopologyEnumConfigured:
      return td.topology_enum_configured();
    case field::kCpuidFixed0Bitmap:
      return kCpuidFixed0Bitmap;
    case field::kFeatureParavirtCtls:
      return td.controls().feature_paravirt_ctls;
    case field::kNumVcpus:
      return td.vcpu_count();
    default:
      return std::nullopt;
  }
}

// Measurements are six elements of 8 bytes each, RTMRs one after the other.
std::optional<std::uint64_t> measurement_field(const Td& td, std::uint64_t field) {
  constexpr std::uint64_t kElements = kMeasurementSize / 8;
  const auto element = [field](std::uint64_t first, const MeasurementValue& value) {
    return load_le<std::uint64_t>(value, (field - first) % kElements * 8);
  };
  const auto within = [field](std::uint64_t first, std::uint64_t count) { return field - first < count; };
  const auto& parameters = td.parameters();
  if (within(field::kMrtd, kElements)) return element(field::kMrtd, td.mrtd().value_or(MeasurementValue{}));
  if (within(field::kMrConfigId, kElements)) return element(field::kMrConfigId, parameters.mr_config_id);
  if (within(field::kMrOwner, kElements)) return element(field::kMrOwner, parameters.mr_owner);
  if (within(field::kMrOwnerConfig, kElements))
    return element(field::kMrOwnerConfig, parameters.mr_owner_config);
  if (within(field::kRtmr, kElements * kRtmrCount))
    return element(field::kRtmr, td.rtmr((field - field::kRtmr) / kElements));
  return std::nullopt;
}

}  // namespace

std::uint64_t TdVcpu::vm_rd(Registers& registers) const {
  if (registers.gpr[kRcx] != 0) return status::kOperandInvalid | operand::kRcx;
  const auto field = registers.gpr[kRdx] & field::kClassAndCodeMask;
  auto value = scalar_field(td_, field);
  if (!value) value = measurement_field(td_, field);
  registers.gpr[kR8] = value.value_or(0);
  return value ? status::kSuccess : status::kMetadataFieldIdIncorrect;
}

std::uint64_t TdVcpu::vm_wr(Registers& registers) {
  if (registers.gpr[kRcx] != 0) return status::kOperandInvalid | operand::kRcx;
  const auto field = registers.gpr[kRdx] & field::kClassAndCodeMask;
  const auto value = registers.gpr[kR8], mask = registers.gpr[kR9];
  Td::ControlWrite written{status::kMetadataFieldNotWritable};
  if (field == field::kTdCtls)
    written = td_.write_td_ctls(value, mask);
  else if (field == field::kNotifyEnables)
    written = td_.write_notify_enables(value, mask);
  else if (field == field::kFeatureParavirtCtls)
    written = td_.write_feature_paravirt_ctls(value, mask);
  else if (!scalar_field(td_, field) && !measurement_field(td_, field))
    written.status = status::kMetadataFieldIdIncorrect;
  registers.gpr[kR8] = written.old_value;
  return written.status;
}

std::uint64_t TdVcpu::sys_rd(Registers& registers) const {
  const auto value = td_.module().system_field(registers.gpr[kRdx]);
  registers.gpr[kR8] = value.value_or(0);
  return value ? status::kSuccess : status::kMetadataFieldIdIncorrect;
}

}  // namespace virttdx::softhost
