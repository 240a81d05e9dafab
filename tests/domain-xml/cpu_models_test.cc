// SPDX-License-Identifier: GPL-2.0-or-later
// Named CPU models in TDs: libvirt's installed map against hosts of which the CPUID is known.
#include "domain_xml/cpu_models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "golden.h"

namespace virttdx::domain_xml {
namespace {

class CpuModels : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/libvirt/cpu_map/index.xml"))
      GTEST_SKIP() << "no CPU map of libvirt (Debian package libvirt0)";
    const auto host = host_capabilities_from_json(test::read_data("plan/kvm.host.json"));
    ASSERT_TRUE(host) << host.error().message();
    host_ = *host;
  }

  LaunchPlan plan(const std::string& cpu, const std::string& policy = "0x10000000") {
    const auto domain = parse_domain(
        "<domain type='kvm'><name>a</name><memory>1048576</memory><os><type>hvm</type></os>" + cpu +
        "<launchSecurity type='tdx'><policy>" + policy + "</policy></launchSecurity></domain>");
    EXPECT_TRUE(domain) << domain.error().message();
    domain_ = complete_definition(*domain, {.emulator = "/usr/libexec/virttdx-vmm"}).value();
    auto plan = plan_launch(domain_, host_);
    EXPECT_TRUE(plan) << plan.error().message();
    return plan.value_or(LaunchPlan());
  }

  // Of the CPU alone, as "id severity".
  static std::vector<std::string> ids(const LaunchPlan& plan) {
    std::vector<std::string> ids;
    for (const auto& finding : plan.findings)
      if (finding.xml_path.starts_with("/domain/cpu")) ids.push_back(finding.id);
    return ids;
  }

  static const Finding* find(const LaunchPlan& plan, std::string_view id) {
    const auto found = std::ranges::find(plan.findings, id, &Finding::id);
    return found == plan.findings.end() ? nullptr : &*found;
  }

  HostCapabilities host_;
  Domain domain_;
};

constexpr auto kIcelake = "<cpu mode='custom'><model>Icelake-Server</model></cpu>";

TEST_F(CpuModels, HaveLibvirtsNames) {
  const auto names = cpu_model_names();
  ASSERT_TRUE(names) << names.error().message();
  EXPECT_TRUE(std::ranges::find(*names, "Icelake-Server") != names->end());
  EXPECT_TRUE(std::ranges::find(*names, "EPYC") != names->end());
}

TEST_F(CpuModels, ThatATdCannotBeAreRefusedByFeature) {
  const auto planned = plan(kIcelake);
  const auto* finding = find(planned, "cpu-model-features");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->severity, Severity::Error);
  EXPECT_EQ(finding->xml_path, "/domain/cpu/model");
  EXPECT_NE(finding->message.find("hle (CPUID.07H:EBX.hle [bit 4]"), std::string::npos) << finding->message;
  EXPECT_NE(finding->remedy.find("<feature policy='disable' name='hle'/>"), std::string::npos);
}

TEST_F(CpuModels, FollowTheRemedy) {
  std::string features;
  const auto refused = plan(kIcelake);
  const auto& remedy = find(refused, "cpu-model-features")->remedy;
  features = remedy.substr(remedy.find('<'));
  const auto planned = plan("<cpu mode='custom'><model>Icelake-Server</model>" + features + "</cpu>");
  EXPECT_EQ(find(planned, "cpu-model-features"), nullptr);
  EXPECT_EQ(find(planned, "cpu-feature-stays"), nullptr);
}

TEST_F(CpuModels, AreNotSpokenOfWithCheckNone) {
  EXPECT_TRUE(ids(plan("<cpu mode='custom' check='none'><model>Icelake-Server</model>"
                       "<feature policy='require' name='vmx'/><feature policy='forbid' name='sse2'/></cpu>"))
                  .empty());
}

