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
#include "td_program.h"

namespace virttdx::softhost {

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
