// SPDX-License-Identifier: GPL-2.0-or-later
// What a plan without errors says is what a host takes: plans are launched on the software TDX host.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "domain_xml/plan.h"
#include "gen_cpu.h"
#include "golden.h"
#include "known_host.h"
#include "launched_td.h"
#include "softhost/soft_host.h"
#include "tdx/capabilities.h"
#include "tdx/td_vm.h"

namespace virttdx::domain_xml {
namespace {

class PlannedLaunch : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(test::kDebianFirmware))
      GTEST_SKIP() << "no " << test::kDebianFirmware << " (Debian package ovmf)";
    host_ = softhost::create_soft_host();
    capabilities_ = read_host_capabilities(*host_, HostKind::Soft);
    ASSERT_TRUE(capabilities_.tdx_supported) << capabilities_.tdx_unsupported_reason;
    const auto parsed = parse_domain(test::read_data("../../docs/examples/td.xml"));
    ASSERT_TRUE(parsed) << parsed.error().message();
    const auto complete = complete_definition(*parsed, {.emulator = "/usr/libexec/virttdx-vmm"});
    ASSERT_TRUE(complete) << complete.error().message();
    domain_ = *complete;
    domain_.memory_kib = 65536;
    domain_.current_memory_kib = 65536;
  }

  Result<std::unique_ptr<TdVm>> launch(const VmConfig& config) {
    return TdVm::launch(*host_, config, TRY(load_tdvf(test::kDebianFirmware)));
  }

  std::unique_ptr<softhost::SoftHost> host_;
  HostCapabilities capabilities_;
  Domain domain_;
};

TEST_F(PlannedLaunch, OfTheExampleSucceedsOnTheSoftwareHost) {
  const auto plan = plan_launch(domain_, capabilities_);
  ASSERT_TRUE(plan) << plan.error().message();
  ASSERT_TRUE(plan->can_start()) << error_of(*plan).message();
  const auto td = launch(plan->config);
  ASSERT_TRUE(td) << td.error().message();
  EXPECT_EQ((*td)->measurements().attributes, 0x10000000U);
  EXPECT_EQ((*td)->measurements().xfam, plan->config.td.xfam);
}

TEST_F(PlannedLaunch, GivesTheGuestWhatWasConfigured) {
  const auto plan = plan_launch(domain_, capabilities_);
  ASSERT_TRUE(plan) << plan.error().message();
  const auto td = launch(plan->config);
  ASSERT_TRUE(td) << td.error().message();
  for (const auto& difference :
       compare_cpuid((*td)->cpuid(), plan->config.td.xfam, plan->config.td.attributes))
    EXPECT_TRUE(difference.reason.find("configurable at TD creation") == std::string::npos)
        << bit_name(difference.function, difference.index, difference.reg, difference.bit) << " requested "
        << difference.requested << ": " << difference.reason;
}

TEST_F(PlannedLaunch, ShowsThePredictedCpuid) {
  const auto plan = plan_launch(domain_, capabilities_);
  ASSERT_TRUE(plan) << plan.error().message();
  const auto td = launch(plan->config);
  ASSERT_TRUE(td) << td.error().message();
  EXPECT_EQ(test::wrong_bits(**td, plan->config), "");
}

// check='none' starts whatever the model.
TEST_F(PlannedLaunch, SucceedsAsPredictedWhateverCpuWasAskedForWhenThereIsNoError) {
  const bool holds = rc::check([&] {
    auto domain = domain_;
    domain.cpu = test::any_cpu({"none"});
    test::remove_refused(domain, capabilities_);
    const auto plan = plan_launch(domain, capabilities_);
    RC_ASSERT(plan.has_value());
    if (!plan->can_start()) RC_FAIL(error_of(*plan).message());
    RC_CLASSIFY(domain.cpu->features.size() > 3, "more than three features");
    const auto td = launch(plan->config);
    if (!td) RC_FAIL(td.error().message());
    RC_CLASSIFY(domain.cpu->mode == "custom", "named model");
    RC_CLASSIFY(domain.cpu->mode == "host-model", "host-model");
    RC_ASSERT(test::wrong_bits(**td, plan->config) == std::string());
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace virttdx::domain_xml