TEST_F(CpuModels, RefuseMoreThanTheyHaveWithCheckFull) {
  const auto planned = plan("<cpu mode='custom' check='full'><model>Nehalem</model></cpu>");
  ASSERT_NE(find(planned, "cpu-check-full"), nullptr);
  EXPECT_EQ(find(planned, "cpu-check-full")->severity, Severity::Error);
}

// Fixed to 0 by the module, and in every model of the last 25 years.
TEST_F(CpuModels, CannotHavePse36) {
  const auto planned = plan("<cpu mode='custom'><model>Nehalem</model></cpu>");
  const auto* finding = find(planned, "cpu-model-features");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->bit, "CPUID.01H:EDX.pse36 [bit 17]");
}

TEST_F(CpuModels, OfAnotherVendorAreRefused) {
  const auto planned = plan("<cpu mode='custom'><model>EPYC</model></cpu>");
  EXPECT_NE(find(planned, "cpu-model-vendor"), nullptr);
}

TEST_F(CpuModels, LeaveOutTheStateOfFeaturesTheyLack) {
  constexpr std::uint64_t kX87AndSse = 3;
  const auto planned = plan("<cpu mode='custom'><model>Nehalem</model></cpu>");
  EXPECT_EQ(planned.config.td.xfam, kX87AndSse);
  constexpr std::uint32_t kAes = 1U << 25;
  EXPECT_EQ(find_cpuid(planned.config.td.vcpu_cpuid, 1, 0)->eax & 0x000F0FF0U, 0x000106A0U);
  EXPECT_EQ(
      find_cpuid(plan("<cpu mode='custom'><model>Westmere</model></cpu>").config.td.vcpu_cpuid, 1, 0)->ecx &
          kAes,
      kAes);
}

TEST_F(CpuModels, OfTheHostStartAndAreLikePassthrough) {
  const auto named = plan("<cpu mode='host-model'/>");
  const auto passthrough = plan("<cpu mode='host-passthrough'/>");
  EXPECT_TRUE(find(named, "cpu-model-extra") == nullptr) << find(named, "cpu-model-extra")->message;
  EXPECT_EQ(find(named, "cpu-model-features"), nullptr);
  EXPECT_EQ(named.config.td.xfam, passthrough.config.td.xfam);
}

TEST_F(CpuModels, ShowTheLiveFeaturesThatAFullCheckAccepts) {
  const auto planned = plan("<cpu mode='host-model'/>");
  const CpuidReport report{
      planned.config.td.cpuid, planned.config.td.vcpu_cpuid, predict_cpuid(planned.config.td), {}};
  auto live = live_cpu(domain_, report, host_);
  ASSERT_TRUE(live) << live.error().message();
  EXPECT_EQ(live->mode, "custom");
  EXPECT_EQ(live->check, "full");
  EXPECT_EQ(live->fallback, "forbid");
  domain_.cpu = *live;
  const auto again = plan_launch(domain_, host_);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_TRUE(ids(*again).empty()) << again->findings.front().message;
  EXPECT_EQ(again->config.td.cpuid, planned.config.td.cpuid);
}

class VerifiedCpu : public CpuModels {
 protected:
  // A guest that got what was predicted.
  GuestCpuid guest_of(const LaunchPlan& planned) const {
    const auto& td = planned.config.td;
    return {{td.cpuid, td.vcpu_cpuid, predict_cpuid(td), {}}, td.xfam, td.attributes};
  }
  std::string refusal(const GuestCpuid& guest) const {
    const auto verified = verify_cpu(domain_, guest, host_);
    return verified ? std::string() : verified.error().message();
  }
  // CPUID.01H:ECX
  static std::uint32_t& leaf_1_ecx(GuestCpuid& guest) {
    return std::ranges::find(guest.report.actual, 1U, &CpuidEntry::function)->ecx;
  }
  static constexpr std::uint32_t kVmx = 1U << 5, kAes = 1U << 25;
};

