// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu/exit_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <optional>

#include "../kvm/fake_kernel.h"

namespace virttdx::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

GpaRange range(std::uint64_t base, std::uint64_t size) { return *GpaRange::create({base}, size); }

/// Reads count up from 1; writes are kept.
class Recorder final : public BusRegion {
 public:
  void read(std::uint64_t, std::span<std::byte> data) override {
    for (std::byte& byte : data) byte = std::byte{++next_};
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    for (const std::byte byte : data) written.emplace_back(offset, std::to_integer<int>(byte));
  }
  std::vector<std::pair<std::uint64_t, int>> written;

 private:
  std::uint8_t next_ = 0;
};

class RecordingVmcalls final : public TdVmcallHandler {
 public:
  void td_vmcall(kvm::kvm_run& run, std::uint32_t vcpu) override { calls.emplace_back(run.tdx.nr, vcpu); }
  std::vector<std::pair<std::uint64_t, std::uint32_t>> calls;
};

class ExitHandlerTest : public testing::Test {
 protected:
  void SetUp() override {
    vm_.emplace(std::move(*Kvm::open(kernel_)->create_vm(kvm::KVM_X86_TDX_VM)));
    const GpaRange ram = range(0, 0x10000);
    memory_ = std::move(*GuestMemory::create(*vm_, std::span(&ram, 1)));
    ASSERT_TRUE(ports_.add(0x10, 1, "recorder", device_));
    ASSERT_TRUE(mmio_.add(0xFEC00000, 0x1000, "recorder", device_));
  }

  std::optional<VcpuStop> handle(const VcpuExit& exit) {
    return handle_exit(exit, {ports_, mmio_, *memory_, vmcalls_}, 3);
  }
  std::string crash_message(const VcpuExit& exit) {
    const auto stop = handle(exit);
    if (!stop) return "goes on";
    EXPECT_EQ(stop->reason, StopReason::Crashed);
    return stop->message;
  }
  std::uint64_t map_gpa(std::uint64_t gpa, std::uint64_t pages, bool to_private) {
    std::uint64_t answer = 77;
    EXPECT_FALSE(handle(
        HypercallExit{kvm::KVM_HC_MAP_GPA_RANGE, {gpa, pages, to_private ? 0x10U : 0U, 0, 0, 0}, &answer}));
    return answer;
  }
  bool is_shared(std::uint64_t gpa) {
    std::array<std::byte, 1> byte{};
    return memory_->read({gpa}, byte);
  }

  FakeKernel kernel_;
  std::optional<KvmVm> vm_;
  std::unique_ptr<GuestMemory> memory_;
  PortBus ports_;
  MmioBus mmio_;
  Recorder device_;
  RecordingVmcalls vmcalls_;
};

TEST_F(ExitHandlerTest, AsksThePortsForEveryItem) {
  std::array<std::byte, 3> data{};
  EXPECT_FALSE(handle(IoExit{false, 0x10, 1, data}));
  EXPECT_THAT(data, ElementsAre(std::byte{1}, std::byte{2}, std::byte{3}));
}

TEST_F(ExitHandlerTest, GivesAllOnesForPortsWithoutDevice) {
  std::array<std::byte, 2> data{};
  EXPECT_FALSE(handle(IoExit{false, 0x20, 2, data}));
  EXPECT_THAT(data, ElementsAre(std::byte{0xFF}, std::byte{0xFF}));
}

TEST_F(ExitHandlerTest, PassesWritesToPortsAndMmio) {
  std::array data = {std::byte{0x42}};
  EXPECT_FALSE(handle(IoExit{true, 0x10, 1, data}));
  EXPECT_FALSE(handle(MmioExit{true, {0xFEC00010}, data}));
  EXPECT_THAT(device_.written, ElementsAre(std::pair(0U, 0x42), std::pair(0x10U, 0x42)));
}

TEST_F(ExitHandlerTest, ReadsMmio) {
  std::array<std::byte, 4> data{};
  EXPECT_FALSE(handle(MmioExit{false, {0xFEC00000}, data}));
  EXPECT_EQ(data[3], std::byte{4});
}

TEST_F(ExitHandlerTest, ConvertsMemoryAtMapGpa) {
  EXPECT_EQ(map_gpa(0x1000, 2, false), 0U);
  EXPECT_TRUE(is_shared(0x2FFF));
  EXPECT_EQ(map_gpa(0x2000, 1, true), 0U);
  EXPECT_FALSE(is_shared(0x2000));
  EXPECT_TRUE(is_shared(0x1000));
}

TEST_F(ExitHandlerTest, LetsMmioBecomeSharedButNotPrivate) {
  EXPECT_EQ(map_gpa(0xFEC00000, 1, false), 0U);
  EXPECT_EQ(map_gpa(0xFEC00000, 1, true), static_cast<std::uint64_t>(EINVAL));
}

