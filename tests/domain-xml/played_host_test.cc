// SPDX-License-Identifier: GPL-2.0-or-later
// The software TDX host playing a recorded host: what a plan for the record says, a start on it does.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <regex>

#include "domain_xml/plan.h"
#include "gen_cpu.h"
#include "golden.h"
#include "known_host.h"
#include "launched_td.h"
#include "softhost/soft_host.h"
#include "support/file.h"
#include "tdvf_image.h"
#include "tdx/capabilities.h"
#include "tdx/td_vm.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::size_t kRecordMaximum = 1 << 20;

HostCapabilities record(const std::string& name) {
  const auto path = std::filesystem::path(VIRTTDX_SOURCE_ROOT) / "tools/hosts" / (name + ".json");
  const auto text = read_text_file(path, kRecordMaximum);
  EXPECT_TRUE(text) << text.error().message();
  const auto host = host_capabilities_from_json(text.value_or(""));
  EXPECT_TRUE(host) << host.error().message();
  return host.value_or(HostCapabilities());
}

class PlayedHost : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    // Plans read it; launched is a smaller one, for speed.
    if (!std::filesystem::exists(test::kDebianFirmware))
      GTEST_SKIP() << "no " << test::kDebianFirmware << " (Debian package ovmf)";
    recorded_ = record(GetParam());
    auto host = softhost::create_soft_host_playing(recorded_);
    ASSERT_TRUE(host) << host.error().message();
    host_ = std::move(*host);
  }
  HostCapabilities recorded_;
  std::unique_ptr<softhost::SoftHost> host_;
  const Tdvf tdvf_ = parse_tdvf(virttdx::test::TdvfImage().bytes()).value();
};

TEST_P(PlayedHost, OffersWhatWasRecorded) {
  auto played = read_host_capabilities(*host_, HostKind::Soft);
  EXPECT_EQ(played.kind, HostKind::Soft);
  // What a monitor does not tell of the software host.
  played.kind = recorded_.kind;
  played.description = recorded_.description;
  played.key_ids = recorded_.key_ids;
  EXPECT_EQ(host_capabilities_to_json(played), host_capabilities_to_json(recorded_));
}

Domain example_td() {
  auto domain = *parse_domain(test::read_data("../../docs/examples/td.xml"));
  domain = *complete_definition(std::move(domain), {.emulator = "/usr/libexec/virttdx-vmm"});
  domain.memory_kib = 65536;
  domain.current_memory_kib = domain.memory_kib;
  return domain;
}

/// The example with another CPU, one of the policies, and up to three vCPUs: more than the smallest host has.
Domain any_td(const std::vector<std::uint64_t>& policies) {
  auto domain = example_td();
  domain.cpu = test::any_cpu({"none", "partial"});
  domain.launch_security->policy = *rc::gen::elementOf(policies);
  domain.vcpus = *rc::gen::element(1U, 2U, 3U);
  domain.current_vcpus = domain.vcpus;
  return domain;
}

struct NamedBit {
  std::uint32_t function = 0, index = 0;
  CpuidRegister reg = CpuidRegister::Eax;
  std::uint32_t mask = 0;
};

/// Of Finding::bit, "CPUID.07H:EBX.intel-pt [bit 25]" or "CPUID.0DH.1:EAX.xsavec [bit 1]"; nothing of other
/// ones.
std::optional<NamedBit> named_bit(const std::string& text) {
  static const std::regex kForm(R"(CPUID\.([0-9A-F]+)H(?:\.(\d+))?:E([A-D])X.*\[bit (\d+)\])");
  std::smatch parts;
  if (!std::regex_search(text, parts, kForm)) return std::nullopt;
  return NamedBit{static_cast<std::uint32_t>(std::stoul(parts[1], nullptr, 16)),
                  parts[2].matched ? static_cast<std::uint32_t>(std::stoul(parts[2])) : 0,
                  static_cast<CpuidRegister>(parts[3].str()[0] - 'A'), 1U << std::stoul(parts[4])};
}

/// Asks INIT_VM for a bit that the plan left out.
void ask_for(CpuidEntries& entries, const NamedBit& bit) {
  auto found = std::find_if(entries.begin(), entries.end(), [&](const CpuidEntry& entry) {
    return entry.function == bit.function && entry.index == bit.index;
  });
  if (found == entries.end()) found = entries.insert(found, {.function = bit.function, .index = bit.index});
  found->set(bit.reg, found->get(bit.reg) | bit.mask);
}

bool shows(const TdVm& td, const NamedBit& bit) {
  const auto* const entry = find_cpuid(td.cpuid().actual, bit.function, bit.index);
  return entry != nullptr && (entry->get(bit.reg) & bit.mask) != 0;
}

