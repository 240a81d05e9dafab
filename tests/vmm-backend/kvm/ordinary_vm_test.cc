// SPDX-License-Identifier: GPL-2.0-or-later
// Tiny real-mode programs in an ordinary VM, the same against each implementation of the seam: what KVM
// answers to these requests, the software host must answer too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>

#include "each_host.h"
#include "kvm/kvm.h"

namespace virttdx {
namespace {

constexpr std::uint64_t kCode = 0x1000;
constexpr std::uint64_t kSlotSize = 0x1000;
constexpr std::uint64_t kUnbacked = 0x8000;

std::string text_of(std::span<const std::byte> data) {
  std::string text;
  for (const std::byte byte : data) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

std::string text_of(const VcpuExit& exit) {
  if (const auto* io = std::get_if<IoExit>(&exit))
    return io->is_write ? fmt::format("out {:#x} {}", io->port, text_of(io->data))
                        : fmt::format("in {:#x}", io->port);
  if (const auto* mmio = std::get_if<MmioExit>(&exit))
    return mmio->is_write ? fmt::format("write {:#x} {}", mmio->gpa.value, text_of(mmio->data))
                          : fmt::format("read {:#x} size {}", mmio->gpa.value, mmio->data.size());
  if (std::holds_alternative<HltExit>(exit)) return "hlt";
  if (std::holds_alternative<InterruptedExit>(exit)) return "interrupted";
  if (std::holds_alternative<ShutdownExit>(exit)) return "shutdown";
  return fmt::format("another exit ({})", exit.index());
}

class OrdinaryVm : public testing::TestWithParam<test::Host> {
 protected:
  void SetUp() override {
    kernel_ = GetParam().create();
    auto kvm = Kvm::open(*kernel_);
    if (!kvm) GTEST_SKIP() << kvm.error().message();
    kvm_.emplace(std::move(*kvm));
    auto vm = kvm_->create_vm(kvm::KVM_X86_DEFAULT_VM);
    ASSERT_TRUE(vm) << vm.error().message();
    vm_.emplace(std::move(*vm));
    memory_ = mmap(nullptr, kSlotSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory_, MAP_FAILED);
    const kvm::kvm_userspace_memory_region slot{0, 0, kCode, kSlotSize,
                                                reinterpret_cast<std::uint64_t>(memory_)};
    ASSERT_TRUE(vm_->set_memory_region(slot));
  }

  void TearDown() override {
    vcpu_.reset();
    vm_.reset();
    if (memory_ != nullptr) munmap(memory_, kSlotSize);
  }

  /// A vCPU in real mode at the start of `program`.
  void load(std::initializer_list<int> program) {
    auto* at = static_cast<std::uint8_t*>(memory_);
    for (const int byte : program) *at++ = static_cast<std::uint8_t>(byte);
    auto vcpu = vm_->create_vcpu(0);
    ASSERT_TRUE(vcpu) << vcpu.error().message();
    vcpu_.emplace(std::move(*vcpu));
    auto system = vcpu_->system_registers();
    ASSERT_TRUE(system) << system.error().message();
    system->cs.base = 0;
    system->cs.selector = 0;
    ASSERT_TRUE(vcpu_->set_system_registers(*system));
    kvm::kvm_regs registers{};
    registers.rip = kCode;
    registers.rflags = 2;
    ASSERT_TRUE(vcpu_->set_registers(registers));
  }

  std::string run() {
    auto exit = vcpu_->run();
    if (!exit) return exit.error().message();
    exit_ = *exit;
    return text_of(exit_);
  }

  /// KVM_RUN that ends the instruction of the last exit and executes nothing after it.
  std::string complete() {
    vcpu_->set_immediate_exit(true);
    std::string result = run();
    vcpu_->set_immediate_exit(false);
    return result;
  }

  /// RIP behind the start of the program, and RAX.
  std::string state() {
    const auto registers = vcpu_->registers();
    if (!registers) return registers.error().message();
    return fmt::format("+{} rax {:#x}", registers->rip - kCode, registers->rax);
  }

  void set_rip_and_rax(std::uint64_t offset, std::uint64_t rax) {
    auto registers = vcpu_->registers();
    ASSERT_TRUE(registers) << registers.error().message();
    registers->rip = kCode + offset;
    registers->rax = rax;
    ASSERT_TRUE(vcpu_->set_registers(*registers));
  }

  /// Answers the port or MMIO read that the last run ended with.
  void answer(std::uint8_t value) {
    if (auto* io = std::get_if<IoExit>(&exit_)) io->data[0] = std::byte{value};
    if (auto* mmio = std::get_if<MmioExit>(&exit_)) mmio->data[0] = std::byte{value};
  }

  std::unique_ptr<KernelCalls> kernel_;
  std::optional<Kvm> kvm_;
  std::optional<KvmVm> vm_;
  std::optional<KvmVcpu> vcpu_;
  VcpuExit exit_;
  void* memory_ = nullptr;
};

TEST_P(OrdinaryVm, WritesAndReadsPorts) {
  load({0xB0, 0x42,  // mov al, 0x42
        0xE6, 0x10,  // out 0x10, al
        0xE4, 0x11,  // in al, 0x11
        0xE6, 0x10,  // out 0x10, al
        0xF4});      // hlt
  EXPECT_EQ(run(), "out 0x10 42");
  EXPECT_EQ(run(), "in 0x11");
  answer(0x5A);
  EXPECT_EQ(run(), "out 0x10 5a");
  EXPECT_EQ(run(), "hlt");
}

TEST_P(OrdinaryVm, WritesWordsAndDoublewordsToPorts) {
  load({0xB8, 0x34, 0x12,                    // mov ax, 0x1234
        0xE7, 0x10,                          // out 0x10, ax
        0x66, 0xB8, 0x78, 0x56, 0x34, 0x12,  // mov eax, 0x12345678
        0xBA, 0xF8, 0x0C,                    // mov dx, 0xcf8
        0x66, 0xEF,                          // out dx, eax
        0xF4});                              // hlt
  EXPECT_EQ(run(), "out 0x10 3412");
  EXPECT_EQ(run(), "out 0xcf8 78563412");
  EXPECT_EQ(run(), "hlt");
}

TEST_P(OrdinaryVm, ReadsAndWritesMmioWhereNoMemoryIs) {
  load({0xA0, 0x00, 0x80,  // mov al, [0x8000]
        0xA2, 0x01, 0x80,  // mov [0x8001], al
        0xF4});            // hlt
  EXPECT_EQ(run(), fmt::format("read {:#x} size 1", kUnbacked));
  answer(0x77);
  EXPECT_EQ(run(), fmt::format("write {:#x} 77", kUnbacked + 1));
  EXPECT_EQ(run(), "hlt");
}

TEST_P(OrdinaryVm, WritesMemoryOfItsSlot) {
  load({0xC6, 0x06, 0x00, 0x18, 0x99,  // mov byte [0x1800], 0x99
        0xF4});                        // hlt
  EXPECT_EQ(run(), "hlt");
  EXPECT_EQ(static_cast<const std::uint8_t*>(memory_)[0x800], 0x99);
}

TEST_P(OrdinaryVm, StopsBehindHlt) {
  load({0xF4});  // hlt
  EXPECT_EQ(run(), "hlt");
  EXPECT_EQ(vcpu_->registers()->rip, kCode + 1);
}

TEST_P(OrdinaryVm, ComesBackAtOnceWithImmediateExit) {
  load({0xEB, 0xFE});  // jmp $
  vcpu_->set_immediate_exit(true);
  EXPECT_EQ(run(), "interrupted");
  EXPECT_EQ(vcpu_->registers()->rip, kCode);
}

// KVM completes an exit on the next KVM_RUN, also with immediate_exit (Linux Documentation/virt/kvm/api.rst,
// KVM_EXIT_IO): until then a read's instruction has not been executed.
TEST_P(OrdinaryVm, CompletesAPortReadWithImmediateExit) {
  load({0xE4, 0x11,  // in al, 0x11
        0xE6, 0x10,  // out 0x10, al
        0xF4});      // hlt
  EXPECT_EQ(run(), "in 0x11");
  EXPECT_EQ(state(), "+0 rax 0x0");
  answer(0x5A);
  EXPECT_EQ(complete(), "interrupted");
  EXPECT_EQ(state(), "+2 rax 0x5a");
  EXPECT_EQ(complete(), "interrupted");
  EXPECT_EQ(state(), "+2 rax 0x5a");
  EXPECT_EQ(run(), "out 0x10 5a");
  EXPECT_EQ(run(), "hlt");
}

TEST_P(OrdinaryVm, CompletesAnMmioReadWithImmediateExit) {
  load({0x0F, 0xBE, 0x1E, 0x00, 0x80,  // movsx bx, byte [0x8000]
        0x89, 0xD8,                    // mov ax, bx
        0xF4});                        // hlt
  EXPECT_EQ(run(), "read 0x8000 size 1");
  EXPECT_EQ(state(), "+0 rax 0x0");
  answer(0x85);
  EXPECT_EQ(complete(), "interrupted");
  EXPECT_EQ(state(), "+5 rax 0x0");
  EXPECT_EQ(run(), "hlt");
  EXPECT_EQ(state(), "+8 rax 0xff85");
}

TEST_P(OrdinaryVm, CompletesWritesWithImmediateExit) {
  load({0xE6, 0x10,        // out 0x10, al
        0xA2, 0x00, 0x80,  // mov [0x8000], al
        0xF4});            // hlt
  EXPECT_EQ(run(), "out 0x10 00");
  EXPECT_EQ(complete(), "interrupted");
  EXPECT_EQ(state(), "+2 rax 0x0");
  EXPECT_EQ(run(), "write 0x8000 00");
  EXPECT_EQ(complete(), "interrupted");
  EXPECT_EQ(state(), "+5 rax 0x0");
  EXPECT_EQ(run(), "hlt");
}

TEST_P(OrdinaryVm, ReadsAPortIntoMemory) {
  load({0xBF, 0x00, 0x18,  // mov di, 0x1800
        0xBA, 0x20, 0x00,  // mov dx, 0x20
        0x6C,              // insb
        0x97,              // xchg ax, di
        0xF4});            // hlt
  EXPECT_EQ(run(), "in 0x20");
  EXPECT_EQ(state(), "+6 rax 0x0");
  answer(0x99);
  EXPECT_EQ(complete(), "interrupted");
  EXPECT_EQ(state(), "+7 rax 0x0");
  EXPECT_EQ(static_cast<const std::uint8_t*>(memory_)[0x800], 0x99);
  EXPECT_EQ(run(), "hlt");
  EXPECT_EQ(state(), "+9 rax 0x1801");
}

TEST_P(OrdinaryVm, WritesMemoryToAPortElementByElement) {
  load({0xBE, 0x01, 0x18,  // mov si, 0x1801
        0xB9, 0x02, 0x00,  // mov cx, 2
        0xFD,              // std
        0xF3, 0x6E,        // rep outsb
        0x96,              // xchg ax, si
        0xF4});            // hlt
  static_cast<std::uint8_t*>(memory_)[0x800] = 0x22;
  static_cast<std::uint8_t*>(memory_)[0x801] = 0x11;
  EXPECT_EQ(run(), "out 0x0 11");
  EXPECT_EQ(complete(), "interrupted");
  EXPECT_EQ(vcpu_->registers()->rcx, 1);
  EXPECT_EQ(run(), "out 0x0 22");
  EXPECT_EQ(run(), "hlt");
  EXPECT_EQ(state(), "+11 rax 0x17ff");
}

TEST_P(OrdinaryVm, DropsAReadsValueWhenRipWasMovedMeanwhile) {
  load({0xE4, 0x11,                      // in al, 0x11
        0xF4, 0xF4, 0xF4, 0xF4, 0xF4});  // hlt, ...
  EXPECT_EQ(run(), "in 0x11");
  answer(0x5A);
  set_rip_and_rax(5, 0x1234);
  EXPECT_EQ(complete(), "interrupted");
  EXPECT_EQ(vcpu_->registers()->rax, 0x1234);
}

TEST_P(OrdinaryVm, ATripleFaultIsAShutdown) {
  load({0x0F, 0x01, 0x1E, 0x00, 0x18,  // lidt [0x1800]: limit 0
        0x0F, 0x0B,                    // ud2
        0xF4});                        // hlt
  EXPECT_EQ(run(), "shutdown");
  // AMD leaves the state of a shutdown undefined, and KVM resets the vCPU (AMD APM volume 2, "Shutdown
  // Intercept").
  const auto reset = fmt::format("+{} rax 0x0", 0xFFF0 - kCode);
  EXPECT_THAT(state(), testing::AnyOf("+5 rax 0x0", reset));
}

TEST_P(OrdinaryVm, RefusesASecondVcpuWithTheSameNumber) {
  load({0xF4});
  const auto again = vm_->create_vcpu(0);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().system_errno(), EEXIST);
  EXPECT_THAT(again.error().message(), testing::HasSubstr("KVM_CREATE_VCPU 0"));
}

TEST_P(OrdinaryVm, RefusesAMisalignedSlotByItsAddress) {
  const kvm::kvm_userspace_memory_region slot{1, 0, 0x3001, kSlotSize,
                                              reinterpret_cast<std::uint64_t>(memory_)};
  const auto answer = vm_->set_memory_region(slot);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().system_errno(), EINVAL);
  EXPECT_THAT(answer.error().message(), testing::HasSubstr("slot 1 0x3001+0x1000"));
}

TEST_P(OrdinaryVm, RefusesAnUnknownVmType) {
  const auto vm = kvm_->create_vm(99);
  ASSERT_FALSE(vm);
  EXPECT_EQ(vm.error().system_errno(), EINVAL);
}

INSTANTIATE_TEST_SUITE_P(Hosts, OrdinaryVm, test::each_host(), test::name_of);

}  // namespace
}  // namespace virttdx