TEST_F(VerifiedCpu, ThatWasPredictedIsAccepted) {
  for (const char* cpu :
       {"<cpu mode='host-passthrough' check='full'/>", "<cpu mode='maximum' check='full'/>",
        "<cpu mode='host-model' check='full'/>",
        "<cpu mode='host-model' check='full'><feature policy='disable' name='mca'/><feature "
        "policy='optional' name='vmx'/></cpu>"})
    EXPECT_EQ(refusal(guest_of(plan(cpu))), "") << cpu;
  auto several = plan("<cpu mode='host-model' check='full'/>");
  domain_.vcpus = 4;
  several = *plan_launch(domain_, host_);
  ASSERT_TRUE(several.can_start()) << error_of(several).message();
  EXPECT_EQ(refusal(guest_of(several)), "");
}

TEST_F(VerifiedCpu, OfAnotherFeatureIsRefusedByNameAndBit) {
  for (const char* cpu : {"<cpu mode='host-passthrough' check='full'><feature name='aes'/></cpu>",
                          "<cpu mode='host-model' check='full'/>"}) {
    auto guest = guest_of(plan(cpu));
    leaf_1_ecx(guest) ^= kVmx | kAes;
    EXPECT_EQ(refusal(guest).rfind(
                  "guest CPU doesn't match specification: missing features: aes (CPUID.01H:ECX.aes "
                  "[bit 25]), extra features: vmx (CPUID.01H:ECX.vmx [bit 5]);",
                  0),
              0U)
        << refusal(guest);
  }
}

TEST_F(VerifiedCpu, OfAnotherBitWithoutANameOrOfAnotherVcpuIsRefused) {
  auto guest = guest_of(plan("<cpu mode='host-passthrough' check='full'/>"));
  std::ranges::find(guest.report.actual, 0x80000008U, &CpuidEntry::function)->ecx ^= 1U << 8;
  EXPECT_NE(refusal(guest).find("other bits: CPUID.80000008H:ECX [bit 8] is 1"), std::string::npos)
      << refusal(guest);
  guest = guest_of(plan("<cpu mode='host-passthrough' check='full'/>"));
  auto leaf = *find_cpuid(guest.report.actual, 1, 0);
  leaf.ecx ^= kAes;
  guest.report.deviations = {{2, {leaf}}};
  EXPECT_NE(refusal(guest).find("vCPU 2: CPUID.01H:ECX.aes [bit 25] is 0"), std::string::npos)
      << refusal(guest);
}

TEST_F(VerifiedCpu, IsHeldAgainstNothingWithoutAFullCheck) {
  for (const char* cpu : {"<cpu mode='host-passthrough'/>", "<cpu mode='host-model'/>",
                          "<cpu mode='host-model' check='none'/>"}) {
    auto guest = guest_of(plan(cpu));
    leaf_1_ecx(guest) ^= kAes;
    EXPECT_EQ(refusal(guest), "") << cpu;
  }
}

TEST_F(CpuModels, LeavePassthroughAsItIs) {
  const auto planned = plan("<cpu mode='host-passthrough'/>");
  const auto live = live_cpu(domain_, {}, host_);
  ASSERT_TRUE(live) << live.error().message();
  EXPECT_EQ(*live, *domain_.cpu);
}

TEST_F(CpuModels, AreUsableOnlyWithoutBlockers) {
  const auto models = cpu_model_usability(host_);
  ASSERT_TRUE(models) << models.error().message();
  for (const auto& model : *models) {
    const auto planned = plan("<cpu mode='custom'><model>" + model.name + "</model></cpu>");
    const bool refused = find(planned, "cpu-model-features") || find(planned, "cpu-model-vendor");
    EXPECT_EQ(model.usable, !refused) << model.name;
  }
}