/// The plan with what one of its errors says cannot be had; nothing for errors that are not about the host.
std::optional<VmConfig> config_in_spite_of(const Finding& finding, const Domain& domain, VmConfig config) {
  if (finding.severity != Severity::Error) return std::nullopt;
  if (finding.id == "cpu-feature-not-offered" || finding.id == "cpu-feature-state-not-offered") {
    const auto bit = named_bit(finding.bit);
    if (!bit) return std::nullopt;
    ask_for(config.td.cpuid, *bit);
    return config;
  }
  if (finding.id.starts_with("tdx-attribute-") && finding.xml_path.find("policy") != std::string::npos) {
    config.td.attributes = domain.launch_security->policy.value_or(0);
    return config;
  }
  if (finding.id == "vcpu-count") {
    config.vcpu_count = domain.vcpus;
    return config;
  }
  return std::nullopt;
}

TEST_P(PlayedHost, RefusesOrLeavesOutWhatThePlanForTheRecordRefuses) {
  const bool holds = rc::check([&] {
    const auto domain = any_td({0, 0x10000000, 0x10000001, 0x50000000, 0x8000000010000000});
    const auto plan = plan_launch(domain, recorded_);
    RC_ASSERT(plan.has_value());
    for (const Finding& finding : plan->findings) {
      const auto config = config_in_spite_of(finding, domain, plan->config);
      if (!config) continue;
      const auto td = TdVm::launch(*host_, *config, tdvf_);
      if (!td) continue;
      const auto bit = named_bit(finding.bit);
      if (!bit || shows(**td, *bit)) RC_FAIL("it started in spite of: " + to_string(finding));
    }
  });
  EXPECT_TRUE(holds);
}

TEST_P(PlayedHost, StartsAsPredictedWhatThePlanForTheRecordLetsStart) {
  const bool holds = rc::check([&] {
    auto domain = any_td({0, 0x10000000});
    test::remove_refused(domain, recorded_);
    const auto plan = plan_launch(domain, recorded_);
    RC_ASSERT(plan.has_value());
    RC_CLASSIFY(plan->can_start(), "can start");
    if (!plan->can_start()) return;
    const auto td = TdVm::launch(*host_, plan->config, tdvf_);
    if (!td) RC_FAIL(td.error().message());
    RC_ASSERT(test::wrong_bits(**td, plan->config) == std::string());
  });
  EXPECT_TRUE(holds);
}

// A module of which neither the signature nor the topology can be configured shows the physical CPU's.
TEST(PlayedHostOfFewLeaves, ShowsWhatWasPredicted) {
  if (!std::filesystem::exists(test::kDebianFirmware))
    GTEST_SKIP() << "no " << test::kDebianFirmware << " (Debian package ovmf)";
  auto recorded = record("minimal");
  std::erase_if(recorded.configurable_cpuid,
                [](const CpuidEntry& entry) { return entry.function == 1 || entry.function == 0x1F; });
  const auto host = softhost::create_soft_host_playing(recorded);
  ASSERT_TRUE(host) << host.error().message();
  auto domain = example_td();
  domain.cpu = Cpu();
  domain.cpu->mode = "custom";
  domain.cpu->check = "none";
  domain.cpu->model = "Nehalem";
  domain.cpu->topology = CpuTopology{.sockets = 1, .dies = 1, .cores = 1, .threads = 2};
  domain.vcpus = 2;
  domain.current_vcpus = 2;
  const auto plan = plan_launch(domain, recorded);
  ASSERT_TRUE(plan) << plan.error().message();
  ASSERT_TRUE(plan->can_start()) << error_of(*plan).message();
  const auto td = TdVm::launch(**host, plan->config, parse_tdvf(virttdx::test::TdvfImage().bytes()).value());
  ASSERT_TRUE(td) << td.error().message();
  EXPECT_EQ(test::wrong_bits(**td, plan->config), "");
  EXPECT_EQ(find_cpuid((*td)->cpuid().actual, 1, 0)->eax, find_cpuid(recorded.supported_cpuid, 1, 0)->eax);
}

// The plan and a start agree on the last key id too.
TEST(PlayedHostWithoutFreeKeyIds, RefusesAsThePlanDoes) {
  if (!std::filesystem::exists(test::kDebianFirmware))
    GTEST_SKIP() << "no " << test::kDebianFirmware << " (Debian package ovmf)";
  auto recorded = record("minimal");
  const auto config = plan_launch(example_td(), recorded)->config;
  recorded.key_ids_used = recorded.key_ids;
  EXPECT_FALSE(plan_launch(example_td(), recorded)->can_start());
  const auto host = softhost::create_soft_host_playing(recorded);
  ASSERT_TRUE(host) << host.error().message();
  EXPECT_FALSE(TdVm::launch(**host, config, parse_tdvf(virttdx::test::TdvfImage().bytes()).value()));
}

INSTANTIATE_TEST_SUITE_P(Profiles, PlayedHost,
                         testing::Values("sapphire-rapids", "granite-rapids", "minimal"),
                         [](const auto& profile) {
                           std::string name = profile.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace virttdx::domain_xml
