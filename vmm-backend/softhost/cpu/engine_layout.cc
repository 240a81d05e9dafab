// SPDX-License-Identifier: GPL-2.0-or-later
// Finding the places of EngineLayout.
#include <malloc.h>

#include <array>
#include <atomic>
#include <optional>
#include <span>

#include "softhost/cpu/engine_context.h"

namespace virttdx::softhost {

namespace {

using Bytes = std::span<const std::byte>;

/// Where `pattern` lies in `bytes`, when exactly one place has it.
template <typename T>
std::optional<std::size_t> find_once(Bytes bytes, const T& pattern, std::size_t step = 8) {
  std::optional<std::size_t> found;
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += step) {
    if (std::memcmp(bytes.data() + at, &pattern, sizeof(T)) != 0) continue;
    if (found) return std::nullopt;
    found = at;
  }
  return found;
}

template <typename T>
T value_at(Bytes bytes, std::size_t offset) {
  T value{};
  if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

Bytes saved(uc_engine* engine, uc_context* context) {
  uc_context_save(engine, context);
  return {reinterpret_cast<const std::byte*>(context), uc_context_size(engine)};
}

void write_register(uc_engine* engine, int id, std::uint64_t value) { uc_reg_write(engine, id, &value); }

/// Values that no engine has had yet, from this one to 15 above: libunicorn leaves parts of a context as its
/// memory was, which an earlier one may have been in.
std::uint64_t new_magic() {
  static std::atomic<std::uint64_t> next = 0x5bd1e9955bd1e900;
  return next += 16;
}

Result<std::size_t> find_general_registers(uc_engine* engine, uc_context* context) {
  const std::uint64_t magic = new_magic();
  const std::array<std::uint64_t, 3> pattern = {magic + 1, magic + 2, magic + 3};
  write_register(engine, UC_X86_REG_RAX, pattern[0]);
  write_register(engine, UC_X86_REG_RCX, pattern[1]);
  write_register(engine, UC_X86_REG_RDX, pattern[2]);
  write_register(engine, UC_X86_REG_RIP, magic + 4);
  const Bytes bytes = saved(engine, context);
  const auto at = find_once(bytes, pattern);
  if (!at || value_at<std::uint64_t>(bytes, *at + 128) != magic + 4)
    return fail(Error::Code::Unsupported, "libunicorn's context has no known place for general registers");
  return *at;
}

Result<std::size_t> find_debug_registers(uc_engine* engine, uc_context* context) {
  const std::uint64_t magic = new_magic();
  const std::array<std::uint64_t, 3> pattern = {magic + 5, magic + 6, magic + 7};
  write_register(engine, UC_X86_REG_DR0, pattern[0]);
  write_register(engine, UC_X86_REG_DR1, pattern[1]);
  write_register(engine, UC_X86_REG_DR2, pattern[2]);
  const Bytes bytes = saved(engine, context);
  const auto at = find_once(bytes, pattern);
  for (const int id : {UC_X86_REG_DR0, UC_X86_REG_DR1, UC_X86_REG_DR2}) write_register(engine, id, 0);
  // Eight debug registers and four pointers later: the exception in flight, none after a reset.
  if (!at || value_at<std::uint32_t>(bytes, *at + 96) != 0xffffffff)
    return fail(Error::Code::Unsupported, "libunicorn's context has no known place for debug registers");
  return *at;
}

Result<std::size_t> find_control_registers(uc_engine* engine, uc_context* context) {
  const std::uint64_t magic = new_magic();
  write_register(engine, UC_X86_REG_CR2, magic + 8);
  const auto at = find_once(saved(engine, context), magic + 8);
  if (!at) return fail(Error::Code::Unsupported, "libunicorn's context has no known place for CR2");
  write_register(engine, UC_X86_REG_CR2, 0);
  return *at - 16;
}

Result<std::size_t> find_segments(uc_engine* engine, uc_context* context) {
  const std::uint64_t magic = new_magic();
  write_register(engine, UC_X86_REG_FS_BASE, magic + 9);
  const auto at = find_once(saved(engine, context), magic + 9);
  if (!at) return fail(Error::Code::Unsupported, "libunicorn's context has no known place for FS");
  write_register(engine, UC_X86_REG_FS_BASE, 0);
  return *at - 8 - 4 * 24;
}

Result<std::size_t> find_efer(uc_engine* engine, uc_context* context, std::size_t after) {
  // EFER is the 64-bit word behind the control registers that takes SCE when the MSR is written.
  constexpr std::uint32_t kEfer = 0xc0000080;
  const Bytes bytes = saved(engine, context);
  uc_x86_msr msr{kEfer, 0};
  uc_reg_read(engine, UC_X86_REG_MSR, &msr);
  const std::uint64_t before = msr.value;
  msr.value |= 1;
  uc_reg_write(engine, UC_X86_REG_MSR, &msr);
  saved(engine, context);
  std::optional<std::size_t> found;
  for (std::size_t at = after; at < after + 512 && !found; at += 8)
    if (value_at<std::uint64_t>(bytes, at) == (before | 1)) found = at;
  msr.value = before;
  uc_reg_write(engine, UC_X86_REG_MSR, &msr);
  if (!found || value_at<std::uint64_t>(saved(engine, context), *found) != before)
    return fail(Error::Code::Unsupported, "libunicorn's context has no known place for EFER");
  return *found;
}

bool refuse_access(uc_engine*, std::uint64_t, uc_mem_type, uc_tlb_entry*, void*) { return false; }

/// Lets the engine fail to fetch at two addresses: the word of its structure that shows both is the place.
std::size_t find_fault_address(uc_engine* engine, Bytes structure) {
  uc_hook hook = 0;
  uc_hook_add(engine, &hook, UC_HOOK_TLB_FILL, reinterpret_cast<void*>(&refuse_access), nullptr, 1, 0);
  const std::uint64_t first = 0x123456789123, second = 0x234567891234;
  uc_emu_start(engine, first, 0, 0, 0);
  const auto at = find_once(structure, first);
  uc_emu_start(engine, second, 0, 0, 0);
  const auto again = find_once(structure, second);
  uc_hook_del(engine, hook);
  return at && again && *at == *again ? *at : 0;
}

/// In libunicorn 2.1 these fields follow each other: context content (1: CPU), size of the CPU context, next
/// PC (aligned to 8), and the booleans hook_insert, first_tb, no_exit_request, init_done.
std::size_t find_no_exit_request(uc_engine* engine, Bytes structure) {
  for (std::size_t at = 4; at + 24 <= structure.size(); at += 8) {
    const auto content = value_at<std::uint32_t>(structure, at);
    const auto size = value_at<std::uint32_t>(structure, at + 4);
    if (content != UC_CTL_CONTEXT_CPU || size < 2048 || size >= uc_context_size(engine)) continue;
    if (uc_context_size(engine) - size > 64) continue;
    const auto* flags = structure.data() + at + 20;
    const bool fits = flags[0] == std::byte{0} && flags[2] == std::byte{0} && flags[3] == std::byte{1};
    return fits ? at + 22 : 0;
  }
  return 0;
}

}  // namespace

Result<EngineLayout> EngineLayout::find(uc_engine* engine, uc_context* scratch) {
  EngineLayout layout;
  layout.gpr = TRY(find_general_registers(engine, scratch));
  layout.debug = TRY(find_debug_registers(engine, scratch));
  layout.cr = TRY(find_control_registers(engine, scratch));
  layout.segments = TRY(find_segments(engine, scratch));
  layout.eflags = layout.gpr + 136;
  layout.cc_dst = layout.gpr + 144;
  layout.hflags = layout.gpr + 176;
  if (layout.segments != layout.gpr + 184)
    return fail(Error::Code::Unsupported, "libunicorn's context has an unknown layout before its segments");
  layout.efer = TRY(find_efer(engine, scratch, layout.cr + 9 * 8UL));
  // SAFETY: uc_engine is one heap block; malloc_usable_size tells how much of it may be read.
  const Bytes structure(reinterpret_cast<const std::byte*>(engine), malloc_usable_size(engine));
  layout.fault_address = find_fault_address(engine, structure);
  layout.no_exit_request = find_no_exit_request(engine, structure);
  if (layout.fault_address == 0 || layout.no_exit_request == 0)
    return fail(Error::Code::Unsupported, "libunicorn {}.{} has an unknown engine structure; 2.1.4 is known",
                uc_version(nullptr, nullptr) >> 24, (uc_version(nullptr, nullptr) >> 16) & 0xff);
  return layout;
}

}  // namespace virttdx::softhost