TEST_F(CpuModels, CompareWithWhatATdCanHave) {
  const auto can = compare_cpu("<cpu><model>Nehalem</model><feature policy='disable' name='pse36'/></cpu>",
                               ComparedCpu::TrustDomain, host_);
  const auto cannot =
      compare_cpu("<cpu><model>Nehalem</model><feature name='vmx'/></cpu>", ComparedCpu::TrustDomain, host_);
  const auto host =
      compare_cpu("<cpu><model>Nehalem</model><feature name='vmx'/></cpu>", ComparedCpu::Host, host_);
  ASSERT_TRUE(can && cannot && host);
  EXPECT_EQ(can->result, CpuCompareResult::Superset) << can->message;
  EXPECT_EQ(cannot->result, CpuCompareResult::Incompatible);
  EXPECT_NE(cannot->message.find("vmx"), std::string::npos);
  EXPECT_EQ(host->result, CpuCompareResult::Superset) << host->message;
}

TEST_F(CpuModels, CompareIdenticalWithTheHostsOwn) {
  const auto model = host_model_cpu(host_);
  ASSERT_TRUE(model) << model.error().message();
  std::string xml = "<cpu><model>" + *model->model + "</model>";
  for (const auto& feature : model->features)
    xml += std::string("<feature policy='") +
           (feature.policy == CpuFeaturePolicy::Require ? "require" : "disable") + "' name='" + feature.name +
           "'/>";
  const auto compared = compare_cpu(xml + "</cpu>", ComparedCpu::TrustDomain, host_);
  ASSERT_TRUE(compared) << compared.error().message();
  EXPECT_EQ(compared->result, CpuCompareResult::Identical);
}

TEST_F(CpuModels, HaveABaselineThatATdCanBe) {
  const std::vector<std::string> cpus = {"<cpu><model>Icelake-Server</model></cpu>",
                                         "<cpu><model>Skylake-Server</model></cpu>"};
  const auto baseline = baseline_cpu(cpus, host_);
  ASSERT_TRUE(baseline) << baseline.error().message();
  EXPECT_NE(baseline->find("<cpu mode='custom' match='exact'>"), std::string::npos) << *baseline;
  EXPECT_NE(baseline->find("<feature policy='disable' name='hle'/>"), std::string::npos) << *baseline;
  EXPECT_NE(compare_cpu(*baseline, ComparedCpu::TrustDomain, host_).value().result,
            CpuCompareResult::Incompatible);
  EXPECT_EQ(baseline_cpu({}, host_).error().code(), Error::Code::InvalidArgument);
  EXPECT_EQ(baseline_cpu(std::vector<std::string>{"<cpu><model>Nehalem</model></cpu>",
                                                  "<cpu><model>EPYC</model></cpu>"},
                         host_)
                .error()
                .code(),
            Error::Code::ConfigUnsupported);
}

TEST_F(CpuModels, RefuseUnknownNamesByLine) {
  for (const char* xml :
       {"<cpu>\n<model>No-Such</model></cpu>", "<cpu>\n<feature name='no-such'/></cpu>", "<domain/>"}) {
    const auto compared = compare_cpu(xml, ComparedCpu::Host, host_);
    ASSERT_FALSE(compared);
    EXPECT_EQ(compared.error().code(), Error::Code::XmlInvalid);
  }
  EXPECT_EQ(compare_cpu("<cpu>", ComparedCpu::Host, host_).error().code(), Error::Code::XmlSyntax);
}

TEST_F(CpuModels, HaveWrongPredictionsReported) {
  const auto planned = plan("<cpu mode='host-passthrough'/>");
  const auto predicted = predict_cpuid(planned.config.td);
  CpuidReport report{planned.config.td.cpuid, planned.config.td.vcpu_cpuid, predicted};
  constexpr std::uint32_t kSmep = 1U << 7;
  const auto leaf_7 = std::ranges::find_if(
      report.actual, [](const CpuidEntry& entry) { return entry.function == 7 && entry.index == 0; });
  leaf_7->ebx ^= kSmep;
  const auto differences =
      compare_cpuid(report, planned.config.td.xfam, planned.config.td.attributes, predicted);
  const auto smep = std::ranges::find(differences, "smep", &CpuidDifference::name);
  ASSERT_NE(smep, differences.end());
  EXPECT_EQ(smep->predicted, true);
  EXPECT_FALSE(smep->actual);
  EXPECT_NE(smep->reason.find("predicted otherwise"), std::string::npos) << smep->reason;
  EXPECT_EQ(std::ranges::count_if(differences,
                                  [](const CpuidDifference& one) { return one.predicted != one.actual; }),
            1);
}

