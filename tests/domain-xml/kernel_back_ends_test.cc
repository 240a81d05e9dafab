// SPDX-License-Identifier: GPL-2.0-or-later
// Which devices the kernel's vhost serves.
#include <gtest/gtest.h>

#include <algorithm>

#include "domain_xml/plan.h"
#include "golden.h"

namespace virttdx::domain_xml {
namespace {

HostCapabilities host(bool has_vhost) {
  auto capabilities = host_capabilities_from_json(test::read_data("plan/soft.host.json")).value();
  capabilities.vhost_net = capabilities.vhost_vsock = has_vhost;
  return capabilities;
}

LaunchPlan plan(const std::string& device, bool has_vhost) {
  const std::string xml =
      "<domain type='kvm'><name>td</name><memory unit='MiB'>512</memory><os><type "
      "machine='q35'>hvm</type></os><devices>" +
      device + "</devices><launchSecurity type='tdx'/></domain>";
  const auto domain = complete_definition(parse_domain(xml).value(), {.emulator = "/m"}).value();
  return plan_launch(domain, host(has_vhost), {}).value();
}

std::string interface(const std::string& driver, const std::string& type = "bridge") {
  return "<interface type='" + type + "'><mac address='52:54:00:00:00:01'/>" +
         (type == "bridge" ? "<source bridge='br0'/>" : "") + driver + "</interface>";
}

bool uses_vhost(const std::string& device, bool has_vhost) {
  return plan(device, has_vhost).config.devices.interfaces.at(0).vhost;
}

const Finding* find(const LaunchPlan& plan, std::string_view id) {
  const auto found = std::ranges::find(plan.findings, id, &Finding::id);
  return found == plan.findings.end() ? nullptr : &*found;
}

TEST(VhostNet, IsUsedWhereTheHostHasItUnlessTheDefinitionWantsOtherwise) {
  EXPECT_TRUE(uses_vhost(interface(""), true));
  EXPECT_FALSE(uses_vhost(interface(""), false));
  EXPECT_TRUE(uses_vhost(interface("<driver name='vhost'/>"), true));
  EXPECT_FALSE(uses_vhost(interface("<driver name='qemu'/>"), true));
  EXPECT_FALSE(uses_vhost(interface("", "user"), true));
}

TEST(VhostNet, ThatIsDemandedMustBeThere) {
  const auto refused = plan(interface("<driver name='vhost'/>"), false);
  const auto* finding = find(refused, "device-not-offered");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->severity, Severity::Error);
  EXPECT_NE(finding->message.find("vhost-net was requested for an interface, but is unavailable"),
            std::string::npos);
}

TEST(VhostVsock, ThatIsAbsentIsSaid) {
  EXPECT_EQ(find(plan("<vsock/>", true), "vsock-on-unix-sockets"), nullptr);
  const auto without = plan("<vsock/>", false);
  ASSERT_NE(find(without, "vsock-on-unix-sockets"), nullptr);
  EXPECT_EQ(find(without, "vsock-on-unix-sockets")->severity, Severity::Note);
}

TEST(Macvtap, IsPlannedWithItsDeviceAndMode) {
  const auto config =
      plan("<interface type='direct'><mac address='52:54:00:00:00:01'/><source dev='eth0'/></interface>",
           false)
          .config.devices.interfaces.at(0);
  EXPECT_EQ(config.backend, NetworkBackend::Macvtap);
  EXPECT_EQ(config.device, "macvtap%d");
  EXPECT_EQ(config.link, "eth0");
  EXPECT_EQ(config.macvtap_mode, MacvtapMode::Vepa);
}

}  // namespace
}  // namespace virttdx::domain_xml
