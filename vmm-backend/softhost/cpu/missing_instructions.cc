// SPDX-License-Identifier: GPL-2.0-or-later
// What the instructions of emulated_instructions.h do, but for XSAVE's family. The context is saved and RIP
// is on the instruction.
#include <algorithm>
#include <array>
#include <cstring>

#include "softhost/cpu/emulated_instructions.h"
#include "softhost/cpu/memory_operand.h"
#include "softhost/cpu/sha_instructions.h"
#include "softhost/cpu/unicorn_engine.h"
#include "softhost/cpu/x86_spec.h"
#include "support/log.h"

namespace virttdx::softhost {

bool UnicornEngine::emulate_missing(const Instruction& instruction) {
  const auto what = emulated_instruction(instruction);
  if (!what) return false;
  switch (*what) {
    case Emulated::Invpcid:
      invpcid(instruction);
      return true;
    case Emulated::Movdiri:
      movdiri(instruction);
      return true;
    case Emulated::Movdir64b:
      movdir64b(instruction);
      return true;
    case Emulated::Sha:
    case Emulated::Sha1Rounds:
      sha(instruction);
      return true;
    case Emulated::Xgetbv:
      xgetbv();
      return true;
    case Emulated::Xsetbv:
      xsetbv();
      return true;
    case Emulated::Xsave:
    case Emulated::Xsaveopt:
    case Emulated::Xsavec:
    case Emulated::Xsaves:
      xsave(*what, instruction);
      return true;
    case Emulated::Xrstor:
    case Emulated::Xrstors:
      xrstor(*what, instruction);
      return true;
  }
  return false;
}

/// Once, and only where CPUID has promised more: the guest may fail in ways that nobody would understand.
void UnicornEngine::report_vector_instruction() {
  constexpr std::byte kVex2{0xc5}, kVex3{0xc4}, kEvex{0x62};
  constexpr std::uint32_t kAvx = 1U << 28;
  const std::byte first = instruction_bytes_[0];
  if (vector_instruction_reported_ || code_size() != CodeSize::Bits64) return;
  if (first != kVex2 && first != kVex3 && first != kEvex) return;
  CpuidValue features;
  if (environment_.cpuid(1, 0, features) != Outcome::Continue || !(features.ecx & kAvx)) return;
  vector_instruction_reported_ = true;
  log::error(
      "software TDX host: the instruction {:#04x} {:#04x} {:#04x} at RIP {:#x} is of AVX, which CPUID shows "
      "as the "
      "played host has it but the software host cannot execute: the guest gets #UD, now and at each later "
      "one",
      first, instruction_bytes_[1], instruction_bytes_[2], context_.rip());
}

/// The linear address of the instruction's memory operand. instruction_length_ counts immediates already.
std::uint64_t UnicornEngine::operand_address(const Instruction& instruction) const {
  std::array<std::uint64_t, 16> gpr;
  for (unsigned i = 0; i < gpr.size(); ++i) gpr[i] = context_.gpr(i);
  const MemoryOperand operand =
      memory_operand(instruction, code_size(), gpr, context_.rip() + instruction_length_);
  return linear_address(operand.segment, operand.offset);
}

std::uint64_t UnicornEngine::linear_address(SegmentIndex segment, std::uint64_t offset) const {
  if (!context_.is_64_bit_code()) return (context_.segment(segment).base + offset) & 0xffffffff;
  const bool has_base = segment == SegmentIndex::Fs || segment == SegmentIndex::Gs;
  return has_base ? context_.segment(segment).base + offset : offset;
}

/// False: an exception is raised or run() ends.
bool UnicornEngine::read_operand(std::uint64_t linear, std::span<std::byte> bytes, AccessKind access) {
  AccessFault fault;
  if (linear_.read(paging_state(), linear, bytes, fault, access)) return true;
  raise_after_refusal(fault.translation, fault.linear, fault.access);
  return false;
}

bool UnicornEngine::write_operand(std::uint64_t linear, std::span<const std::byte> bytes) {
  AccessFault fault;
  const PagingState state = paging_state();
  if (!linear_.write(state, linear, bytes, fault)) {
    raise_after_refusal(fault.translation, fault.linear, fault.access);
    return false;
  }
  // The engine does not see this store: code that it replaced must not run on.
  for (std::uint64_t at = linear & ~0xfffULL; at < linear + bytes.size(); at += 4096) {
    const Translation page = translate(state, at, AccessKind::Read, pages_);
    if (executed_pages_.contains(page.gpa & ~0xfffULL)) uc_ctl_flush_tb(handles_.engine);
  }
  return true;
}

/// #UD or #NM of instructions that use XMM registers (SDM volume 2, table 2-21, class 4).
bool UnicornEngine::simd_is_usable() {
  if (context_.cr(0) & cr0::kEm || !(guest_cr4() & cr4::kOsfxsr)) {
    raise(vector::kInvalidOpcode);
    return false;
  }
  if (context_.cr(0) & cr0::kTs) {
    raise(vector::kDeviceNotAvailable);
    return false;
  }
  return true;
}

void UnicornEngine::invpcid(const Instruction& instruction) {
  if (context_.cpl() != 0) return raise(vector::kGeneralProtection, 0);
  struct Descriptor {
    std::uint64_t pcid, linear;
  } descriptor{};
  if (!read_operand(operand_address(instruction), std::as_writable_bytes(std::span(&descriptor, 1)),
                    AccessKind::Read))
    return;
  std::uint64_t type = context_.gpr(instruction.reg());
  if (!context_.is_64_bit_code()) type &= 0xffffffff;
  constexpr std::uint64_t kOneAddress = 0, kOneContext = 1, kLastType = 3, kPcidBits = 0xfff;
  const bool names_pcid = type == kOneAddress || type == kOneContext;
  const bool pcid_is_wrong =
      descriptor.pcid > kPcidBits || (descriptor.pcid != 0 && !(guest_cr4() & cr4::kPcide));
  const bool address_is_wrong = type == kOneAddress && !is_canonical(paging_state(), descriptor.linear);
  if (type > kLastType || (names_pcid && pcid_is_wrong) || address_is_wrong)
    return raise(vector::kGeneralProtection, 0);
  // The engine holds translations of one PCID only, and may drop more than was asked for.
  finish_instruction();
  flush_tlb();
}

void UnicornEngine::movdiri(const Instruction& instruction) {
  const std::uint64_t value = context_.gpr(instruction.reg());
  const std::size_t size = instruction.rex & 8 ? 8 : 4;
  if (write_operand(operand_address(instruction), std::as_bytes(std::span(&value, 1)).first(size)))
    finish_instruction();
}

void UnicornEngine::movdir64b(const Instruction& instruction) {
  constexpr std::size_t kSize = 64;
  const unsigned address_size = instruction.address_size(code_size());
  std::uint64_t offset = context_.gpr(instruction.reg());
  if (address_size < 8) offset &= (1ULL << (8 * address_size)) - 1;
  const std::uint64_t destination = linear_address(SegmentIndex::Es, offset);
  if (destination % kSize != 0) return raise(vector::kGeneralProtection, 0);
  std::array<std::byte, kSize> line;
  if (read_operand(operand_address(instruction), line, AccessKind::Read) && write_operand(destination, line))
    finish_instruction();
}

void UnicornEngine::sha(const Instruction& instruction) {
  if (!simd_is_usable()) return;
  const bool has_immediate = instruction.map == 3;
  const auto function = std::to_integer<std::uint8_t>(instruction_bytes_[instruction.immediate_at]);
  if (has_immediate) ++instruction_length_;
  XmmWords source{};
  if (instruction.mod() == 3) {
    source = context_.xmm(instruction.rm());
  } else {
    const std::uint64_t address = operand_address(instruction);
    if (address % sizeof(source) != 0) return raise(vector::kGeneralProtection, 0);
    if (!read_operand(address, std::as_writable_bytes(std::span(source)), AccessKind::Read)) return;
  }
  const XmmWords destination = context_.xmm(instruction.reg());
  const auto operation = static_cast<ShaOperation>(instruction.opcode);
  context_.set_xmm(instruction.reg(), has_immediate
                                          ? sha1_rounds(destination, source, function)
                                          : sha_operation(operation, destination, source, context_.xmm(0)));
  finish_instruction();
}

}  // namespace virttdx::softhost
