// SPDX-License-Identifier: GPL-2.0-or-later
// XSAVE and its relatives, XGETBV and XSETBV (Intel SDM volume 1, chapter 13). The engine never has
// CR4.OSXSAVE set, so that all of them come here: it knows neither compacted areas nor XSS, and takes every
// component of its own for XCR0.
#include <algorithm>
#include <array>
#include <cstring>

#include "softhost/cpu/emulated_instructions.h"
#include "softhost/cpu/extended_state.h"
#include "softhost/cpu/unicorn_engine.h"
#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

namespace {

using state_component::bit;
using state_component::kCetSupervisor;
using state_component::kCetUser;
using state_component::kSse;
using state_component::kX87;

constexpr std::uint64_t kLegacyComponents = bit(kX87) | bit(kSse);
constexpr std::size_t kHeaderAt = kLegacyImageSize;
/// MSRs of the CET components in the order of their images (SDM volume 1, 13.5.9).
constexpr std::array<std::uint32_t, 2> kCetUserMsrs = {0x6a0, 0x6a7};
constexpr std::array<std::uint32_t, 3> kCetSupervisorMsrs = {0x6a4, 0x6a5, 0x6a6};

struct Header {
  std::uint64_t xstate_bv = 0, xcomp_bv = 0;
  std::array<std::uint64_t, 6> reserved{};
};

/// As large as a compacted area of this processor can be.
using Area = std::array<std::byte, kLegacyImageSize + kXsaveHeaderSize + 64>;

LegacyImage legacy_part(Area& area) { return std::span(area).first<kLegacyImageSize>(); }

Header header_of(const Area& area) {
  Header header;
  std::memcpy(&header, area.data() + kHeaderAt, sizeof(header));
  return header;
}

/// SDM volume 1, 13.8.1 and 13.8.2, and XRSTORS' in 13.12.
bool header_is_valid(const Header& header, std::uint64_t allowed, bool must_be_compacted) {
  const bool compacted = header.xcomp_bv & kCompacted;
  if (std::any_of(header.reserved.begin(), header.reserved.begin() + 1, [](auto word) { return word != 0; }))
    return false;
  if (!compacted) return !must_be_compacted && header.xcomp_bv == 0 && !(header.xstate_bv & ~allowed);
  const bool rest_is_zero =
      std::all_of(header.reserved.begin(), header.reserved.end(), [](auto word) { return word == 0; });
  const std::uint64_t components = header.xcomp_bv & ~kCompacted;
  return rest_is_zero && !(components & ~allowed) && !(header.xstate_bv & ~components);
}

bool is_supervisor_form(Emulated what) { return what == Emulated::Xsaves || what == Emulated::Xrstors; }

}  // namespace

std::uint64_t UnicornEngine::requested_components(bool supervisor_form) {
  const std::uint64_t mask = (context_.gpr(kRax) & 0xffffffff) | context_.gpr(kRdx) << 32;
  return mask & (xcr0_ | (supervisor_form ? xss() : 0));
}

std::uint64_t UnicornEngine::xss() {
  std::uint64_t value = 0;
  if (environment_.read_msr(msr::kXss, value) != Outcome::Continue) value = 0;
  return value;
}

/// #UD, #NM and #GP that come before the area is looked at.
bool UnicornEngine::xsave_may_start(bool supervisor_form, std::uint64_t address) {
  constexpr std::uint64_t kAreaAlignment = 64;
  if (!(guest_cr4() & cr4::kOsxsave)) {
    raise(vector::kInvalidOpcode);
  } else if (supervisor_form && context_.cpl() != 0) {
    raise(vector::kGeneralProtection, 0);
  } else if (context_.cr(0) & cr0::kTs) {
    raise(vector::kDeviceNotAvailable);
  } else if (address % kAreaAlignment != 0) {
    raise(vector::kGeneralProtection, 0);
  } else {
    return true;
  }
  return false;
}

ExtendedState UnicornEngine::extended_state(std::uint64_t components) {
  ExtendedState state = context_.legacy_state();
  const auto read = [this](std::uint32_t index) {
    std::uint64_t value = 0;
    return environment_.read_msr(index, value) == Outcome::Continue ? value : 0;
  };
  if (components & bit(kCetUser))
    std::transform(kCetUserMsrs.begin(), kCetUserMsrs.end(), state.cet_user.begin(), read);
  if (components & bit(kCetSupervisor))
    std::transform(kCetSupervisorMsrs.begin(), kCetSupervisorMsrs.end(), state.cet_supervisor.begin(), read);
  return state;
}

void UnicornEngine::set_extended_state(const ExtendedState& state, std::uint64_t components) {
  context_.set_legacy_state(state);
  if (components & bit(kCetUser))
    for (std::size_t i = 0; i < kCetUserMsrs.size(); ++i)
      (void)environment_.write_msr(kCetUserMsrs[i], state.cet_user[i]);
  if (components & bit(kCetSupervisor))
    for (std::size_t i = 0; i < kCetSupervisorMsrs.size(); ++i)
      (void)environment_.write_msr(kCetSupervisorMsrs[i], state.cet_supervisor[i]);
}

