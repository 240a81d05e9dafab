// SPDX-License-Identifier: GPL-2.0-or-later
// A CpuEnvironment over a small flat memory that records what the guest asked for.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <vector>

#include "softhost/cpu/cpu_engine.h"

namespace virttdx::softhost {

/// Where tests put code, and what takes its exceptions.
constexpr std::uint64_t kCode = 0x10000, kHandler = 0x20000;

class MicroGuest : public CpuEnvironment {
 public:
  static constexpr std::size_t kMemorySize = 1 << 20;

  using Memory = std::shared_ptr<std::byte>;
  static Memory make_memory() {
    Memory memory(static_cast<std::byte*>(std::aligned_alloc(4096, kMemorySize)), &std::free);
    std::memset(memory.get(), 0, kMemorySize);
    return memory;
  }

  /// `memory` of another guest makes this one more CPU of it.
  explicit MicroGuest(bool is_td, Memory memory = make_memory(), CodePages* code_pages = nullptr)
      : is_td_(is_td), memory_(std::move(memory)), code_pages_(code_pages) {
    auto engine = create_cpu_engine(*this);
    if (!engine) {
      ADD_FAILURE() << engine.error().message();
      return;
    }
    engine_ = std::move(*engine);
  }

  CpuEngine& engine() { return *engine_; }
  std::byte* memory() { return memory_.get(); }
  const Memory& shared_memory() const { return memory_; }
  void put(std::uint64_t gpa, const std::initializer_list<int>& bytes) {
    for (const int byte : bytes) memory_.get()[gpa++] = static_cast<std::byte>(byte);
  }
  template <typename T>
  void put_value(std::uint64_t gpa, T value) {
    std::memcpy(memory_.get() + gpa, &value, sizeof(value));
  }
  template <typename T>
  T value_at(std::uint64_t gpa) const {
    T value{};
    std::memcpy(&value, memory_.get() + gpa, sizeof(value));
    return value;
  }
  Registers run_until_exit() {
    EXPECT_EQ(engine_->run(), RunResult::EnvironmentExit) << engine_->failure();
    return engine_->registers();
  }

  // CpuEnvironment
  bool is_td() const override { return is_td_; }
  CodePages* code_pages() override { return code_pages_; }
  PageAnswer page(std::uint64_t gpa, AccessKind access) override {
    if (const auto found = special_pages.find(gpa); found != special_pages.end())
      return {found->second, nullptr};
    if (gpa >= kMemorySize) return {PageAnswer::Kind::Mmio, nullptr};
    (void)access;
    return {PageAnswer::Kind::Memory, memory_.get() + gpa, true, gpa, kMemorySize - gpa};
  }
  Outcome td_call(Registers& registers) override {
    ++td_calls;
    return on_td_call ? on_td_call(registers) : Outcome::Exit;
  }
  bool store_ve(const VeInfo& info) override {
    ve_infos.push_back(info);
    return accepts_ve;
  }
  Outcome cpuid(std::uint32_t leaf, std::uint32_t subleaf, CpuidValue& value) override {
    if (leaf >= 0x40000000 && leaf < 0x50000000) return Outcome::Ve;
    value = native_cpuid(leaf, subleaf);
    return Outcome::Continue;
  }
  Outcome read_msr(std::uint32_t index, std::uint64_t& value) override {
    if ((index >= 0xc0000080 && index <= 0xc0000103) || (index >= 0x174 && index <= 0x176))
      return Outcome::Native;
    if (index == 0x1b) return Outcome::Ve;
    const auto found = msrs.find(index);
    if (found == msrs.end()) return Outcome::GeneralProtection;
    value = found->second;
    return Outcome::Continue;
  }
  Outcome write_msr(std::uint32_t index, std::uint64_t value) override {
    if ((index >= 0xc0000080 && index <= 0xc0000103) || (index >= 0x174 && index <= 0x176))
      return Outcome::Native;
    msrs[index] = value;
    return Outcome::Continue;
  }
  Outcome write_control_register(unsigned, std::uint64_t, std::uint64_t) override {
    return Outcome::Continue;
  }
  Outcome io(bool is_write, std::uint16_t port, unsigned size, std::uint32_t& value) override {
    if (on_io) return on_io(is_write, port, size, value);
    return Outcome::Continue;
  }
  Outcome mmio(bool is_write, std::uint64_t gpa, unsigned size, std::uint64_t& value) override {
    return on_mmio ? on_mmio(is_write, gpa, size, value) : Outcome::Continue;
  }
  Outcome halt() override { return Outcome::Exit; }
  std::optional<std::uint8_t> pending_interrupt() override {
    const int vector = interrupt.load();
    return vector < 0 ? std::nullopt : std::optional(static_cast<std::uint8_t>(vector));
  }
  void acknowledge_interrupt(std::uint8_t) override { interrupt.store(-1); }
  bool take_nmi() override { return nmi.exchange(false); }
  std::uint64_t tsc() override { return 0x1122334455667788; }

