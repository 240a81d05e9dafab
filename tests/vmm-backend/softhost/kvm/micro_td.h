// SPDX-License-Identifier: GPL-2.0-or-later
// TDs of a few instructions: a trampoline from the reset vector to 64-bit mode, then a body made of
// TDVMCALLs.
#pragma once

#include <array>
#include <condition_variable>
#include <csignal>
#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

#include "softhost/cpu/cpu_engine.h"
#include "td_fixture.h"

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
  std::size_t size() const { return code_.size(); }
  const std::vector<std::byte>& code() const { return code_; }

 private:
  void immediate(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) code_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
  std::vector<std::byte> code_;
};

class MicroTd : public TdFixture {
 protected:
  static constexpr std::uint64_t kFirmware = 0xFFFFF000;
  static constexpr std::uint64_t kSharedWindow = 0x40000000;  ///< linear: GPA 0 with the SHARED bit
  static constexpr std::uint64_t kInterruptCount = 0x6080;    ///< counted by the handler of vector 0x40

  MicroTd() : TdFixture(Processor{native_cpuid, create_cpu_engine}) {}
  ~MicroTd() override {
    if (run != nullptr) host->munmap(run, 8192);
    munmap(firmware_ram, 4096);
  }

  /// A finalized TD: private RAM at 0 (pages 0x1000 to 0x7FFF added) and the code below 4 GiB.
  void launch(const Program& program, std::uint32_t vcpu_count = 1) {
    vm = initialized_td();
    vcpu = initialized_vcpu(vm);
    for (std::uint32_t id = 1; id < vcpu_count; ++id) others.push_back(initialized_vcpu(vm, id));
    add_private_ram(vm);
    auto slot = region(kFirmware, create_memfd(vm, 4096));
    slot.slot = 1;
    slot.memory_size = 4096;
    firmware_ram = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    slot.userspace_addr = reinterpret_cast<std::uint64_t>(firmware_ram);
    ASSERT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, slot), 0);
    ASSERT_EQ(set_attributes(vm, kFirmware, 4096, kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
    write_tables();
    write_code(program);
    add(0x1000, tables.data(), tables.size());
    add(kFirmware, code.data(), code.size());
    ASSERT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
    void* address = nullptr;
    ASSERT_EQ(host->mmap(vcpu, 8192, &address), 0);
    run = static_cast<kvm::kvm_run*>(address);
  }
  int enter() { return call(vcpu, kvm::KVM_RUN); }
  std::byte* io_data() { return reinterpret_cast<std::byte*>(run) + run->io.data_offset; }
  /// Enters until report(); what the program printed stays in `printed`.
  void enter_until_report() {
    while (enter() == 0 && run->exit_reason == kvm::KVM_EXIT_IO) printed += static_cast<char>(*io_data());
    ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_SYSTEM_EVENT);
    ASSERT_EQ(run->system_event.type, kvm::KVM_SYSTEM_EVENT_TDX_FATAL);
  }
  std::uint64_t reported_r10() const { return run->system_event.data[12]; }
  std::uint64_t reported_r11() const { return run->system_event.data[13]; }
  std::uint64_t reported_rax() const { return run->system_event.data[14]; }
  std::uint64_t reported_r15() const { return run->system_event.data[15]; }
  int send_msi(std::uint8_t vector) {
    return call_with(
        vm, kvm::KVM_SIGNAL_MSI,
        kvm::kvm_msi{
            .address_lo = 0xFEE00000, .address_hi = 0, .data = vector, .flags = 0, .devid = 0, .pad = {}});
  }

  int vm = -1;
  int vcpu = -1;            ///< the boot vCPU
  std::vector<int> others;  ///< vCPUs 1 and up
  kvm::kvm_run* run = nullptr;
  std::string printed;

 private:
  static constexpr std::size_t kBody = 0x3E, kHandler = 0xF00;

  template <typename T>
  void put(std::uint64_t gpa, T value) {
    std::memcpy(tables.data() + (gpa - 0x1000), &value, sizeof(value));
  }
  // Four levels with pages of 2 MiB: 0-1 GiB and 3-4 GiB private, 1-2 GiB the SHARED alias of 0-1 GiB.
  void write_tables() {
    put<std::uint64_t>(0x1000, 0x2003);
    put<std::uint64_t>(0x2000, 0x3003);
    put<std::uint64_t>(0x2008, 0x5003);
    put<std::uint64_t>(0x2018, 0x4003);
    for (std::uint64_t i = 0; i < 512; ++i) {
      put<std::uint64_t>(0x3000 + 8 * i, i << 21 | 0x83);
      put<std::uint64_t>(0x4000 + 8 * i, (3ULL << 30) + (i << 21) + 0x83);
      put<std::uint64_t>(0x5000 + 8 * i, kSharedBit48 + (i << 21) + 0x83);
    }
    put<std::uint16_t>(0x6000, 0xFFF);  // IDTR
    put<std::uint64_t>(0x6002, 0x7000);
    put<std::uint16_t>(0x6010, 0x17);  // GDTR
    put<std::uint32_t>(0x6012, 0x6020);
    put<std::uint64_t>(0x6028, 0x00AF9B000000FFFF);  // 64-bit code
    put<std::uint64_t>(0x6030, 0x00CF93000000FFFF);  // data
    const std::uint64_t handler = kFirmware + kHandler;
    put<std::uint64_t>(0x7000 + 16 * 0x40,
                       (handler & 0xFFFF) | 8 << 16 | 0x8EULL << 40 | handler >> 16 << 48);
    put<std::uint64_t>(0x7000 + 16 * 0x40 + 8, handler >> 32);
  }
  void put_code(std::size_t offset, std::initializer_list<int> values) {
    for (const int value : values) code[offset++] = static_cast<std::byte>(value);
  }
  void write_code(const Program& program) {
    put_code(0, {
                    0xB8, 0x00, 0x10, 0x00, 0x00,              // mov $0x1000, %eax
                    0x0F, 0x22, 0xD8,                          // mov %eax, %cr3
                    0x0F, 0x20, 0xE0,                          // mov %cr4, %eax
                    0x83, 0xC8, 0x20,                          // or $0x20, %eax (PAE)
                    0x0F, 0x22, 0xE0,                          // mov %eax, %cr4
                    0x0F, 0x20, 0xC0,                          // mov %cr0, %eax
                    0x0D, 0x00, 0x00, 0x00, 0x80,              // or $0x80000000, %eax (PG)
                    0x0F, 0x22, 0xC0,                          // mov %eax, %cr0
                    0x0F, 0x01, 0x15, 0x10, 0x60, 0x00, 0x00,  // lgdt 0x6010
                    0xEA, 0x2A, 0xF0, 0xFF, 0xFF, 0x08, 0x00,  // ljmp $8, $0xfffff02a
                });
    put_code(0x2A, {
                       0xB8, 0x10, 0x00, 0x00, 0x00,                    // mov $0x10, %eax
                       0x8E, 0xD0,                                      // mov %eax, %ss
                       0xBC, 0x00, 0x80, 0x00, 0x00,                    // mov $0x8000, %esp
                       0x0F, 0x01, 0x1C, 0x25, 0x00, 0x60, 0x00, 0x00,  // lidt 0x6000
                   });
    ASSERT_LT(kBody + program.code().size(), kHandler);
    std::memcpy(code.data() + kBody, program.code().data(), program.code().size());
    put_code(kHandler, {
                           0x50, 0x51, 0x52,                                // push %rax, %rcx, %rdx
                           0xB9, 0x0B, 0x08, 0x00, 0x00,                    // mov $0x80b, %ecx (EOI)
                           0x31, 0xC0, 0x31, 0xD2,                          // xor %eax, %eax; xor %edx, %edx
                           0x0F, 0x30,                                      // wrmsr
                           0x48, 0xFF, 0x04, 0x25, 0x80, 0x60, 0x00, 0x00,  // incq 0x6080
                           0x5A, 0x59, 0x58,                                // pop %rdx, %rcx, %rax
                           0x48, 0xCF,                                      // iretq
                       });
    put_code(0xFF0, {0xE9, 0x0B, 0xF0, 0xFF, 0xFF});  // jmp 0xfffff000
  }
  void add(std::uint64_t gpa, const std::byte* source, std::size_t size) {
    kvm::kvm_tdx_init_mem_region pages{reinterpret_cast<std::uint64_t>(source), gpa, size / 4096};
    ASSERT_EQ(add_pages(vcpu, pages), 0);
  }

  alignas(4096) std::array<std::byte, 0x7000> tables{};
  alignas(4096) std::array<std::byte, 0x1000> code{};
  void* firmware_ram = nullptr;
};

}  // namespace virttdx::softhost
