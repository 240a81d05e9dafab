// SPDX-License-Identifier: GPL-2.0-or-later
// Every row of the TDX module's CPUID table, and every feature name of libvirt's map with every policy.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "domain_xml/cpu_models.h"
#include "golden.h"
#include "known_host.h"
#include "tdx/tdx_cpuid_spec.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint32_t kAllOnes = 0xFFFFFFFF;
// Leaves with rules beyond the masks, and those that KVM answers: RowsWithRulesOfTheirOwn.
const std::set<std::uint32_t> kOtherRules = {2, 5, 6, 0xB, 0x1A, 0x1F, 0x80000002, 0x80000008};
constexpr unsigned kFamilyModelStepping = 0;

CpuidEntry row_entry(const tdx::CpuidLeafRule& row, std::uint32_t value) {
  const auto index = row.subleaf == tdx::kNoSubleaf ? 0 : row.subleaf;
  return {row.leaf, index, row.subleaf != tdx::kNoSubleaf, value, value, value, value};
}

// Every bit asked of INIT_VM as `asked`, of a CPU that has everything.
TdConfig config_of_all_rows(std::uint32_t asked, std::uint64_t xfam, std::uint64_t attributes) {
  TdConfig td;
  td.xfam = xfam;
  td.attributes = attributes;
  for (const auto& row : tdx::kCpuidLeaves) {
    td.cpuid.push_back(row_entry(row, asked));
    td.vcpu_cpuid.push_back(row_entry(row, kAllOnes));
  }
  return td;
}

// What the table's masks say, without gates.
std::uint32_t by_masks(const tdx::CpuidRegisterRule& masks, std::uint32_t asked) {
  const auto decided = masks.fixed0 | masks.fixed1 | masks.config_direct | masks.allow_direct;
  return masks.fixed1 | ((masks.config_direct | masks.allow_direct) & asked) | ~decided;
}

TEST(CpuidTable, EachRowIsPredictedByItsMasks) {
  constexpr std::uint64_t kEveryGateOpen = ~std::uint64_t{0} ^ (std::uint64_t{1} << 29);
  for (const auto asked : {0U, kAllOnes}) {
    const auto predicted = predict_cpuid(config_of_all_rows(asked, kEveryGateOpen, kEveryGateOpen));
    for (const auto& row : tdx::kCpuidLeaves) {
      if (kOtherRules.contains(row.leaf)) continue;
      const auto* entry = find_cpuid(predicted, row.leaf, row_entry(row, 0).index);
      ASSERT_NE(entry, nullptr);
      for (std::size_t i = 0; i < kCpuidRegisters.size(); ++i) {
        if (row.leaf == 1 && i == kFamilyModelStepping && asked == 0) continue;
        // The size of the XSAVE area follows XFAM: played_host_test.cc.
        if (row.leaf == 0xD && row.subleaf == 0 && kCpuidRegisters[i] == CpuidRegister::Ecx) continue;
        const auto computed = row.registers[i].dynamic;
        EXPECT_EQ(entry->get(kCpuidRegisters[i]) & ~computed, by_masks(row.registers[i], asked) & ~computed)
            << std::hex << row.leaf << "." << row.subleaf << " register " << i << " asked " << asked;
      }
    }
  }
}

TEST(CpuidTable, EachGateShutMakesItsBitsZero) {
  constexpr std::uint64_t kXfamFixed1 = 3;
  const auto predicted = predict_cpuid(config_of_all_rows(kAllOnes, kXfamFixed1, 0));
  for (const auto& gate : tdx::kCpuidGates) {
    if (gate.kind == tdx::GateKind::kXfam && (kXfamFixed1 >> gate.bit & 1) != 0) continue;
    const auto index = gate.subleaf == tdx::kNoSubleaf ? 0 : gate.subleaf;
    const auto* entry = find_cpuid(predicted, gate.leaf, index);
    ASSERT_NE(entry, nullptr);
    const auto computed = std::ranges::find_if(tdx::kCpuidLeaves,
                                               [&](const tdx::CpuidLeafRule& row) {
                                                 return row.leaf == gate.leaf && row.subleaf == gate.subleaf;
                                               })
                              ->registers[gate.register_index]
                              .dynamic;
    EXPECT_EQ(entry->get(kCpuidRegisters[gate.register_index]) & gate.mask & ~computed, 0U)
        << std::hex << gate.leaf << " bit " << unsigned{gate.bit};
  }
}

const CpuidEntry* leaf_of(const CpuidEntries& entries, std::uint32_t leaf, std::uint32_t index = 0) {
  return find_cpuid(entries, leaf, index);
}
bool is_zero(const CpuidEntry& entry) { return (entry.eax | entry.ebx | entry.ecx | entry.edx) == 0; }

