// SPDX-License-Identifier: GPL-2.0-or-later
// Instructions of TDs that are made by hand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace virttdx::softhost {

/// Code of a TD's body.
class Program {
 public:
  Program& bytes(std::initializer_list<int> values) {
    for (const int value : values) code_.push_back(static_cast<std::byte>(value));
    return *this;
  }
  /// TDG.VP.VMCALL with R10 = 0 and the given R11 to R15.
  Program& vmcall(std::uint64_t r11, std::uint64_t r12 = 0, std::uint64_t r13 = 0, std::uint64_t r14 = 0,
                  std::uint64_t r15 = 0) {
    const std::array<std::uint64_t, 5> values = {r11, r12, r13, r14, r15};
    for (std::size_t i = 0; i < values.size(); ++i) {
      bytes({0x49, 0xBB + static_cast<int>(i)});  // movabs $imm64, %r11 .. %r15
      immediate(values[i], 8);
    }
    bytes({0x45, 0x31, 0xD2});               // xor %r10d, %r10d
    bytes({0x31, 0xC0});                     // xor %eax, %eax
    bytes({0xB9, 0x00, 0xFC, 0x00, 0x00});   // mov $0xfc00, %ecx (R10 to R15)
    return bytes({0x66, 0x0F, 0x01, 0xCC});  // tdcall
  }
  Program& print(char letter) { return vmcall(30, 1, 1, 0x3F8, static_cast<std::uint8_t>(letter)); }
  /// TDG.MEM.PAGE.ACCEPT.
  Program& accept(std::uint64_t gpa, unsigned level) {
    bytes({0x48, 0xB9});  // movabs $imm64, %rcx
    immediate(gpa | level, 8);
    bytes({0xB8, 0x06, 0x00, 0x00, 0x00});   // mov $6, %eax
    return bytes({0x66, 0x0F, 0x01, 0xCC});  // tdcall
  }
  /// mov (linear), %r15
  Program& load(std::uint64_t linear) {
    bytes({0x48, 0xBB});  // movabs $imm64, %rbx
    immediate(linear, 8);
    return bytes({0x4C, 0x8B, 0x3B});  // mov (%rbx), %r15
  }
  /// mov %al, (linear)
  Program& store(std::uint64_t linear) {
    bytes({0x48, 0xBB});
    immediate(linear, 8);
    return bytes({0x88, 0x03});
  }
  /// Ends with ReportFatalError, which shows the registers left by the last call: R10, R11, R15 and RAX
  /// arrive in R12, R13, R15 and R14.
  Program& report() {
    bytes({0x4D, 0x89, 0xD4});                    // mov %r10, %r12
    bytes({0x4D, 0x89, 0xDD});                    // mov %r11, %r13
    bytes({0x49, 0x89, 0xC6});                    // mov %rax, %r14
    bytes({0x41, 0xBB, 0x03, 0x00, 0x01, 0x00});  // mov $0x10003, %r11d
    bytes({0x45, 0x31, 0xD2});                    // xor %r10d, %r10d
    bytes({0x31, 0xC0});                          // xor %eax, %eax
    bytes({0xB9, 0x00, 0xFC, 0x00, 0x00});        // mov $0xfc00, %ecx
    bytes({0x66, 0x0F, 0x01, 0xCC});              // tdcall
    return spin();
  }
  /// Enables interrupts and computes until one of vector 0x40 has arrived.
  Program& wait_for_interrupt() {
    bytes({0xFB});                                                  // sti
    bytes({0x48, 0x83, 0x3C, 0x25, 0x80, 0x60, 0x00, 0x00, 0x00});  // 1: cmpq $0, 0x6080
    return bytes({0x74, 0xF5});                                     // je 1b
  }
  Program& spin() { return bytes({0xEB, 0xFE}); }  // jmp .
  /// `boot` on the vCPU with index 0, `other`, with a stack of its own, on any other: RSI has the index at
  /// the start.
  static Program by_vcpu(const Program& boot, const Program& other) {
    Program program;
    program.bytes({0x85, 0xF6, 0x0F, 0x84});  // test %esi, %esi; je boot
    program.immediate(5 + other.code_.size(), 4);
    program.bytes({0xBC, 0x00, 0x7C, 0x00, 0x00});  // mov $0x7c00, %esp
    program.append(other);
    return program.append(boot);
  }
  Program& append(const Program& more) {
    code_.insert(code_.end(), more.code_.begin(), more.code_.end());
    return *this;
  }
  /// Waits until `target` interrupts of vector 0x40 have been counted, computing. RBP keeps `target`.
  Program& wait_for_count_in_rbp() {
    bytes({0x48, 0x39, 0x2C, 0x25, 0x80, 0x60, 0x00, 0x00});  // 1: cmp %rbp, 0x6080
    return bytes({0x72, 0xF6});                               // jb 1b
  }
  /// Sets RBP.
  Program& set_rbp(std::uint32_t value) {
    bytes({0xBD});  // mov $imm32, %ebp
    immediate(value, 4);
    return *this;
  }
  /// Adds 2 to RBP and goes back to `begin` while it is below `end`.
  Program& next_round(std::size_t begin, std::uint32_t end) {
    bytes({0x48, 0x83, 0xC5, 0x02});  // add $2, %rbp
    bytes({0x48, 0x81, 0xFD});        // cmp $imm32, %rbp
    immediate(end, 4);
    bytes({0x0F, 0x82});  // jb begin
    immediate(begin - (code_.size() + 4), 4);
    return *this;
  }
  /// TDG.MR.REPORT of 64 bytes at `data` into 1024 at `report`: private GPAs.
  Program& make_report(std::uint32_t report, std::uint32_t data) {
    bytes({0xB9});  // mov $imm32, %ecx
    immediate(report, 4);
    bytes({0xBA});  // mov $imm32, %edx
    immediate(data, 4);
    bytes({0x45, 0x31, 0xC0});               // xor %r8d, %r8d
    bytes({0xB8, 0x04, 0x00, 0x00, 0x00});   // mov $4, %eax
    return bytes({0x66, 0x0F, 0x01, 0xCC});  // tdcall
  }
  Program& copy(std::uint32_t from, std::uint32_t to, std::uint32_t size) {
    bytes({0xBE});  // mov $imm32, %esi
    immediate(from, 4);
    bytes({0xBF});  // mov $imm32, %edi
    immediate(to, 4);
    bytes({0xB9});  // mov $imm32, %ecx
    immediate(size, 4);
    return bytes({0xF3, 0xA4});  // rep movsb
  }
  /// movq: 64 bits at a linear address below 2 GiB.
  Program& store_number(std::uint32_t linear, std::int32_t value) {
    bytes({0x48, 0xC7, 0x04, 0x25});
    immediate(linear, 4);
    immediate(static_cast<std::uint32_t>(value), 4);
    return *this;
  }
  /// Prints `same` when the 64 bits at a linear address below 2 GiB are `value`, else '!'.
  Program& print_if(std::uint32_t linear, std::int8_t value, char same) {
    const Program yes = Program().print(same), no = Program().print('!').jump(yes.size());
    bytes({0x48, 0x83, 0x3C, 0x25});  // cmpq $imm8, linear
    immediate(linear, 4);
    immediate(static_cast<std::uint8_t>(value), 1);
    bytes({0x0F, 0x84});  // je yes
    immediate(no.size(), 4);
    return append(no).append(yes);
  }
  /// jmp over so many bytes.
  Program& jump(std::uint64_t distance) {
    bytes({0xE9});
    immediate(distance, 4);
    return *this;
  }
  std::size_t size() const { return code_.size(); }
  const std::vector<std::byte>& code() const { return code_; }

 private:
  void immediate(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) code_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
  std::vector<std::byte> code_;
};

}  // namespace virttdx::softhost
