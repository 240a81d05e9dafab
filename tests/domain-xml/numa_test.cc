// SPDX-License-Identifier: GPL-2.0-or-later
// <numa>: what is refused when a domain is defined, and the nodes that the plan makes of it.
#include <gtest/gtest.h>

#include "domain_xml/plan.h"
#include "golden.h"

namespace virttdx::domain_xml {
namespace {

std::string definition(const std::string& cells, unsigned vcpus = 4, const std::string& before_cpu = {}) {
  return fmt::format(
      "<domain type='kvm'><name>td</name><memory unit='MiB'>64</memory><vcpu>{}</vcpu>{}"
      "<os><type machine='q35'>hvm</type><loader type='rom'>/usr/share/ovmf/OVMF.fd</loader></os>"
      "<features><acpi/></features><cpu><numa>{}</numa></cpu></domain>",
      vcpus, before_cpu, cells);
}

Result<Domain> completed(const std::string& xml) {
  return complete_definition(TRY(parse_domain(xml)), {.emulator = "/usr/libexec/virttdx-vmm"});
}

std::string refusal(const std::string& xml) {
  const auto domain = completed(xml);
  return domain ? "" : domain.error().message();
}

VmConfig planned(const std::string& xml) {
  const auto domain = completed(xml);
  EXPECT_TRUE(domain) << domain.error().message();
  const auto host = host_capabilities_from_json(test::read_data("plan/soft.host.json")).value();
  const auto plan = plan_launch(domain.value_or(Domain()), host);
  EXPECT_TRUE(plan && plan->can_start());
  return plan ? plan->config : VmConfig();
}

// CPUID leaf 0BH tells how many vCPUs a package has.
std::uint32_t sockets_of(const std::string& cells, unsigned vcpus) {
  const auto config = planned(definition(cells, vcpus));
  const auto* const cores = find_cpuid(config.td.vcpu_cpuid, 0xB, 1);
  return cores == nullptr || cores->ebx == 0 ? 0 : vcpus / cores->ebx;
}

TEST(Numa, CellsAreTheMemory) {
  const auto domain =
      completed(definition("<cell id='1' cpus='2-3' memory='256' unit='MiB'/>"
                           "<cell id='0' cpus='0-1' memory='512' unit='MiB'/>"));
  ASSERT_TRUE(domain) << domain.error().message();
  EXPECT_EQ(domain->memory_kib, 768U << 10);
  EXPECT_EQ(domain->current_memory_kib, 768U << 10);
}

TEST(Numa, CellsBecomeNodesInTheOrderOfTheirIds) {
  const auto config =
      planned(definition("<cell id='1' cpus='2-3' memory='262144'/>"
                         "<cell id='0' cpus='0-1' memory='524288'/>"));
  EXPECT_EQ(config.memory_bytes, 768U << 20);
  EXPECT_EQ(config.numa_nodes,
            (std::vector<NumaNodeConfig>{{512 << 20, {0, 1}, {}}, {256 << 20, {2, 3}, {}}}));
}

TEST(Numa, CellsWithoutIdsHaveThoseThatAreFree) {
  const auto config =
      planned(definition("<cell cpus='0-1' memory='262144'/><cell cpus='2-3' memory='524288'/>"));
  EXPECT_EQ(config.numa_nodes.at(1), (NumaNodeConfig{512 << 20, {2, 3}, {}}));
}

TEST(Numa, OneCellIsWhatEveryTdHas) {
  const auto config = planned(definition("<cell cpus='0-3' memory='262144'/>"));
  EXPECT_TRUE(config.numa_nodes.empty());
  EXPECT_EQ(config.memory_bytes, 256U << 20);
}

TEST(Numa, OtherVcpusAreInTheFirstCell) {
  const auto config = planned(definition("<cell cpus='1' memory='262144'/><cell cpus='2' memory='262144'/>"));
  EXPECT_EQ(config.numa_nodes.at(0).vcpus, (std::vector<std::uint32_t>{0, 1, 3}));
}

TEST(Numa, DistancesHoldInBothDirectionsUnlessWritten) {
  const auto config = planned(definition(
      "<cell cpus='0' memory='262144'><distances><sibling id='1' value='21'/></distances></cell>"
      "<cell cpus='1' memory='262144'><distances><sibling id='2' value='31'/></distances></cell>"
      "<cell cpus='2-3' memory='262144'><distances><sibling id='1' value='41'/></distances></cell>"));
  using Row = std::vector<std::uint8_t>;
  EXPECT_EQ(config.numa_nodes.at(0).distances, (Row{10, 21, 20}));
  EXPECT_EQ(config.numa_nodes.at(1).distances, (Row{21, 10, 31}));
  EXPECT_EQ(config.numa_nodes.at(2).distances, (Row{20, 41, 10}));
}

TEST(Numa, EqualBlocksAreSockets) {
  EXPECT_EQ(sockets_of("<cell cpus='0-1' memory='262144'/><cell cpus='2-3' memory='262144'/>", 4), 2U);
  EXPECT_EQ(sockets_of("<cell cpus='0,2' memory='262144'/><cell cpus='1,3' memory='262144'/>", 4), 1U);
  EXPECT_EQ(sockets_of("<cell cpus='0' memory='262144'/><cell cpus='1-2' memory='262144'/>", 3), 1U);
  EXPECT_EQ(sockets_of("<cell cpus='0-2' memory='262144'/><cell cpus='3-5' memory='262144'/>", 6), 2U);
}

TEST(Numa, RefusesCellsThatContradictThemselves) {
  EXPECT_EQ(refusal(definition("<cell id='1' memory='4096'/>")),
            "line 1: <cell id='1'>: 1 cells have the ids 0 to 0");
  EXPECT_EQ(refusal(definition("<cell id='0' memory='4096'/><cell id='0' memory='4096'/>")),
            "line 1: more than one <cell id='0'>");
  EXPECT_EQ(refusal(definition("<cell cpus='0-2' memory='4096'/><cell cpus='2' memory='4096'/>")),
            "line 1: cells 0 and 1 have a vCPU in common");
  EXPECT_EQ(refusal(definition("<cell cpus='0-4' memory='4096'/>")),
            "line 1: cpus='0-4' of a <cell> has vCPU 4, and the domain has 4");
  EXPECT_EQ(refusal(definition("<cell cpus='x' memory='4096'/>")).substr(0, 30),
            "line 1: cpus='x' of a <cell>: ");
  EXPECT_EQ(refusal(definition("<cell memory='0'/>")), "line 1: the cells have no memory");
}

TEST(Numa, RefusesDistancesThatAreNone) {
  const auto with = [](int id, int value) {
    return refusal(definition(fmt::format(
        "<cell memory='4096'><distances><sibling id='{}' value='{}'/></distances></cell>", id, value)));
  };
  EXPECT_EQ(with(1, 20), "line 1: <sibling id='1'>: there are 1 cells");
  EXPECT_NE(with(0, 20).find("distance 20 of cell 0 to cell 0"), std::string::npos);
  EXPECT_EQ(with(0, 10), "");
}

TEST(Numa, MemoryHasOnePolicyForAllCells) {
  const std::string cells = "<cell cpus='0-1' memory='262144'/><cell cpus='2-3' memory='262144'/>";
  const auto domain = completed(definition(cells, 4,
                                           "<numatune><memnode cellid='1' mode='preferred' "
                                           "nodeset='3'/><memnode cellid='0' nodeset='0-1'/></numatune>"));
  ASSERT_TRUE(domain) << domain.error().message();
  const auto policy = memory_policy_of(domain->tuning.numa.value_or(NumaTune()));
  EXPECT_EQ(policy.nodeset, "0-1,3");
  EXPECT_EQ(policy.mode, "strict");
  EXPECT_EQ(refusal(definition(cells, 4, "<numatune><memnode cellid='2' nodeset='0'/></numatune>")),
            "line 1: <memnode cellid='2'>: there are 2 cells");
  EXPECT_EQ(memory_policy_of({}).nodeset, std::nullopt);
}

}  // namespace
}  // namespace virttdx::domain_xml
