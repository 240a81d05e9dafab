// SPDX-License-Identifier: GPL-2.0-or-later
// tests/data/plan/HOST/NAME.xml, planned for the host of HOST.host.json, becomes NAME.plan: the monitor's
// configuration and the findings.
#include "domain_xml/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "golden.h"
#include "known_host.h"

namespace virttdx::domain_xml {
namespace {

HostCapabilities host_of(const std::string& name) {
  auto host = host_capabilities_from_json(test::read_data(name));
  EXPECT_TRUE(host) << host.error().message();
  return host.value_or(HostCapabilities());
}

Domain complete(const std::string& xml) {
  auto domain = parse_domain(xml);
  EXPECT_TRUE(domain) << domain.error().message();
  auto completed = complete_definition(domain.value_or(Domain()), {.emulator = "/usr/libexec/virttdx-vmm"});
  EXPECT_TRUE(completed) << completed.error().message();
  return completed.value_or(Domain());
}

// Relative, so that no golden file holds the path of a source tree.
PlanSources test_sources() {
  std::filesystem::current_path(test::data_path("plan"));
  PlanSources sources;
  sources.firmware_descriptors = {"no-such-folder", "firmware"};
  return sources;
}

// A leaf a line.
std::string compact_entries(const nlohmann::json& entries) {
  std::string text = "[";
  for (const auto& entry : entries) text += (text.size() > 1 ? ",\n    " : "\n    ") + entry.dump();
  return text + "]";
}

std::string describe(const LaunchPlan& plan) {
  auto config = nlohmann::json::parse(vm_config_to_json(plan.config));
  std::string text;
  for (const char* table : {"cpuid", "vcpu_cpuid"}) {
    text +=
        std::string(table) + " " + compact_entries(config["td"].value(table, nlohmann::json::array())) + "\n";
    config["td"].erase(table);
  }
  text += config.dump(2) + "\n";
  for (const auto& finding : plan.findings)
    text += finding.id + (finding.bit.empty() ? "" : " " + finding.bit) + "\n  " + to_string(finding) + "\n";
  return text;
}

class PlannedDomain : public testing::TestWithParam<std::string> {};

TEST_P(PlannedDomain, BecomesTheMonitorsConfigurationAndFindings) {
  if (!std::filesystem::exists(test::kDebianFirmware))
    GTEST_SKIP() << "no " << test::kDebianFirmware << " (Debian package ovmf)";
  const auto folder = std::filesystem::path(GetParam()).parent_path().string();
  const auto plan =
      plan_launch(complete(test::read_data(GetParam())), host_of(folder + ".host.json"), test_sources());
  ASSERT_TRUE(plan) << plan.error().message();
  test::expect_golden(test::with_extension(GetParam(), ".plan"), describe(*plan));
}

INSTANTIATE_TEST_SUITE_P(OnKvm, PlannedDomain, testing::ValuesIn(test::data_files("plan/kvm", ".xml")),
                         test::name_of_file);
INSTANTIATE_TEST_SUITE_P(OnTheSoftwareHost, PlannedDomain,
                         testing::ValuesIn(test::data_files("plan/soft", ".xml")), test::name_of_file);
INSTANTIATE_TEST_SUITE_P(WithoutTdx, PlannedDomain,
                         testing::ValuesIn(test::data_files("plan/no-tdx", ".xml")), test::name_of_file);

LaunchPlan plan_of(const std::string& file, const HostCapabilities& host) {
  auto plan = plan_launch(complete(test::read_data(file)), host, test_sources());
  EXPECT_TRUE(plan) << plan.error().message();
  return plan.value_or(LaunchPlan());
}

TEST(LaunchPlan, GivesInitVmExactlyTheConfigurableLeaves) {
  const auto host = host_of("plan/kvm.host.json");
  const auto plan = plan_of("plan/kvm/td.xml", host);
  ASSERT_EQ(plan.config.td.cpuid.size(), host.configurable_cpuid.size());
  for (std::size_t i = 0; i < host.configurable_cpuid.size(); ++i) {
    const auto& offered = host.configurable_cpuid[i];
    const auto& given = plan.config.td.cpuid[i];
    EXPECT_EQ(given.function, offered.function);
    EXPECT_EQ(given.index, offered.index);
    for (const auto reg : kCpuidRegisters) EXPECT_EQ(given.get(reg) & ~offered.get(reg), 0U);
  }
}

TEST(LaunchPlan, AsksFor48AddressBits) {
  const auto plan = plan_of("plan/kvm/td.xml", host_of("plan/kvm.host.json"));
  EXPECT_EQ(find_cpuid(plan.config.td.cpuid, 0x80000008, 0)->eax >> 16 & 0xFF, 48U);
}

TEST(LaunchPlan, ShowsKvmsSignature) {
  const auto plan = plan_of("plan/kvm/td.xml", host_of("plan/kvm.host.json"));
  const auto* signature = find_cpuid(plan.config.td.vcpu_cpuid, 0x40000000, 0);
  ASSERT_NE(signature, nullptr);
  EXPECT_EQ(signature->eax, 0x40000001U);
  const auto* features = find_cpuid(plan.config.td.vcpu_cpuid, 0x40000001, 0);
  ASSERT_NE(features, nullptr);
  EXPECT_NE(features->eax & 1U << 15, 0U);
  constexpr std::uint32_t kKvmclock = 1U | 1U << 3;
  EXPECT_EQ(features->eax & kKvmclock, 0U);
}

TEST(LaunchPlan, TellsTheTscFrequencyInLeaf15) {
  const auto plan = plan_of("plan/kvm/td.xml", host_of("plan/kvm.host.json"));
  const auto* tsc = find_cpuid(plan.config.td.vcpu_cpuid, 0x15, 0);
  ASSERT_NE(tsc, nullptr);
  EXPECT_EQ(std::uint64_t{tsc->ecx} * tsc->ebx / tsc->eax, 2'000'000'000U);
}

TEST(LaunchPlan, NamesTheFirstErrorAndCountsTheOthers) {
  const auto plan = plan_of("plan/kvm/impossible.xml", host_of("plan/kvm.host.json"));
  ASSERT_FALSE(plan.can_start());
  const auto error = error_of(plan);
  EXPECT_EQ(error.code(), Error::Code::ConfigUnsupported);
  EXPECT_NE(error.message().find("more errors)"), std::string::npos) << error.message();
}

// libvirt replaces a model that the hypervisor does not know; all of its CPU map are known here.
TEST(LaunchPlan, IsTheSameWhateverTheFallback) {
  const auto described = [](const std::string& model, const std::string& fallback) {
    auto domain = complete(test::read_data("plan/kvm/td.xml"));
    domain.cpu->mode = "custom";
    domain.cpu->model = model;
    domain.cpu->fallback = fallback;
    return describe(*plan_launch(domain, host_of("plan/kvm.host.json"), test_sources()));
  };
  for (const std::string model : {"SapphireRapids", "EPYC", "Penryn", "NoSuchModel"})
    EXPECT_EQ(described(model, "allow"), described(model, "forbid")) << model;
  EXPECT_NE(described("NoSuchModel", "allow").find("cpu-model-unknown"), std::string::npos);
}

TEST(BitName, IsInQemusNotation) {
  EXPECT_EQ(bit_name(7, 0, CpuidRegister::Ebx, 25), "CPUID.07H:EBX.intel-pt [bit 25]");
  EXPECT_EQ(bit_name(0xD, 1, CpuidRegister::Eax, 0), "CPUID.0DH.1:EAX.xsaveopt [bit 0]");
  EXPECT_EQ(bit_name(0x80000008, 0, CpuidRegister::Eax, 3), "CPUID.80000008H:EAX [bit 3]");
}

TEST(CompareCpuid, ReportsEachDifferingBitWithItsReason) {
  CpuidReport report;
  report.vcpu_requested = {{.function = 7, .ebx = 1U << 25}};
  report.actual = {{.function = 7, .ebx = 1U << 0}};
  const auto differences = compare_cpuid(report, 0x7, 0x10000000);
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_EQ(differences[0].name, "fsgsbase");
  EXPECT_TRUE(differences[0].actual);
  EXPECT_EQ(differences[1].name, "intel-pt");
  EXPECT_TRUE(differences[1].requested);
  EXPECT_NE(differences[1].reason.find("XFAM bit 8"), std::string::npos) << differences[1].reason;
}

TEST(CompareCpuid, NamesTheVcpuThatIsNotAsTheFirst) {
  CpuidReport report;
  report.vcpu_requested = report.actual = {{.function = 7, .ebx = 1U << 0}};
  report.deviations = {{3, {{.function = 7}}}};
  const auto differences = compare_cpuid(report, 0x7, 0x10000000);
  ASSERT_EQ(differences.size(), 1U);
  EXPECT_EQ(differences[0].vcpu, 3U);
  EXPECT_FALSE(differences[0].actual);
  EXPECT_EQ(to_string(differences[0]), "vCPU 3: CPUID.07H:EBX.fsgsbase [bit 0]");
}

TEST(CompareCpuid, LeavesOutWhatIsComputedWhenAsked) {
  constexpr std::uint32_t kOsxsave = 1U << 27;
  CpuidReport report;
  report.vcpu_requested = {{.function = 1, .ecx = kOsxsave}};
  report.actual = {{.function = 1}};
  EXPECT_TRUE(compare_cpuid(report, 0x7, 0x10000000).empty());
}

bool refuses_firmware(const std::filesystem::path& firmware) {
  PlanSources sources;
  sources.firmware_descriptors.clear();
  sources.fallback_firmware = firmware;
  const auto plan =
      plan_launch(complete(test::read_data("plan/soft/nova.xml")), host_of("plan/soft.host.json"), sources);
  return !plan || std::ranges::any_of(plan->findings, [](const Finding& finding) {
    return finding.id == "firmware-no-metadata";
  });
}

TEST(FirmwareFile, IsLookedAtAgainOnceItHasChanged) {
  if (!std::filesystem::exists(test::kDebianFirmware))
    GTEST_SKIP() << "no " << test::kDebianFirmware << " (Debian package ovmf)";
  const auto file = std::filesystem::path(testing::TempDir()) / "firmware.fd";
  std::ofstream(file) << std::string(4096, 'x');
  EXPECT_TRUE(refuses_firmware(file));
  EXPECT_TRUE(refuses_firmware(file));
  std::filesystem::copy_file(test::kDebianFirmware, file, std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(refuses_firmware(file));
  EXPECT_FALSE(refuses_firmware(file));
}

}  // namespace
}  // namespace virttdx::domain_xml