TEST_F(ExitHandlerTest, RefusesMapGpaThatWraps) {
  EXPECT_EQ(map_gpa(0x1000, ~0ULL, false), static_cast<std::uint64_t>(EINVAL));
  EXPECT_EQ(map_gpa(~0xFFFULL, 2, false), static_cast<std::uint64_t>(EINVAL));
}

TEST_F(ExitHandlerTest, RefusesOtherHypercalls) {
  std::uint64_t answer = 0;
  EXPECT_FALSE(handle(HypercallExit{1, {}, &answer}));
  EXPECT_EQ(answer, static_cast<std::uint64_t>(EINVAL));
}

TEST_F(ExitHandlerTest, ConvertsMemoryThatTheGuestUsesOtherwise) {
  EXPECT_FALSE(handle(MemoryFaultExit{0, {0x3000}, 0x1000}));
  EXPECT_TRUE(is_shared(0x3000));
  EXPECT_FALSE(handle(MemoryFaultExit{kvm::KVM_MEMORY_EXIT_FLAG_PRIVATE, {0x3000}, 0x1000}));
  EXPECT_FALSE(is_shared(0x3000));
}

TEST_F(ExitHandlerTest, CrashesOnPrivateAccessWithoutMemory) {
  EXPECT_THAT(crash_message(MemoryFaultExit{kvm::KVM_MEMORY_EXIT_FLAG_PRIVATE, {0x20000}, 0x1000}),
              HasSubstr("guest accessed 0x20000 as private memory"));
  EXPECT_THAT(crash_message(MemoryFaultExit{1, {0x1000}, 0x1000}), HasSubstr("unknown flags 0x1"));
}

TEST_F(ExitHandlerTest, HandsTdVmcallsOverWithTheirVcpu) {
  kvm::kvm_run run{};
  run.tdx.nr = 0x10002;
  EXPECT_FALSE(handle(TdxExit{&run}));
  EXPECT_THAT(vmcalls_.calls, ElementsAre(std::pair(0x10002U, 3U)));
}

TEST_F(ExitHandlerTest, EndsWithTheReasonOfASystemEvent) {
  EXPECT_EQ(handle(SystemEventExit{kvm::KVM_SYSTEM_EVENT_SHUTDOWN, {}})->reason, StopReason::GuestShutdown);
  EXPECT_EQ(handle(SystemEventExit{kvm::KVM_SYSTEM_EVENT_RESET, {}})->reason, StopReason::Reset);
  EXPECT_THAT(crash_message(SystemEventExit{kvm::KVM_SYSTEM_EVENT_CRASH, {}}), HasSubstr("system event 3"));
}

TEST_F(ExitHandlerTest, CrashesOnWhatCannotGoOn) {
  EXPECT_EQ(crash_message(ShutdownExit{}), "triple fault on vCPU 3");
  EXPECT_EQ(crash_message(InternalErrorExit{4}), "KVM internal error 4 on vCPU 3");
  EXPECT_EQ(crash_message(FailEntryExit{0x80000021}),
            "KVM could not enter vCPU 3: hardware reason 0x80000021");
  EXPECT_EQ(crash_message(UnknownExit{1234}), "KVM exit reason 1234 on vCPU 3 is not known");
}

TEST_F(ExitHandlerTest, GoesOnAfterAnInterruption) { EXPECT_FALSE(handle(InterruptedExit{})); }

// GHCI, ReportFatalError: the text is in R14, R15, RBX, RDI, RSI, R8, R9, RDX; Linux fills it this way.
TEST(FatalError, ReadsTheTextInTheOrderOfTheGhci) {
  std::array<std::uint64_t, 16> registers{};
  const auto text = [](const char(&letters)[9]) {
    std::uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<std::uint8_t>(letters[i]);
    return value;
  };
  registers[12] = 1;
  registers[14] = text("one two ");
  registers[15] = text("three fo");
  registers[3] = text("ur five ");
  registers[7] = text("six seve");
  registers[6] = text("n eight ");
  registers[8] = text("nine ten");
  registers[9] = text(" eleven ");
  registers[2] = 0x0A21;
  EXPECT_EQ(
      describe_fatal_error(registers),
      "guest reports fatal error 0x1: \"one two three four five six seven eight nine ten eleven !\\x0a\"");
}

TEST(FatalError, NamesTheGpaWhenTheGuestGivesOne) {
  std::array<std::uint64_t, 16> registers{};
  registers[12] = 1ULL << 63 | 2;
  registers[13] = 0x1234000;
  EXPECT_EQ(describe_fatal_error(registers), "guest reports fatal error 0x2: \"\", data at 0x1234000");
}

}  // namespace
}  // namespace virttdx::test
