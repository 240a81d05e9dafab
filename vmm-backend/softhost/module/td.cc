// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/td.h"

#include <algorithm>
#include <cstring>

#include "softhost/module/td_vcpu.h"

namespace virttdx::softhost {

namespace {

using namespace tdx;

constexpr std::uint64_t kSmallPage = 4096, kLargePage = std::uint64_t{2} << 20;
constexpr std::uint64_t kInvalidRcx = status::kOperandInvalid | operand::kRcx;

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }

// What every write of a metadata field is checked for: some bit can be written, and none that cannot changes.
TdxStatus check_write(std::uint64_t old, std::uint64_t value, std::uint64_t mask, std::uint64_t writable) {
  if ((mask & writable) == 0) return status::kMetadataFieldNotWritable;
  return (old ^ value) & mask & ~writable ? status::kMetadataFieldValueNotValid : status::kSuccess;
}

}  // namespace

Td::Td(const TdxModule& module) : module_(module), cpuid_(module) {}
Td::~Td() = default;

Td::InitResult Td::mng_init(const TdParameters& parameters) {
  if (state_ != TdState::Uninitialized) return {status::kOpStateIncorrect};
  const auto check = check_parameters(parameters, module_);
  if (check.status != status::kSuccess) return {check.status, check.rcx};
  parameters_ = parameters;
  cpuid_.configure(
      {parameters.attributes, parameters.xfam, parameters.config_flags, parameters.tsc_frequency},
      parameters.cpuid_config);
  if (parameters.attributes & bit(attribute::kSeptVeDisable))
    controls_.td_ctls = bit(td_control::kPendingVeDisable);
  measurement_ = std::make_unique<MrtdContext>();
  state_ = TdState::Initialized;
  return {status::kSuccess};
}

Td::NewVcpu Td::vp_init(std::uint64_t initial_rcx, std::uint32_t x2apic_id) {
  if (state_ != TdState::Initialized) return {status::kOpStateIncorrect, nullptr};
  if (vcpu_count_ >= parameters_.max_vcpus) return {status::kMaxVcpusExceeded, nullptr};
  if (std::find(x2apic_ids_.begin(), x2apic_ids_.end(), x2apic_id) != x2apic_ids_.end())
    return {status::kX2apicIdNotUnique, nullptr};
  x2apic_ids_.push_back(x2apic_id);
  return {status::kSuccess, std::make_unique<TdVcpu>(*this, vcpu_count_++, initial_rcx, x2apic_id)};
}

TdxStatus Td::check_private_page(std::uint64_t gpa, unsigned level) const {
  if (level > 1 || gpa % (level ? kLargePage : kSmallPage) || !is_private(gpa)) return kInvalidRcx;
  return status::kSuccess;
}

TdxStatus Td::mem_page_add(std::uint64_t gpa, std::span<const std::byte, 4096> source, std::byte* host) {
  if (state_ != TdState::Initialized) return status::kOpStateIncorrect;
  if (const auto check = check_private_page(gpa, 0); check != status::kSuccess) return check;
  if (!memory_.map(gpa, 0, host, PageState::Mapped)) return status::kEptEntryNotFree | operand::kRcx;
  std::memmove(host, source.data(), source.size());
  measurement_->page_add(gpa);
  return status::kSuccess;
}

TdxStatus Td::mr_extend(std::uint64_t gpa) {
  if (state_ != TdState::Initialized) return status::kOpStateIncorrect;
  if (gpa % kExtendChunkSize || !is_private(gpa)) return kInvalidRcx;
  const auto page = memory_.walk(gpa);
  if (page.state != PageState::Mapped) return status::kEptEntryFree | operand::kRcx;
  measurement_->extend(
      gpa, std::span<const std::byte, kExtendChunkSize>(page.host + gpa % kSmallPage, kExtendChunkSize));
  return status::kSuccess;
}

TdxStatus Td::mr_finalize() {
  if (state_ != TdState::Initialized) return status::kOpStateIncorrect;
  if (vcpu_count_ == 0) return status::kNoVcpus;
  mrtd_ = measurement_->finish();
  measurement_.reset();
  state_ = TdState::Runnable;
  return status::kSuccess;
}

