// SPDX-License-Identifier: GPL-2.0-or-later
// Every kind of CPUID bit, every attribute, every bit of XFAM, every policy and every finding about them is
// met by at least one sample.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "domain_xml/cpu_models.h"
#include "golden.h"
#include "known_host.h"

namespace virttdx::domain_xml {
namespace {

using Names = std::set<std::string>;

constexpr unsigned kDebug = 0, kMigratable = 29, kPks = 30, kPerfmon = 63;

struct CpuSample {
  const char* cpu;
  const char* finding;  ///< its identifier; nothing: no finding about the CPU
  const char* bit = "";
};

// On kvm.host.json, a Sapphire Rapids with upstream KVM.
const std::vector<CpuSample> kFeatureSamples = {
    // By class of the bit; each policy.
    {"<feature policy='require' name='mca'/>", ""},
    {"<feature policy='force' name='mca'/>", ""},
    {"<feature policy='optional' name='mca'/>", ""},
    {"<feature policy='disable' name='mca'/>", ""},
    {"<feature policy='forbid' name='mca'/>", "cpu-feature-forbidden", "CPUID.01H:EDX.mca [bit 14]"},
    {"<feature policy='require' name='apic'/>", ""},
    {"<feature policy='disable' name='apic'/>", "cpu-feature-stays", "CPUID.01H:EDX.apic [bit 9]"},
    {"<feature policy='forbid' name='apic'/>", "cpu-feature-forbidden", "CPUID.01H:EDX.apic [bit 9]"},
    {"<feature policy='require' name='vmx'/>", "cpu-feature-not-offered", "CPUID.01H:ECX.vmx [bit 5]"},
    {"<feature policy='force' name='vmx'/>", "cpu-feature-not-offered", "CPUID.01H:ECX.vmx [bit 5]"},
    {"<feature policy='optional' name='vmx'/>", "cpu-feature-not-offered", "CPUID.01H:ECX.vmx [bit 5]"},
    {"<feature policy='disable' name='vmx'/>", ""},
    {"<feature policy='forbid' name='vmx'/>", ""},
    {"<feature policy='disable' name='sse2'/>", "cpu-feature-stays", "CPUID.01H:EDX.sse2 [bit 26]"},
    {"<feature policy='disable' name='osxsave'/>", ""},
    {"<feature policy='require' name='hle'/>", "cpu-feature-not-offered", "CPUID.07H:EBX.hle [bit 4]"},
    {"<feature policy='require' name='cid'/>", "cpu-feature-beyond-kvm", "CPUID.01H:ECX.cid [bit 10]"},
    {"<feature policy='force' name='cid'/>", "cpu-feature-beyond-kvm", "CPUID.01H:ECX.cid [bit 10]"},
    {"<feature policy='optional' name='cid'/>", "cpu-feature-not-offered", "CPUID.01H:ECX.cid [bit 10]"},
    {"<feature policy='disable' name='cid'/>", ""},
    {"<feature policy='forbid' name='cid'/>", ""},
    {"<feature policy='require' name='arat'/>", ""},
    {"<feature policy='disable' name='arat'/>", ""},
    {"<feature name='ht'/>", "cpu-feature-topology", "CPUID.01H:EDX.ht [bit 28]"},
    {"<feature policy='require' name='kvm-pv-unhalt'/>", ""},
    {"<feature policy='require' name='kvmclock'/>", "cpu-feature-not-offered",
     "CPUID.40000001H:EAX.kvmclock [bit 3]"},
    {"<feature name='rdctl-no'/>", "cpu-feature-msr"},
    {"<feature name='no-such-feature'/>", "cpu-feature-unknown"},
    // State.
    {"<feature name='intel-pt'/>", "cpu-feature-state-not-offered", "CPUID.07H:EBX.intel-pt [bit 25]"},
    {"<feature policy='disable' name='avx'/><feature name='avx2'/>", "cpu-feature-state-left-out",
     "CPUID.07H:EBX.avx2 [bit 5]"},
    {"<feature policy='disable' name='avx'/><feature name='amx-tile'/>", ""},
    // Attributes.
    {"<feature name='pks'/>", "tdx-attribute-kvm", "ATTRIBUTES.PKS [bit 30]"},
    {"<feature policy='optional' name='lass'/>", "tdx-attribute-kvm", "ATTRIBUTES.LASS [bit 27]"},
    {"<feature name='kl'/>", "tdx-attribute-module", "ATTRIBUTES.KL [bit 31]"},
};
// Whole <cpu> elements.
const std::vector<CpuSample> kCpus = {
    {"<cpu mode='host-passthrough' migratable='on'/>", "cpu-migratable-without-effect"},
    {"<cpu mode='host-passthrough'><model>Nehalem</model></cpu>", "cpu-model-not-offered"},
    {"<cpu mode='host-passthrough'><maxphysaddr mode='emulate' bits='40'/></cpu>", "cpu-maxphysaddr"},
    {"<cpu><topology sockets='2' cores='1' threads='1'/></cpu>", "cpu-topology"},
    {"<cpu mode='custom'/>", "cpu-model-missing-name"},
    {"<cpu mode='custom'><model>no-such-model</model></cpu>", "cpu-model-unknown"},
    {"<cpu mode='custom'><model>EPYC</model></cpu>", "cpu-model-vendor"},
    {"<cpu mode='custom'><model>Nehalem</model><vendor>AMD</vendor></cpu>", "cpu-vendor"},
    {"<cpu mode='custom'><model vendor_id='AuthenticAMD'>Nehalem</model></cpu>", "cpu-vendor-id"},
    {"<cpu mode='custom'><model>Nehalem</model></cpu>", "cpu-model-features", "CPUID.01H:EDX.pse36 [bit 17]"},
    {"<cpu mode='custom'><model>Nehalem</model></cpu>", "cpu-model-extra"},
    {"<cpu mode='custom' check='full'><model>Nehalem</model></cpu>", "cpu-check-full"},
    {"<cpu mode='custom' match='strict'><model>Nehalem</model></cpu>", "cpu-match-strict"},
};
// Of other tests: a missing map, odd hosts.
const Names kCpuFindingsElsewhere = {
    "cpu-map-missing",     "cpu-not-executed",      "cpu-host-model", "cpu-topology-not-configurable",
    "cpu-model-signature", "xfam-group-incomplete", "xfam-never"};

std::vector<Finding> cpu_findings(const std::string& cpu, const HostCapabilities& host,
                                  std::uint64_t policy = 0x10000000, const PlanSources& sources = {}) {
  const auto domain = parse_domain(
      "<domain type='kvm'><name>a</name><memory>1048576</memory><os><type>hvm</type></os>"
      "<features><acpi/></features>" +
      cpu + "<launchSecurity type='tdx'><policy>" + fmt::format("{:#x}", policy) +
      "</policy></launchSecurity></domain>");
  EXPECT_TRUE(domain) << domain.error().message();
  const auto complete = complete_definition(*domain, {.emulator = "/usr/libexec/virttdx-vmm"});
  const auto plan = plan_launch(*complete, host, sources);
  EXPECT_TRUE(plan) << plan.error().message();
  auto findings = plan ? plan->findings : std::vector<Finding>();
  std::erase_if(findings, [](const Finding& finding) {
    return !finding.xml_path.starts_with("/domain/cpu") && !finding.id.starts_with("tdx-attribute");
  });
  return findings;
}

std::string ids_and_bits(const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& finding : findings) text += finding.id + " " + finding.bit + "; ";
  return text;
}

bool has(const std::vector<Finding>& findings, std::string_view id, std::string_view bit) {
  return std::ranges::any_of(findings, [&](const Finding& finding) {
    return finding.id == id && (bit.empty() || finding.bit == bit);
  });
}

class FindingCoverage : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/libvirt/cpu_map/index.xml"))
      GTEST_SKIP() << "no CPU map of libvirt (Debian package libvirt0)";
  }
};