  std::map<std::uint64_t, PageAnswer::Kind> special_pages;
  std::map<std::uint32_t, std::uint64_t> msrs;
  std::vector<VeInfo> ve_infos;
  bool accepts_ve = true;
  std::atomic<bool> nmi{false};
  std::atomic<int> interrupt{-1};
  int td_calls = 0;
  std::function<Outcome(Registers&)> on_td_call;
  std::function<Outcome(bool, std::uint16_t, unsigned, std::uint32_t&)> on_io;
  std::function<Outcome(bool, std::uint64_t, unsigned, std::uint64_t&)> on_mmio;

 private:
  bool is_td_;
  Memory memory_;
  CodePages* code_pages_;
  std::unique_ptr<CpuEngine> engine_;
};

/// Flat 32-bit protected mode, as TDH.VP.INIT leaves a vCPU (paging off, EFER.LME set).
inline SystemRegisters td_start_state() {
  SystemRegisters state;
  const SegmentRegister data{.base = 0, .limit = 0xffffffff, .selector = 0, .access_rights = 0xc093};
  state.ds = state.es = state.fs = state.gs = state.ss = data;
  state.cs = data;
  state.cs.access_rights = 0xc09b;
  state.ldt = {.base = 0, .limit = 0xffff, .selector = 0, .access_rights = 0x82, .unusable = true};
  state.tr = {.base = 0, .limit = 0xffff, .selector = 0, .access_rights = 0x8b};
  state.gdt = {0, 0xffff};
  state.cr0 = 0x21;
  state.cr4 = 0x40;
  state.efer = 0x901;
  return state;
}

/// 64-bit mode at CPL 0 with the first MiB mapped to itself by one 2 MiB page. Page tables at 0x1000..0x3fff,
/// GDT at 0x4000 (0x08 code, 0x10 data, 0x18 user code, 0x20 user data, 0x28 TSS), IDT at 0x5000, TSS at
/// 0x6000 with RSP0 = 0x9000 and IST1 = 0xa000; stack top 0x8000.
inline SystemRegisters long_mode_state(MicroGuest& guest) {
  guest.put_value<std::uint64_t>(0x1000, 0x2007);
  guest.put_value<std::uint64_t>(0x2000, 0x3007);
  guest.put_value<std::uint64_t>(0x3000, 0x00e7);
  guest.put_value<std::uint64_t>(0x4008, 0x00af9b000000ffff);
  guest.put_value<std::uint64_t>(0x4010, 0x00cf93000000ffff);
  guest.put_value<std::uint64_t>(0x4018, 0x00affb000000ffff);
  guest.put_value<std::uint64_t>(0x4020, 0x00cff3000000ffff);
  guest.put_value<std::uint64_t>(0x6004, 0x9000);
  guest.put_value<std::uint64_t>(0x6024, 0xa000);
  SystemRegisters state;
  const SegmentRegister data{.base = 0, .limit = 0xffffffff, .selector = 0x10, .access_rights = 0xc093};
  state.ds = state.es = state.fs = state.gs = state.ss = data;
  state.cs = {.base = 0, .limit = 0xffffffff, .selector = 8, .access_rights = 0xa09b};
  state.tr = {.base = 0x6000, .limit = 0x67, .selector = 0x28, .access_rights = 0x8b};
  state.ldt.unusable = true;
  state.gdt = {0x4000, 0x37};
  state.idt = {0x5000, 0xfff};
  state.cr0 = 0x80010033;
  state.cr3 = 0x1000;
  state.cr4 = 0x620;
  state.efer = 0xd01;
  return state;
}

/// A 64-bit interrupt gate.
inline void put_gate(MicroGuest& guest, unsigned vector, std::uint64_t handler, unsigned ist = 0,
                     unsigned type_and_dpl = 0x8e) {
  guest.put_value<std::uint64_t>(0x5000 + vector * 16,
                                 (handler & 0xffff) | 8ULL << 16 | std::uint64_t{ist} << 32 |
                                     std::uint64_t{type_and_dpl} << 40 | (handler >> 16 & 0xffff) << 48);
  guest.put_value<std::uint64_t>(0x5008 + vector * 16, handler >> 32);
}

inline Registers start_at(std::uint64_t rip, std::uint64_t rsp = 0x8000) {
  Registers registers;
  registers.rip = rip;
  registers.gpr[kRsp] = rsp;
  return registers;
}

}  // namespace virttdx::softhost
