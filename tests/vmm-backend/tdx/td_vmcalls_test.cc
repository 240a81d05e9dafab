// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_vmcalls.h"

#include <gtest/gtest.h>

#include <future>

#include "fake_qgs.h"
#include "quote_buffer.h"

namespace virttdx::test {
namespace {

constexpr std::uint64_t kGetTdVmCallInfo = 0x10000;
constexpr std::uint64_t kGetQuote = 0x10002;
constexpr std::uint64_t kSetupEventNotifyInterrupt = 0x10004;
constexpr std::uint64_t kPreset = 0x8000000000000003;  // KVM's: SUBFUNC_UNSUPPORTED
constexpr std::uint64_t kInvalidOperand = 0x8000000000000000;

class TdVmcallsTest : public testing::Test {
 protected:
  void SetUp() override { capabilities_.user_tdvmcallinfo_1_r11 = 0x2; }
  void make(const QuoteServiceConfig& quotes) {
    calls_.emplace(memory_, capabilities_, quotes,
                   [this](const MsiMessage& message) { interrupt_.set_value(message); });
  }
  std::uint64_t get_quote() {
    kvm::kvm_run run{};
    run.tdx.nr = kGetQuote;
    run.tdx.get_quote = {kPreset, QuoteBuffer::kGpa, QuoteBuffer::kSize};
    calls_->td_vmcall(run, 0);
    return run.tdx.get_quote.ret;
  }
  std::uint64_t setup_event_notify(std::uint64_t vector, std::uint32_t vcpu) {
    kvm::kvm_run run{};
    run.tdx.nr = kSetupEventNotifyInterrupt;
    run.tdx.setup_event_notify = {kPreset, vector};
    calls_->td_vmcall(run, vcpu);
    return run.tdx.setup_event_notify.ret;
  }

  QuoteBuffer memory_;
  TdxCapabilities capabilities_;
  std::promise<MsiMessage> interrupt_;
  std::optional<TdVmcalls> calls_;
};

TEST_F(TdVmcallsTest, TellsWhichSubFunctionsThereAre) {
  capabilities_.user_tdvmcallinfo_1_r11 = 0xFF;
  capabilities_.kernel_tdvmcallinfo_1_r11 = 0x100;
  make({});
  kvm::kvm_run run{};
  run.tdx.nr = kGetTdVmCallInfo;
  run.tdx.get_tdvmcall_info = {kPreset, 1, 0, 0, 0, 0};
  calls_->td_vmcall(run, 0);
  EXPECT_EQ(run.tdx.get_tdvmcall_info.ret, 0U);
  EXPECT_EQ(run.tdx.get_tdvmcall_info.r11, 0x102U);
  EXPECT_EQ(run.tdx.get_tdvmcall_info.r12, 0U);
}

TEST_F(TdVmcallsTest, LeavesKvmsAnswerToUnknownCalls) {
  make({});
  kvm::kvm_run run{};
  run.tdx.nr = 0x10005;
  run.tdx.unknown.ret = kPreset;
  calls_->td_vmcall(run, 0);
  EXPECT_EQ(run.tdx.unknown.ret, kPreset);
}

TEST_F(TdVmcallsTest, TakesOnlyVectorsThatAreNotExceptions) {
  make({});
  EXPECT_EQ(setup_event_notify(31, 0), kInvalidOperand);
  EXPECT_EQ(setup_event_notify(256, 0), kInvalidOperand);
  EXPECT_EQ(setup_event_notify(32, 0), 0U);
}

TEST_F(TdVmcallsTest, InterruptsTheVcpuThatAskedForItWhenAQuoteComesLater) {
  FakeQgs service(FakeQgs::respond("the quote"));
  service.hold();
  make({service.address(), std::chrono::milliseconds(0)});
  EXPECT_EQ(setup_event_notify(0x50, 0x123), 0U);
  EXPECT_EQ(get_quote(), 0U);
  EXPECT_EQ(memory_.status(), QuoteBuffer::kInFlight);
  service.release();
  EXPECT_EQ(interrupt_.get_future().get(), (MsiMessage{0xFEE23020, 0x50}));
  EXPECT_EQ(memory_.quote(), "the quote");
}

}  // namespace
}  // namespace virttdx::test
