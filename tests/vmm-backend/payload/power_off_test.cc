// SPDX-License-Identifier: GPL-2.0-or-later
// What follows a guest's power-off: the end, or another TD where a reboot was asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "payload_image.h"
#include "vm_fixture.h"

namespace virttdx {
namespace {

using testing::ElementsAre;

class PowerOff : public test::VmTest {
 protected:
  void SetUp() override {
    VmTest::SetUp();
    const auto code = read_file(VIRTTDX_POWER_OFF, 1U << 20);
    ASSERT_TRUE(code) << code.error().message();
    config_.start_paused = true;
    create(test::payload_image(*code));
    ASSERT_TRUE(vm_->start());
  }
  std::vector<Kind> run_to_the_end() {
    EXPECT_TRUE(vm_->resume());
    wait_for_stopped();
    return kinds();
  }
};

TEST_F(PowerOff, EndsTheVm) {
  ASSERT_TRUE(vm_->powerdown(false));
  EXPECT_THAT(run_to_the_end(), ElementsAre(Kind::Launched, Kind::Resumed, Kind::Stopped));
  EXPECT_EQ(vm_->status().stop_reason, StopReason::GuestShutdown);
}

TEST_F(PowerOff, IsAResetOnceAfterARebootWasAskedFor) {
  ASSERT_TRUE(vm_->powerdown(true));
  EXPECT_THAT(run_to_the_end(),
              ElementsAre(Kind::Launched, Kind::Resumed, Kind::Reset, Kind::Recreated, Kind::Stopped));
  EXPECT_EQ(vm_->status().stop_reason, StopReason::GuestShutdown);
}

TEST_F(PowerOff, EndsAVmWhoseResetDoes) {
  ASSERT_TRUE(vm_->set_actions({.power_off = {}, .reset = ResetAction::Stop, .crash = {}}));
  ASSERT_TRUE(vm_->powerdown(true));
  EXPECT_THAT(run_to_the_end(), ElementsAre(Kind::Launched, Kind::Resumed, Kind::Reset, Kind::Stopped));
  EXPECT_EQ(vm_->status().stop_reason, StopReason::Reset);
}

TEST_F(PowerOff, EndsAVmWhoseRebootIsForgotten) {
  ASSERT_TRUE(vm_->powerdown(true));
  ASSERT_TRUE(vm_->set_actions({}));
  EXPECT_THAT(run_to_the_end(), ElementsAre(Kind::Launched, Kind::Resumed, Kind::Stopped));
}

TEST_F(PowerOff, EndsAVmWhoseButtonIsPressedForThatAfterwards) {
  ASSERT_TRUE(vm_->powerdown(true));
  ASSERT_TRUE(vm_->powerdown(false));
  EXPECT_THAT(run_to_the_end(), ElementsAre(Kind::Launched, Kind::Resumed, Kind::Stopped));
}

}  // namespace
}  // namespace virttdx
