// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/interface_traffic.h"

#include <gtest/gtest.h>

#include "domain_xml/domain.h"
#include "known_host.h"

namespace virttdx::domain_xml {
namespace {

Domain with_interface(const std::string& attributes, const std::string& content) {
  const auto domain = parse_domain(
      "<domain type='kvm'><name>td</name><memory>524288</memory><os><type machine='q35'>hvm</type></os>"
      "<launchSecurity type='tdx'/><devices><interface " +
      attributes + "><mac address='52:54:00:00:00:01'/>" + content + "</interface></devices></domain>");
  EXPECT_TRUE(domain) << domain.error().message();
  const auto completed =
      complete_definition(domain.value_or(Domain()), {.emulator = "/usr/libexec/virttdx-vmm"});
  EXPECT_TRUE(completed) << completed.error().message();
  return completed.value_or(Domain());
}
Interface bridged_interface(const std::string& content) {
  return with_interface("type='bridge'", "<source bridge='br0'/>" + content).devices.interfaces.at(0);
}

struct Planned {
  std::vector<NetworkInterfaceConfig> interfaces;
  std::string refusal;
};
Planned planned_interface(const std::string& attributes, const std::string& content) {
  const auto plan = plan_launch(with_interface(attributes, content), test::kvm_host());
  EXPECT_TRUE(plan) << plan.error().message();
  Planned planned{plan->config.devices.interfaces, {}};
  for (const auto& finding : plan->findings)
    if (finding.id == "device-not-offered") planned.refusal = finding.message;
  return planned;
}

TEST(ABandwidth, IsReadAndWritten) {
  auto interface = bridged_interface(
      "<bandwidth><inbound average='1000' peak='5000' floor='200' burst='1024'/>"
      "<outbound average='128'/></bandwidth>");
  const auto bandwidth = bandwidth_of(interface);
  EXPECT_EQ(bandwidth, (Bandwidth{BandwidthRate{1000, 5000, 1024, 200}, BandwidthRate{128, 0, 0, 0}}));
  const auto said = interface.others;
  set_bandwidth(interface, bandwidth);
  EXPECT_EQ(interface.others.at(0).xml, said.at(0).xml);
  set_bandwidth(interface, {});
  EXPECT_TRUE(interface.others.empty());
  EXPECT_EQ(bandwidth_of(interface), Bandwidth());
  set_bandwidth(interface, {std::nullopt, BandwidthRate{.average = 7}});
  EXPECT_EQ(bandwidth_of(interface).outbound, BandwidthRate{.average = 7});
  EXPECT_EQ(format_bandwidth({}), "");
}

TEST(ASwitchPort, HasAnIdAndVlans) {
  constexpr auto kId = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f";
  const auto port = switch_port_of(
      bridged_interface(std::string("<vlan><tag id='42' nativeMode='tagged'/><tag id='47'/></vlan>"
                                    "<virtualport type='openvswitch'><parameters interfaceid='") +
                        kId + "' profileid='blue'/></virtualport>"));
  EXPECT_EQ(port, (SwitchPort{kId, "blue", {42, 47}, true, "tagged", 42}));
  EXPECT_FALSE(switch_port_of(bridged_interface("<vlan><tag id='42'/></vlan>")));
  EXPECT_FALSE(switch_port_of(bridged_interface("<virtualport type='midonet'/>")));
  const auto of_its_own =
      switch_port_of(bridged_interface("<vlan><tag id='7'/></vlan><virtualport "
                                       "type='openvswitch'><parameters profileid='blue'/></virtualport>"));
  ASSERT_TRUE(of_its_own);
  EXPECT_EQ(of_its_own->interface_id.size(), std::string_view(kId).size());
  EXPECT_EQ(of_its_own->profile_id, "blue");
  EXPECT_FALSE(of_its_own->is_trunk);
}

TEST(AnInterfacesTraffic, IsPlannedOrRefusedByName) {
  constexpr auto kBridge = "type='bridge'";
  const std::string source = "<source bridge='br0'/>", port = "<virtualport type='openvswitch'/>";
  const auto limited = planned_interface(kBridge, source + "<bandwidth><inbound average='1'/></bandwidth>");
  EXPECT_EQ(limited.interfaces.at(0).bridge, "br0");
  // The switch takes it; the monitor joins no bridge.
  EXPECT_EQ(planned_interface(kBridge, source + port).interfaces.at(0).bridge, std::nullopt);
  const auto refusal = [](const std::string& what) { return "interface 52:54:00:00:00:01: " + what; };
  EXPECT_EQ(
      planned_interface(kBridge, source + "<bandwidth><inbound average='1' floor='1'/></bandwidth>").refusal,
      refusal("'floor' of <bandwidth> is offered by networks that libvirt routes only"));
  EXPECT_EQ(
      planned_interface(kBridge, source + port + "<bandwidth><inbound average='1'/></bandwidth>").refusal,
      refusal("<bandwidth> is not offered for a port of Open vSwitch"));
  EXPECT_EQ(planned_interface(kBridge, "<source bridge='--'/>" + port).refusal,
            refusal("'--' is no name of a bridge"));
  EXPECT_EQ(planned_interface(kBridge, source + "<vlan><tag id='7'/></vlan>").refusal,
            refusal("<vlan> is not offered"));
  EXPECT_EQ(planned_interface(kBridge, source + "<virtualport type='midonet'/>").refusal,
            refusal("<virtualport> is not offered"));
  EXPECT_EQ(planned_interface("type='ethernet'", port).refusal, refusal("<virtualport> is not offered"));
  EXPECT_EQ(planned_interface("type='user'", "<bandwidth><inbound average='1'/></bandwidth>").refusal,
            refusal("<bandwidth> is not offered"));
}

}  // namespace
}  // namespace virttdx::domain_xml