TEST_F(FindingCoverage, EachFeatureSampleHasItsFinding) {
  for (const auto& sample : kFeatureSamples) {
    const auto findings =
        cpu_findings(std::string("<cpu mode='host-passthrough'>") + sample.cpu + "</cpu>", test::kvm_host());
    if (std::string_view(sample.finding).empty())
      EXPECT_TRUE(findings.empty()) << sample.cpu << ": " << ids_and_bits(findings);
    else
      EXPECT_TRUE(findings.size() == 1 && has(findings, sample.finding, sample.bit))
          << sample.cpu << ": " << ids_and_bits(findings);
  }
}

TEST_F(FindingCoverage, WhatThePlayedHostShowsAndTheSoftwareHostCannotExecuteIsNamed) {
  auto host = test::kvm_host();
  host.kind = HostKind::Soft;
  const auto findings = cpu_findings("<cpu mode='host-passthrough'/>", host);
  ASSERT_TRUE(has(findings, "cpu-not-executed", "")) << ids_and_bits(findings);
  EXPECT_NE(findings.at(0).message.find(" avx, "), std::string::npos) << findings.at(0).message;
  EXPECT_NE(findings.at(0).message.find(" amx-tile, "), std::string::npos) << findings.at(0).message;
  EXPECT_FALSE(
      has(cpu_findings("<cpu mode='custom'><model>Nehalem</model></cpu>", host), "cpu-not-executed", ""));
}