TdxStatus Td::mem_page_aug(std::uint64_t gpa, unsigned level, std::byte* host, bool host_is_zero) {
  if (state_ == TdState::Uninitialized) return status::kOpStateIncorrect;
  if (const auto check = check_private_page(gpa, level); check != status::kSuccess) return check;
  if (!memory_.map(gpa, level, host, PageState::Pending, host_is_zero))
    return status::kEptEntryNotFree | operand::kRcx;
  return status::kSuccess;
}

TdxStatus Td::mem_page_demote(std::uint64_t gpa) {
  return memory_.demote(gpa) ? status::kSuccess : status::kEptEntryFree | operand::kRcx;
}

std::uint64_t Td::mem_page_remove(std::uint64_t gpa, std::uint64_t size) { return memory_.unmap(gpa, size); }

std::optional<MeasurementValue> Td::mrtd() const { return mrtd_; }

MeasurementValue Td::rtmr(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return rtmrs_.at(index);
}

void Td::extend_rtmr(std::size_t index, const MeasurementValue& data) {
  const std::lock_guard lock(mutex_);
  std::array<std::byte, 2 * kMeasurementSize> both;
  const auto middle = std::copy(rtmrs_.at(index).begin(), rtmrs_.at(index).end(), both.begin());
  std::copy(data.begin(), data.end(), middle);
  rtmrs_[index] = sha384(both);
}

unsigned Td::gpaw() const { return parameters_.config_flags & bit(config_flag::kGpaw) ? 52 : 48; }

TdControls Td::controls() const {
  const std::lock_guard lock(mutex_);
  return controls_;
}

Td::ControlWrite Td::write_td_ctls(std::uint64_t value, std::uint64_t mask) {
  constexpr auto kTopology = bit(td_control::kEnumTopology), kCpuid2 = bit(td_control::kVirtCpuid2),
                 kReduceVe = bit(td_control::kReduceVe), kLock = bit(td_control::kLock),
                 kPendingVe = bit(td_control::kPendingVeDisable);
  const std::lock_guard lock(mutex_);
  const auto old = controls_.td_ctls;
  const auto allowed = check_write(old, value, mask, kPendingVe | kTopology | kCpuid2 | kReduceVe | kLock);
  if (allowed != status::kSuccess) return {allowed, old};
  const auto changed = (old ^ value) & mask;
  auto written = old ^ changed;
  if (written & kReduceVe) written |= kTopology | kCpuid2;
  const bool fixed_pending_ve = !(parameters_.config_flags & bit(config_flag::kFlexiblePendingVe));
  if ((old & kLock && changed) || (fixed_pending_ve && changed & kPendingVe) ||
      (!topology_enum_configured() && written & kTopology))
    return {status::kMetadataFieldValueNotValid, old};
  controls_.td_ctls = written;
  return {status::kSuccess, old};
}

Td::ControlWrite Td::write_notify_enables(std::uint64_t value, std::uint64_t mask) {
  constexpr std::uint64_t kWritable = 1;
  const std::lock_guard lock(mutex_);
  const auto old = controls_.notify_enables;
  const auto allowed = check_write(old, value, mask, kWritable);
  if (allowed == status::kSuccess) controls_.notify_enables ^= (old ^ value) & mask;
  return {allowed, old};
}

Td::ControlWrite Td::write_feature_paravirt_ctls(std::uint64_t value, std::uint64_t mask) {
  const std::lock_guard lock(mutex_);
  const auto old = controls_.feature_paravirt_ctls;
  const auto allowed = check_write(old, value, mask, feature_paravirt::kAll);
  if (allowed != status::kSuccess) return {allowed, old};
  const auto changed = (old ^ value) & mask;
  if (controls_.td_ctls & bit(td_control::kLock) && changed)
    return {status::kMetadataFieldValueNotValid, old};
  controls_.feature_paravirt_ctls ^= changed;
  return {status::kSuccess, old};
}

}  // namespace virttdx::softhost