// A CPU map as other versions of libvirt write it.
class OwnCpuMap : public CpuModels {
 protected:
  void SetUp() override {
    CpuModels::SetUp();
    sources_.cpu_map = folder_ / "x86_features.xml";
    write("x86_features.xml",
          "<cpus><feature name='aes'><cpuid eax_in='0x01' ecx='0x02000000'/></feature>"
          "<feature name='vmx'><cpuid eax_in='0x01' ecx='0x00000020'/></feature>"
          "<feature name='rdctl-no'><msr index='0x10a' edx='0x0' eax='0x1'/></feature></cpus>");
    write("index.xml",
          "<cpus><arch name='x86'><include filename='x86_features.xml'/><group name='Intel CPU models'>"
          "<include filename='models.xml'/></group></arch>"
          "<arch name='arm'><include filename='no-such-file.xml'/></arch></cpus>");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / name) << text;
  }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("virttdx-cpu-map-" + new_uuid());
  PlanSources sources_;
};

TEST_F(OwnCpuMap, GivesModelsTheFeaturesOfTheirAncestors) {
  write("models.xml",
        "<cpus><model name='Base'><vendor name='Intel'/><feature name='aes'/><feature name='vmx'/></model>"
        "<model name='Base-v2'><model name='Base'/><feature name='vmx' removed='yes'/>"
        "<feature name='rdctl-no'/></model></cpus>");
  const auto models = cpu_model_usability(host_, sources_);
  ASSERT_TRUE(models) << models.error().message();
  ASSERT_EQ(models->size(), 2U);
  EXPECT_EQ((*models)[0].blockers, std::vector<std::string>{"vmx"});
  EXPECT_TRUE((*models)[1].usable);
  EXPECT_EQ((*models)[1].vendor, "Intel");
}

TEST_F(OwnCpuMap, IsReadAgainWhenAnyOfItsFilesChanges) {
  write("models.xml", "<cpus><model name='One'/></cpus>");
  EXPECT_EQ(cpu_model_names(sources_).value_or(std::vector<std::string>()), std::vector<std::string>{"One"});
  write("models.xml", "<cpus><model name='One'/><model name='Two'/></cpus>");
  EXPECT_EQ(cpu_model_names(sources_).value_or(std::vector<std::string>()),
            (std::vector<std::string>{"One", "Two"}));
  write("models.xml", "<cpus>");
  EXPECT_FALSE(cpu_model_names(sources_));
  write("models.xml", "<cpus><model name='Three'/></cpus>");
  EXPECT_EQ(cpu_model_names(sources_).value_or(std::vector<std::string>()),
            std::vector<std::string>{"Three"});
}

TEST_F(OwnCpuMap, IsRefusedByFileAndLine) {
  for (const char* model : {"<model name='a'><model name='no-such'/></model>",
                            "<model name='a'><signature family='x' model='1'/></model>"}) {
    write("models.xml", std::string("<cpus>\n") + model + "</cpus>");
    const auto names = cpu_model_names(sources_);
    ASSERT_FALSE(names);
    EXPECT_NE(names.error().message().find("models.xml"), std::string::npos) << names.error().message();
    EXPECT_NE(names.error().message().find("line 2"), std::string::npos) << names.error().message();
  }
}

}  // namespace
}  // namespace virttdx::domain_xml
