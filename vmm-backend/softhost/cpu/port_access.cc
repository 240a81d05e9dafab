// SPDX-License-Identifier: GPL-2.0-or-later
// IN, OUT, INS and OUTS. The engine's helper for them cannot end its instruction; what the environment does
// not complete at once is abandoned there and ended here.
#include <cstdlib>
#include <span>
#include <utility>

#include "softhost/cpu/memory_operand.h"
#include "softhost/cpu/register_value.h"
#include "softhost/cpu/unicorn_engine.h"
#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

void UnicornEngine::handle_port_access(bool is_write, std::uint16_t port, unsigned size,
                                       std::uint32_t& value) {
  context_.save();
  const bool protected_mode = context_.cr(0) & cr0::kPe;
  const auto privilege = static_cast<unsigned>((context_.rflags() & rflags::kIopl) >> 12);
  Outcome outcome = Outcome::Continue;
  if (protected_mode && context_.cpl() > privilege)
    outcome = Outcome::GeneralProtection;
  else
    outcome = environment_.is_td() ? Outcome::Ve : environment_.io(is_write, port, size, value);
  if (outcome == Outcome::Continue) return;
  port_access_ = PortAccess{is_write, port, size, outcome};
  abandon_instruction();
}

/// The engine goes on with the instruction when a port hook returns. A write of an intercepted MSR through
/// its API makes it drop the instruction instead and come to on_interrupt(); the registers it spoils on the
/// way are in context_. Nothing with a destructor may live in the frames between: they are jumped over.
void UnicornEngine::abandon_instruction() {
  const uc_x86_msr unknown{0xffffffff, 0};
  uc_reg_write(handles_.engine, UC_X86_REG_MSR, &unknown);
  std::abort();  // not reached: interception of MSRs is always on
}

void UnicornEngine::abandoned_port_access() {
  const PortAccess access = *std::exchange(port_access_, std::nullopt);
  const Instruction instruction = current_instruction();
  const bool is_string = instruction.opcode >= 0x6c && instruction.opcode <= 0x6f;
  const bool is_immediate = instruction.opcode >= 0xe4 && instruction.opcode <= 0xe7;
  if (is_immediate) ++instruction_length_;
  if (access.outcome == Outcome::ExitAndRetry) {
    const ReadTarget target{.size = access.size, .register_size = access.size, .is_string = is_string};
    unfinished_read_ = {target, context_.rip(), instruction_length_};
  }
  if (access.outcome == Outcome::Exit && is_string) step_string(kRsi, access.size);
  // SDM volume 3, table 28-5.
  const std::uint64_t qualification = (access.size - 1) | (access.is_write ? 0U : 1U << 3) |
                                      (is_string ? 1U << 4 : 0U) |
                                      (is_string && instruction.repeat ? 1U << 5 : 0U) |
                                      (is_immediate ? 1U << 6 : 0U) | std::uint64_t{access.port} << 16;
  // Table 28-8: address size in bits 9:7, the segment of OUTS in 17:15.
  const unsigned address_size = instruction.address_size(code_size());
  std::uint32_t information = address_size == 8 ? 2U << 7 : address_size == 4 ? 1U << 7 : 0;
  if (access.is_write) information |= static_cast<std::uint32_t>(data_segment(instruction)) << 15;
  finish(access.outcome, exit_reason::kIo, qualification, is_string ? information : 0);
}

/// Moves a string instruction's pointer and count. One that repeats stays: it ends when it is executed with a
/// count of zero.
void UnicornEngine::step_string(Gpr pointer, unsigned size) {
  const unsigned address_size = instruction_.address_size(code_size());
  const bool down = context_.rflags() & rflags::kDf;
  const std::uint64_t at = context_.gpr(pointer);
  context_.set_gpr(pointer, merged(at, down ? at - size : at + size, address_size));
  if (instruction_.repeat == 0) return;
  const std::uint64_t count = context_.gpr(kRcx);
  context_.set_gpr(kRcx, merged(count, count - 1, address_size));
  instruction_length_ = 0;
}

/// One element of INS; false when its page is not there: an exception is on its way then.
bool UnicornEngine::store_string(std::uint64_t value, unsigned size) {
  current_instruction();
  const bool in_64_bit_code = context_.is_64_bit_code();
  const std::uint64_t base = in_64_bit_code ? 0 : context_.segment(SegmentIndex::Es).base;
  std::uint64_t linear = base + (context_.gpr(kRdi) & mask_of(instruction_.address_size(code_size())));
  if (!in_64_bit_code) linear &= 0xffffffff;
  AccessFault fault;
  const auto bytes = std::as_bytes(std::span(&value, 1)).first(size);
  if (linear_.write(paging_state(), linear, bytes, fault)) return true;
  raise_after_refusal(fault.translation, fault.linear, AccessKind::Write);
  return false;
}

void UnicornEngine::store_read(const ReadTarget& target, std::uint64_t value) {
  const std::uint64_t old_value = context_.gpr(target.index);
  value &= mask_of(target.size);
  if (target.sign_extends) value = sign_extend(value, target.size);
  context_.set_gpr(target.index, target.high ? (old_value & ~0xff00ULL) | (value & 0xff) << 8
                                             : merged(old_value, value, target.register_size));
}

void UnicornEngine::complete_read(std::uint64_t value) {
  if (!unfinished_read_) return;
  const UnfinishedRead read = *std::exchange(unfinished_read_, std::nullopt);
  context_.save();
  context_.set_rip(read.rip);
  instruction_length_ = read.length;
  if (read.target.is_string && !read.registers_were_set) {
    if (!store_string(value, read.target.size)) return;
    instruction_length_ = read.length;
    step_string(kRdi, read.target.size);
  } else if (!read.registers_were_set) {
    store_read(read.target, value);
  }
  finish_instruction();
}

}  // namespace virttdx::softhost