TEST(RowsWithRulesOfTheirOwn, FollowThem) {
  constexpr std::uint64_t kXfam = 0x602E7, kMigratable = std::uint64_t{1} << 29;
  constexpr std::uint32_t kEax48 = 48;
  const auto all = predict_cpuid(config_of_all_rows(kAllOnes, kXfam, 0));
  const auto none = predict_cpuid(config_of_all_rows(0, kXfam, 0));
  const auto migratable = predict_cpuid(config_of_all_rows(kAllOnes, kXfam, kMigratable));
  // Of leaf 5 nothing without MONITOR, of 0x1A nothing in a TD that can migrate.
  EXPECT_FALSE(is_zero(*leaf_of(all, 5)));
  EXPECT_TRUE(is_zero(*leaf_of(none, 5)));
  EXPECT_FALSE(is_zero(*leaf_of(all, 0x1A)));
  EXPECT_TRUE(is_zero(*leaf_of(migratable, 0x1A)));
  // The topology as it was asked for, or unknown.
  for (const std::uint32_t leaf : {0xBU, 0x1FU}) {
    EXPECT_EQ(leaf_of(all, leaf)->eax, kAllOnes);
    EXPECT_EQ(leaf_of(none, leaf), nullptr);
  }
  // Widths: 57 linear bits with LA57, 48 without; guest-physical ones are not shown.
  EXPECT_EQ(leaf_of(all, 0x80000008)->eax, 0x39FFU);
  EXPECT_EQ(leaf_of(none, 0x80000008)->eax, kEax48 << 8 | 0xFF);
  // KVM answers as it was told.
  EXPECT_EQ(leaf_of(none, 0x80000002)->eax, kAllOnes);
}

struct NamedBit {
  std::string name;
  std::uint32_t function = 0, index = 0;
  CpuidRegister reg = CpuidRegister::Eax;
  std::uint32_t mask = 0;
};

// Read without the code under test.
std::vector<NamedBit> named_bits() {
  std::ifstream file("/usr/share/libvirt/cpu_map/x86_features.xml");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::regex pattern(
      "<feature name='([^']+)'[^>]*>(?:\\s*<alias[^>]*>)*\\s*"
      "<cpuid eax_in='([^']+)'(?: ecx_in='([^']+)')? (e[abcd]x)='([^']+)'/>");
  std::vector<NamedBit> bits;
  for (std::sregex_iterator found(text.begin(), text.end(), pattern), end; found != end; ++found) {
    const auto& match = *found;
    const auto number = [](const std::string& digits) {
      return static_cast<std::uint32_t>(std::stoul(digits.empty() ? "0" : digits, nullptr, 16));
    };
    bits.push_back({match[1], number(match[2]), number(match[3]),
                    static_cast<CpuidRegister>(match[4].str()[1] - 'a'), number(match[5])});
  }
  return bits;
}

constexpr int kFirstLine = 2;

// Feature i of the table is in line kFirstLine + i.
std::string domain_with_all(const std::vector<NamedBit>& bits, const std::string& policy) {
  std::string xml =
      "<domain type='kvm'><name>a</name><memory>1048576</memory><os><type>hvm</type></os><cpu "
      "mode='host-passthrough'>";
  for (const auto& bit : bits) xml += "\n<feature policy='" + policy + "' name='" + bit.name + "'/>";
  return xml + "</cpu><launchSecurity type='tdx'/></domain>";
}

class NamedFeatures : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    bits_ = named_bits();
    if (bits_.empty()) GTEST_SKIP() << "no CPU map of libvirt (Debian package libvirt0)";
    const auto domain = parse_domain(domain_with_all(bits_, GetParam()));
    ASSERT_TRUE(domain) << domain.error().message();
    const auto complete = complete_definition(*domain, {.emulator = "/usr/libexec/virttdx-vmm"});
    ASSERT_TRUE(complete) << complete.error().message();
    const auto plan = plan_launch(*complete, test::kvm_host());
    ASSERT_TRUE(plan) << plan.error().message();
    plan_ = *plan;
    predicted_ = predict_cpuid(plan_.config.td);
  }

  const Finding* finding_of(std::size_t feature) const {
    const auto line = kFirstLine + static_cast<int>(feature);
    const auto found = std::ranges::find(plan_.findings, line, &Finding::line);
    return found == plan_.findings.end() ? nullptr : &*found;
  }
  bool is_predicted(const NamedBit& bit) const {
    const auto* entry = find_cpuid(predicted_, bit.function, bit.index);
    return entry != nullptr && (entry->get(bit.reg) & bit.mask) == bit.mask;
  }

  std::vector<NamedBit> bits_;
  LaunchPlan plan_;
  CpuidEntries predicted_;
};

// Force, require and optional want the bit; disable and forbid do not.
TEST_P(NamedFeatures, AreAsAskedForOrHaveAFinding) {
  const bool wanted = GetParam() != "disable" && GetParam() != "forbid";
  EXPECT_GT(bits_.size(), 200U);
  for (std::size_t i = 0; i < bits_.size(); ++i)
    EXPECT_TRUE(is_predicted(bits_[i]) == wanted || finding_of(i) != nullptr)
        << GetParam() << " " << bits_[i].name;
}

TEST_P(NamedFeatures, FindingsHaveTheSeverityOfThePolicy) {
  const auto severity = GetParam() == "optional"  ? Severity::Note
                        : GetParam() == "disable" ? Severity::Warning
                                                  : Severity::Error;
  for (std::size_t i = 0; i < bits_.size(); ++i)
    // "ht" follows the topology, whatever the policy.
    if (const auto* finding = bits_[i].name == "ht" ? nullptr : finding_of(i)) {
      // Shown as asked for, with a warning.
      const bool had = finding->id == "cpu-feature-beyond-kvm";
      EXPECT_EQ(finding->severity, had ? Severity::Warning : severity)
          << bits_[i].name << ": " << finding->message;
      EXPECT_FALSE(finding->bit.empty() || finding->remedy.empty()) << finding->message;
    }
}

INSTANTIATE_TEST_SUITE_P(Policy, NamedFeatures,
                         testing::Values("force", "require", "optional", "disable", "forbid"));

}  // namespace
}  // namespace virttdx::domain_xml
