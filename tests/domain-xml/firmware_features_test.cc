// SPDX-License-Identifier: GPL-2.0-or-later
// Which firmware a definition with <firmware> gets of a host with Debian's ovmf-inteltdx, and of a descriptor
// without Secure Boot.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "domain_xml/plan.h"
#include "golden.h"
#include "known_host.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kSecure = "/no/such/OVMF.inteltdx.ms.fd", kPlain = "/no/such/OVMF.inteltdx.fd";
const std::string kYes = "<feature enabled='yes' name='secure-boot'/>",
                  kNo = "<feature enabled='no' name='secure-boot'/>",
                  kKeys = "<feature enabled='yes' name='enrolled-keys'/>",
                  kNoKeys = "<feature enabled='no' name='enrolled-keys'/>";

class FirmwareFeatures : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    describe("60-edk2-x86_64-inteltdx", kSecure, R"("enrolled-keys", "intel-tdx", "secure-boot",)");
    describe("70-plain", kPlain, R"("intel-tdx",)");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void describe(const std::string& name, const std::string& image, const std::string& features) const {
    std::ofstream(folder_ / (name + ".json")) << fmt::format(
        R"({{"interface-types": ["uefi"], "mapping": {{"device": "memory", "filename": "{}"}},
        "targets": [{{"architecture": "x86_64", "machines": ["pc-q35-*"]}}],
        "features": [{} "verbose-dynamic"], "tags": []}})",
        image, features);
  }
  LaunchPlan plan_with(const std::string& features) const {
    const auto xml = fmt::format(
        "<domain type='kvm'><name>td</name><memory unit='MiB'>512</memory><os firmware='efi'>"
        "<type machine='q35'>hvm</type><firmware>{}</firmware></os><launchSecurity type='tdx'/></domain>",
        features);
    PlanSources sources;
    sources.firmware_descriptors = {folder_};
    const auto host = test::kvm_host();
    return plan_launch(
               complete_definition(parse_domain(xml).value(), {.emulator = "/usr/libexec/virttdx-vmm"})
                   .value(),
               host, sources)
        .value();
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / fmt::format("virttdx-descriptors-{}", ::getpid());
};

TEST_F(FirmwareFeatures, ChooseAmongDescriptors) {
  EXPECT_EQ(plan_with("").config.firmware_path, kSecure);
  EXPECT_EQ(plan_with(kYes).config.firmware_path, kSecure);
  EXPECT_EQ(plan_with(kYes + kKeys).config.firmware_path, kSecure);
  EXPECT_EQ(plan_with(kNo).config.firmware_path, kPlain);
}

TEST_F(FirmwareFeatures, OfNoDescriptorAreRefused) {
  const auto plan = plan_with(kYes + kNoKeys);
  EXPECT_EQ(std::ranges::count(plan.findings, "firmware-feature", &Finding::id), 1);
  EXPECT_FALSE(plan.can_start());
}

// As Nova writes it where nobody asked for Secure Boot, on a host with edk2's build for TDX alone.
TEST_F(FirmwareFeatures, ThatAreNotWantedYieldWithAWarning) {
  std::filesystem::remove(folder_ / "70-plain.json");
  const auto plan = plan_with(kNo);
  EXPECT_EQ(plan.config.firmware_path, kSecure);
  const auto unwanted =
      std::ranges::find(plan.findings, std::string("firmware-feature-unwanted"), &Finding::id);
  ASSERT_NE(unwanted, plan.findings.end());
  EXPECT_EQ(unwanted->severity, Severity::Warning);
  EXPECT_NE(unwanted->message.find("' has secure-boot, "), std::string::npos) << unwanted->message;
  EXPECT_EQ(std::ranges::count(plan.findings, "firmware-fallback", &Finding::id), 0);
  const auto both = plan_with(kNo + kNoKeys);
  EXPECT_EQ(std::ranges::count(both.findings, "firmware-feature-unwanted", &Finding::id), 2);
}

TEST_F(FirmwareFeatures, ThatAreNotWantedAreLeftOutWithoutAWarningWhereThatCanBe) {
  EXPECT_EQ(std::ranges::count(plan_with(kNo).findings, "firmware-feature-unwanted", &Finding::id), 0);
}

}  // namespace
}  // namespace virttdx::domain_xml
