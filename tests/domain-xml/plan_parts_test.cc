// SPDX-License-Identifier: GPL-2.0-or-later
// What single elements of a definition make of the monitor's configuration.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "domain_xml/plan.h"
#include "golden.h"
#include "known_host.h"

namespace virttdx::domain_xml {
namespace {

/// A domain with these parts, completed and planned.
struct Parts {
  std::string memory = "<memory unit='MiB'>512</memory>";
  std::string head = {}, boot = {}, clock = {}, devices = {}, cpu = {};
  std::uint32_t vcpus = 1;
};

Result<LaunchPlan> planned_domain(const Parts& parts) {
  const auto xml = "<domain type='kvm'><name>td</name><uuid>c7a5fdbd-cdaf-9455-926a-d65c16db1809</uuid>" +
                   parts.memory + fmt::format("<vcpu>{}</vcpu>", parts.vcpus) + parts.head +
                   "<os><type machine='q35'>hvm</type><loader type='rom'>/usr/share/ovmf/OVMF.fd</loader>" +
                   parts.boot +
                   "</os><features><acpi/><ioapic driver='qemu'/></features><cpu mode='host-passthrough'>" +
                   parts.cpu + "</cpu>" + parts.clock + "<devices>" + parts.devices +
                   "</devices><launchSecurity type='tdx'/></domain>";
  const auto host = test::kvm_host();
  return plan_launch(TRY(complete_definition(TRY(parse_domain(xml)), {.emulator = "/x"})), host);
}

std::string errors_of(const Parts& parts) {
  const auto plan = planned_domain(parts);
  if (!plan) return plan.error().message();
  std::string messages;
  for (const auto& finding : plan->findings)
    if (finding.severity == Severity::Error) messages += finding.id + ": " + finding.message;
  return messages;
}

VmConfig config_of(const Parts& parts) {
  const auto plan = planned_domain(parts);
  EXPECT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(errors_of(parts), "");
  return plan ? plan->config : VmConfig();
}

NetworkInterfaceConfig interface_of(const std::string& type, const std::string& children) {
  const auto config = config_of({.devices = "<interface type='" + type +
                                            "'><mac address='52:54:00:00:00:01'/><model type='virtio'/>" +
                                            children + "</interface>"});
  return config.devices.interfaces.empty() ? NetworkInterfaceConfig() : config.devices.interfaces.front();
}

std::string user_errors(const std::string& children) {
  return errors_of(
      {.devices = "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/>" +
                  children + "</interface>"});
}

struct Topology {
  std::uint32_t sockets, dies, cores, threads;
};

VmConfig planned_topology(const Topology& topology) {
  const auto vcpus = topology.sockets * topology.dies * topology.cores * topology.threads;
  const auto cpu = fmt::format("<topology sockets='{}' dies='{}' cores='{}' threads='{}'/>", topology.sockets,
                               topology.dies, topology.cores, topology.threads);
  const auto plan = planned_domain({.cpu = cpu, .vcpus = vcpus});
  EXPECT_TRUE(plan) << plan.error().message();
  return plan->config;
}

TEST(Topology, LeavesGapsInTheIdsWhereALevelIsNoPowerOfTwo) {
  using Ids = std::vector<std::uint32_t>;
  const auto ids = [](const Topology& topology) { return planned_topology(topology).vcpu_ids; };
  EXPECT_EQ(ids({2, 1, 4, 2}), Ids());
  EXPECT_EQ(ids({1, 1, 6, 2}), Ids()) << "the highest level alone";
  EXPECT_EQ(ids({3, 1, 1, 1}), Ids());
  EXPECT_EQ(ids({2, 1, 3, 1}), (Ids{0, 1, 2, 4, 5, 6}));
  EXPECT_EQ(ids({1, 1, 2, 3}), (Ids{0, 1, 2, 4, 5, 6}));
  EXPECT_EQ(ids({2, 3, 1, 2}), (Ids{0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13}));
}

TEST(Topology, TellsTheShiftsThatItsIdsHave) {
  const auto config = planned_topology({2, 1, 5, 3});
  const auto level = [&](std::uint32_t function, std::uint32_t index) {
    const auto* const entry = find_cpuid(config.td.vcpu_cpuid, function, index);
    return entry == nullptr ? std::pair(0U, 0U) : std::pair(entry->eax, entry->ebx);
  };
  for (const std::uint32_t function : {0xBU, 0x1FU}) {
    EXPECT_EQ(level(function, 0), std::pair(2U, 3U));
    EXPECT_EQ(level(function, 1), std::pair(5U, 15U));
    EXPECT_EQ(level(function, 2), std::pair(0U, 0U));
  }
}

TEST(PlannedClock, FollowsEachOffset) {
  const auto clock = [](const std::string& attributes) {
    return config_of({.clock = "<clock " + attributes + "/>"});
  };
  EXPECT_EQ(clock("offset='utc' adjustment='reset'").clock, ClockBase::Utc);
  EXPECT_EQ(clock("offset='utc' adjustment='reset'").clock_offset_seconds, 0);
  EXPECT_EQ(clock("offset='localtime'").clock, ClockBase::LocalTime);
  const auto moved = clock("offset='localtime' adjustment='-60'");
  EXPECT_EQ(moved.clock, ClockBase::LocalTime);
  EXPECT_EQ(moved.clock_offset_seconds, -60);
  const auto variable = clock("offset='variable' adjustment='3600' basis='localtime'");
  EXPECT_EQ(variable.clock, ClockBase::LocalTime);
  EXPECT_EQ(variable.clock_offset_seconds, 3600);
  EXPECT_EQ(clock("offset='variable' adjustment='3600'").clock, ClockBase::Utc);
  const auto zone = clock("offset='timezone' timezone='Europe/Berlin'");
  EXPECT_EQ(zone.clock, ClockBase::LocalTime);
  EXPECT_EQ(zone.clock_zone, "Europe/Berlin");
  EXPECT_EQ(clock("offset='absolute' start='1000000000'").clock_start_seconds, 1000000000);
}

TEST(PlannedClock, RefusesAttributesOfOtherOffsets) {
  for (const char* attributes :
       {"offset='timezone'", "offset='absolute'", "offset='utc' basis='utc'", "offset='utc' timezone='UTC'",
        "offset='variable' adjustment='reset'", "offset='absolute' start='1' adjustment='1'",
        "offset='utc' start='1'", "offset='utc' adjustment='soon'", "offset='absolute' start='-1'"})
    EXPECT_NE(errors_of({.clock = std::string("<clock ") + attributes + "/>"}), "") << attributes;
}

TEST(PlannedInterface, IsWithoutTheOffloadsThatAreOff) {
  const auto all = interface_of(
      "ethernet",
      "<driver><host csum='off' gso='off' tso4='off' tso6='off' ecn='off' ufo='off' mrg_rxbuf='off'/>"
      "<guest csum='off' tso4='off' tso6='off' ecn='off' ufo='off'/></driver>");
  using F = NetworkFeature;
  EXPECT_EQ(all.without, (std::vector{F::Csum, F::HostTso4, F::HostTso6, F::HostEcn, F::MrgRxbuf,
                                      F::GuestCsum, F::GuestTso4, F::GuestTso6, F::GuestEcn}));
  EXPECT_TRUE(
      interface_of("ethernet", "<driver><host csum='on'/><guest ecn='on'/></driver>").without.empty());
}

constexpr auto kForwards =
    "<ip family='ipv4' address='10.9.8.7' prefix='24'/><ip family='ipv6' address='fd00::7' prefix='64'/>"
    "<portForward proto='tcp' address='127.0.0.1' dev='lo'><range start='8080' end='8089' to='80'/>"
    "<range start='8085' exclude='yes'/></portForward><portForward proto='udp'/><backend type='passt'/>";

TEST(PlannedInterface, OfUserNetworkingHasItsAddressesAndForwardedPorts) {
  const auto user = interface_of("user", kForwards);
  EXPECT_EQ(user.addresses, (std::vector<GuestAddress>{{"10.9.8.7", 24}, {"fd00::7", std::nullopt}}));
  const std::vector<PortForward> expected = {
      {TransportProtocol::Tcp,
       "127.0.0.1",
       "lo",
       {{8080, 8089, 80, false}, {8085, std::nullopt, std::nullopt, true}}},
      {TransportProtocol::Udp, std::nullopt, std::nullopt, {}}};
  EXPECT_EQ(user.port_forwards, expected);
}

TEST(PlannedInterface, RefusesUserNetworkingThatPasstCannotDo) {
  const auto passt = [](const std::string& children) {
    return user_errors(children + "<backend type='passt'/>");
  };
  EXPECT_NE(user_errors("<portForward proto='tcp'/>").find("'passt' backend"), std::string::npos);
  EXPECT_NE(passt("<ip address='10.0.0.1'/><ip address='10.0.0.2'/>").find("only one IPv4 address"),
            std::string::npos);
  EXPECT_NE(passt("<ip address='x'/>").find("none of its family"), std::string::npos);
  EXPECT_NE(passt("<ip address='10.0.0.1' family='ipv6'/>").find("none of its family"), std::string::npos);
  EXPECT_NE(passt("<ip address='10.0.0.1' prefix='28'/>").find("4-27"), std::string::npos);
  EXPECT_NE(passt("<portForward proto='tcp' address='here'/>").find("invalid address 'here'"),
            std::string::npos);
  EXPECT_NE(passt("<portForward proto='tcp' dev='lo'/>").find("needs 'address'"), std::string::npos);
  EXPECT_NE(passt("<portForward proto='tcp'><range start='9' end='8'/></portForward>").find("is empty"),
            std::string::npos);
  EXPECT_NE(passt("<portForward proto='tcp'><range start='1' end='9' to='65530'/></portForward>")
                .find("does not fit"),
            std::string::npos);
  EXPECT_NE(passt("<portForward proto='sctp'/>"), "");
  EXPECT_NE(passt("<portForward proto='tcp'><range start='65536'/></portForward>"), "");
  EXPECT_NE(passt("<route address='10.0.0.0' gateway='10.0.0.1'/>").find("<route> is not offered"),
            std::string::npos);
}

// As libvirt's QEMU driver: one device of each class.
TEST(PlannedBootOrder, HasTheFirstInterfaceWhereTheListHasTheNetwork) {
  const auto indexes = [](const std::string& boot) {
    const std::string interface = "<interface type='ethernet'><model type='virtio'/></interface>";
    const auto config =
        config_of({.boot = boot,
                   .devices = "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>" +
                              interface + interface});
    std::vector<std::optional<std::uint32_t>> all;
    for (const auto& disk : config.devices.disks) all.push_back(disk.boot_index);
    for (const auto& planned_interface : config.devices.interfaces)
      all.push_back(planned_interface.boot_index);
    return all;
  };
  using Indexes = std::vector<std::optional<std::uint32_t>>;
  EXPECT_EQ(indexes("<boot dev='network'/><boot dev='hd'/>"), (Indexes{2, 1, std::nullopt}));
  EXPECT_EQ(indexes("<boot dev='hd'/><boot dev='network'/>"), (Indexes{1, 2, std::nullopt}));
}

TEST(PlannedMemory, IsAtMostWhatTheMachineTakes) {
  EXPECT_EQ(errors_of({.memory = "<memory unit='TiB'>16</memory>"}), "");
  EXPECT_EQ(errors_of({.memory = "<memory unit='KiB'>17179869185</memory>"}),
            "memory-size: memory of 17179869185 KiB is outside what a TD can have");
}

TEST(PlannedSmbios, ComparesTheSystemsUuidAsAUuid) {
  const auto errors = [](const std::string& uuid) {
    return errors_of(
        {.head = "<sysinfo type='smbios'><system><entry name='uuid'>" + uuid + "</entry></system></sysinfo>",
         .boot = "<smbios mode='sysinfo'/>"});
  };
  EXPECT_EQ(errors("C7A5FDBDCDAF9455926AD65C16DB1809"), "");
  EXPECT_NE(errors("c7a5fdbd-cdaf-9455-926a-d65c16db1808").find("sysinfo-uuid"), std::string::npos);
  EXPECT_NE(errors("one").find("sysinfo-uuid"), std::string::npos);
}

}  // namespace
}  // namespace virttdx::domain_xml