void UnicornEngine::xsave(Emulated what, const Instruction& instruction) {
  const std::uint64_t address = operand_address(instruction);
  const bool supervisor_form = is_supervisor_form(what);
  if (!xsave_may_start(supervisor_form, address)) return;
  const bool compacted = what == Emulated::Xsavec || what == Emulated::Xsaves;
  const std::uint64_t requested = requested_components(supervisor_form);
  const std::size_t size = compacted ? compacted_size(requested) : kLegacyImageSize + kXsaveHeaderSize;
  Area area;
  const std::span<std::byte> used = std::span(area).first(size);
  // What the instruction leaves alone is written back as it was.
  if (!read_operand(address, used, AccessKind::Write)) return;
  const ExtendedState state = extended_state(requested);
  const std::uint64_t present = requested & state.in_use();
  const std::uint64_t saved = what == Emulated::Xsave ? requested : present;
  store_legacy(state, saved, image_form(instruction), legacy_part(area));
  if (compacted ? saved & bit(kSse) : requested & bit(kSse)) store_mxcsr(state, legacy_part(area));
  Header header = header_of(area);
  header.xstate_bv = compacted ? present : (header.xstate_bv & ~requested) | present;
  if (compacted) {
    header.xcomp_bv = requested | kCompacted;
    header.reserved = {};
  }
  std::memcpy(area.data() + kHeaderAt, &header, sizeof(header));
  if (saved & bit(kCetUser))
    std::memcpy(area.data() + compacted_offset(kCetUser, requested), &state.cet_user, sizeof(state.cet_user));
  if (saved & bit(kCetSupervisor))
    std::memcpy(area.data() + compacted_offset(kCetSupervisor, requested), &state.cet_supervisor,
                sizeof(state.cet_supervisor));
  if (write_operand(address, used)) finish_instruction();
}

void UnicornEngine::xrstor(Emulated what, const Instruction& instruction) {
  const std::uint64_t address = operand_address(instruction);
  const bool supervisor_form = is_supervisor_form(what);
  if (!xsave_may_start(supervisor_form, address)) return;
  Area area;
  constexpr std::size_t kLeast = kLegacyImageSize + kXsaveHeaderSize;
  if (!read_operand(address, std::span(area).first(kLeast), AccessKind::Read)) return;
  const Header header = header_of(area);
  const std::uint64_t allowed = xcr0_ | (supervisor_form ? xss() : 0);
  if (!header_is_valid(header, allowed, supervisor_form)) return raise(vector::kGeneralProtection, 0);
  const std::uint64_t requested = requested_components(supervisor_form);
  const std::uint64_t loaded = requested & header.xstate_bv;
  const bool compacted = header.xcomp_bv & kCompacted;
  if (compacted && loaded & ~kLegacyComponents) {
    const std::span<std::byte> rest =
        std::span(area).first(compacted_size(header.xcomp_bv & ~kCompacted)).subspan(kLeast);
    if (!read_operand(address + kLeast, rest, AccessKind::Read)) return;
  }
  ExtendedState state = extended_state(requested);
  state.initialize(requested & ~loaded);
  load_legacy(legacy_part(area), loaded, image_form(instruction), state);
  const bool loads_mxcsr = compacted ? loaded & bit(kSse) : requested & bit(kSse);
  if (loads_mxcsr)
    state.mxcsr = mxcsr_of(legacy_part(area));
  else if (requested & bit(kSse))
    state.mxcsr = kInitialMxcsr;
  if (state.mxcsr & ~kMxcsrMask) return raise(vector::kGeneralProtection, 0);
  if (loaded & bit(kCetUser))
    std::memcpy(&state.cet_user, area.data() + compacted_offset(kCetUser, header.xcomp_bv & ~kCompacted),
                sizeof(state.cet_user));
  if (loaded & bit(kCetSupervisor))
    std::memcpy(&state.cet_supervisor,
                area.data() + compacted_offset(kCetSupervisor, header.xcomp_bv & ~kCompacted),
                sizeof(state.cet_supervisor));
  set_extended_state(state, requested);
  finish_instruction();
}

ImageForm UnicornEngine::image_form(const Instruction& instruction) const {
  return {.wide_pointers = (instruction.rex & 8) != 0, .xmm_count = context_.is_64_bit_code() ? 16U : 8U};
}

void UnicornEngine::xgetbv() {
  if (!(guest_cr4() & cr4::kOsxsave)) return raise(vector::kInvalidOpcode);
  const std::uint64_t index = context_.gpr(kRcx) & 0xffffffff;
  if (index > 1) return raise(vector::kGeneralProtection, 0);
  std::uint64_t value = xcr0_;
  if (index == 1) value &= extended_state(xcr0_).in_use();
  context_.set_gpr(kRax, value & 0xffffffff);
  context_.set_gpr(kRdx, value >> 32);
  finish_instruction();
}

void UnicornEngine::xsetbv() {
  if (!(guest_cr4() & cr4::kOsxsave)) return raise(vector::kInvalidOpcode);
  const std::uint64_t index = context_.gpr(kRcx) & 0xffffffff;
  const std::uint64_t value = (context_.gpr(kRax) & 0xffffffff) | context_.gpr(kRdx) << 32;
  if (context_.cpl() != 0 || index != 0 || !(value & bit(kX87))) return raise(vector::kGeneralProtection, 0);
  // Components that the engine has no registers for.
  const CpuidValue native = native_cpuid(0xd, 0);
  if (value & ~(native.eax | std::uint64_t{native.edx} << 32)) return raise(vector::kGeneralProtection, 0);
  const Outcome outcome = environment_.write_control_register(kXcr0, xcr0_, value);
  if (outcome == Outcome::Continue) xcr0_ = value;
  finish(outcome, exit_reason::kControlRegister);
}

}  // namespace virttdx::softhost