TEST_F(FindingCoverage, EachCpuSampleHasItsFinding) {
  for (const auto& sample : kCpus)
    EXPECT_TRUE(has(cpu_findings(sample.cpu, test::kvm_host()), sample.finding, sample.bit)) << sample.cpu;
}

TEST_F(FindingCoverage, EachIdentifierInTheSourcesHasASample) {
  Names met = kCpuFindingsElsewhere;
  for (const auto* table : {&kFeatureSamples, &kCpus})
    for (const auto& sample : *table) met.insert(sample.finding);
  const std::regex identifier("\"((?:cpu|xfam)-[a-z0-9-]+)\"");
  for (const char* file : {"cpu.cc", "cpu_features.cc", "cpu_model.cc"}) {
    std::ifstream stream(std::filesystem::path(VIRTTDX_SOURCE_ROOT) / "domain-xml/plan" / file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    ASSERT_FALSE(text.empty()) << file;
    for (std::sregex_iterator found(text.begin(), text.end(), identifier), end; found != end; ++found)
      EXPECT_TRUE(met.contains((*found)[1])) << file << ": no sample for " << (*found)[1];
  }
}

// Message of each class of bit, as the samples meet it.
TEST_F(FindingCoverage, EachClassOfBitIsNamed) {
  const std::map<std::string, std::string> samples = {
      {"configurable", "<feature policy='forbid' name='mca'/>"},
      {"fixed-1", "<feature policy='disable' name='apic'/>"},
      {"fixed-0", "<feature name='vmx'/>"},
      {"XFAM-dependent", "<feature policy='forbid' name='avx2'/>"},
      {"native", "<feature policy='disable' name='sse2'/>"},
      {"computed", "<feature policy='forbid' name='syscall'/>"},
      {"answered by KVM", "<feature policy='forbid' name='arat'/>"},
      {"KVM paravirtual", "<feature name='kvmclock'/>"},
      {"not offered", "<feature name='hle'/>"},
  };
  for (const auto& [name, feature] : samples) {
    const auto findings =
        cpu_findings("<cpu mode='host-passthrough'>" + feature + "</cpu>", test::kvm_host());
    ASSERT_FALSE(findings.empty()) << feature;
    EXPECT_NE(findings[0].message.find(", " + name + ")"), std::string::npos) << findings[0].message;
  }
}

TEST_F(FindingCoverage, EachAttributeIsRefusedForItsOwnReason) {
  const Names settable = {"DEBUG", "ICSSD", "LASS", "SEPT_VE_DISABLE", "PKS", "PERFMON"};
  auto nothing = test::kvm_host(), everything = test::kvm_host();
  nothing.supported_attributes = 0;
  everything.supported_attributes = ~std::uint64_t{0};
  for (unsigned bit = 0; bit < 64; ++bit) {
    const auto policy = std::uint64_t{1} << bit;
    const auto without = cpu_findings("", nothing, policy), with = cpu_findings("", everything, policy);
    ASSERT_EQ(without.size(), 1U) << bit;
    const auto name = without[0].bit.substr(11, without[0].bit.find(' ') - 11);
    if (settable.contains(name)) {
      EXPECT_EQ(without[0].id, "tdx-attribute-kvm") << bit;
      EXPECT_TRUE(with.empty()) << bit;
    } else {
      const bool migratable = bit == kMigratable, reserved = name == "reserved";
      EXPECT_EQ(without[0].id, migratable ? "tdx-attribute-kvm"
                               : reserved ? "tdx-attribute-reserved"
                                          : "tdx-attribute-module");
      EXPECT_EQ(with.at(0).id, migratable ? "tdx-attribute-not-honoured" : without[0].id);
    }
  }
}

TEST_F(FindingCoverage, AttributesThatExcludeEachOtherAreRefused) {
  for (const auto other : {kDebug, kPerfmon})
    EXPECT_TRUE(
        has(cpu_findings("", test::kvm_host(), std::uint64_t{1} << kMigratable | std::uint64_t{1} << other),
            "tdx-attributes-exclude", ""));
}

TEST_F(FindingCoverage, AFeatureBringsItsAttribute) {
  auto host = test::kvm_host();
  host.supported_attributes |= std::uint64_t{1} << kPks;
  CpuidEntry& leaf_7 = *std::ranges::find_if(
      host.supported_cpuid, [](const CpuidEntry& entry) { return entry.function == 7 && entry.index == 0; });
  leaf_7.ecx |= 1U << 31;
  EXPECT_TRUE(cpu_findings("<cpu mode='host-passthrough'><feature name='pks'/></cpu>", host).empty());
  constexpr std::uint64_t kPolicyWithPks = 0x50000000;
  const auto refused = cpu_findings(
      "<cpu mode='host-passthrough'><feature policy='forbid' name='pks'/></cpu>", host, kPolicyWithPks);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_NE(refused[0].message.find(", attribute-dependent)"), std::string::npos) << refused[0].message;
}

// Bit by bit what of a host's XFAM a TD gets, with everything that the bit needs.
TEST_F(FindingCoverage, EachBitOfXfamIsTakenByTheModulesRules) {
  const std::map<unsigned, std::uint64_t> together = {
      {0, 0x3},   {1, 0x3},     {2, 0x7},     {5, 0xE7},    {6, 0xE7},    {7, 0xE7},     {8, 0x103},
      {9, 0x203}, {11, 0x1803}, {12, 0x1803}, {14, 0x4003}, {15, 0x8003}, {17, 0x60003}, {18, 0x60003}};
  for (unsigned bit = 0; bit < 19; ++bit) {
    auto host = test::kvm_host();
    host.supported_xfam = 0x3 | std::uint64_t{1} << bit;
    const auto alone = cpu_findings("", host);
    const auto set = together.find(bit);
    const bool lonely = set == together.end() || set->second != host.supported_xfam;
    EXPECT_EQ(lonely, has(alone, set == together.end() ? "xfam-never" : "xfam-group-incomplete", ""))
        << bit << ": " << ids_and_bits(alone);
    if (set == together.end()) continue;
    host.supported_xfam = set->second;
    EXPECT_TRUE(cpu_findings("", host).empty()) << bit;
  }
}

HostCapabilities host_without_leaf(std::uint32_t function) {
  auto host = test::kvm_host();
  std::erase_if(host.configurable_cpuid, [&](const CpuidEntry& entry) { return entry.function == function; });
  return host;
}

TEST_F(FindingCoverage, ASignatureThatTheModuleDoesNotLetBeSetIsNamed) {
  const auto with = [](const char* check) {
    return fmt::format("<cpu mode='custom' check='{}'><model>Nehalem</model></cpu>", check);
  };
  const auto host = host_without_leaf(1);
  EXPECT_TRUE(has(cpu_findings(with("partial"), host), "cpu-model-signature", ""));
  EXPECT_FALSE(has(cpu_findings(with("partial"), test::kvm_host()), "cpu-model-signature", ""));
  EXPECT_EQ(ids_and_bits(cpu_findings(with("none"), host)), "");
}

TEST_F(FindingCoverage, ATopologyThatTheModuleDoesNotLetBeSetIsNamed) {
  const auto host = host_without_leaf(0x1F);
  const auto findings = cpu_findings("<cpu><topology sockets='1' cores='1' threads='1'/></cpu>", host);
  ASSERT_EQ(ids_and_bits(findings), "cpu-topology-not-configurable ; ");
  EXPECT_EQ(findings[0].severity, Severity::Warning);
  EXPECT_GT(findings[0].line, 0);
}

TEST_F(FindingCoverage, AMissingCpuMapIsNamed) {
  PlanSources sources;
  sources.cpu_map = "/no/such/x86_features.xml";
  EXPECT_TRUE(has(cpu_findings("<cpu mode='host-model'/>", test::kvm_host(), 0x10000000, sources),
                  "cpu-map-missing", ""));
  EXPECT_TRUE(cpu_findings("<cpu mode='host-passthrough'/>", test::kvm_host(), 0x10000000, sources).empty());
}

}  // namespace
}  // namespace virttdx::domain_xml
