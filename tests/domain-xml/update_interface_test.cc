// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/update_interface.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace virttdx::domain_xml {
namespace {

constexpr auto kLiveInterfaces =
    "<domain type='kvm'><name>td</name><memory>1</memory><os><type>hvm</type></os><devices>"
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><target dev='vnet3'/>"
    "<model type='virtio'/><driver queues='2'/><mtu size='9000'/><alias name='net0'/>"
    "<address type='pci' domain='0' bus='1' slot='0' function='0'/></interface>"
    "<interface type='network'><mac address='52:54:00:00:00:02'/>"
    "<source network='blue' portid='00000000-0000-0000-0000-000000000001' bridge='virbr7'/>"
    "<link state='down'/></interface></devices></domain>";

Result<Interface> update(const std::string& xml) {
  return update_interface(parse_domain(kLiveInterfaces).value(), parse_device(xml).value());
}
std::string bridged(const std::string& content, const std::string& head = "type='bridge'") {
  return "<interface " + head + "><mac address='52:54:00:00:00:01'/>" + content + "</interface>";
}
constexpr auto kSame = "<source bridge='br0'/><driver queues='2'/><mtu size='9000'/>";

TEST(UpdateInterface, ChangesItsLinkAndKeepsTheRest) {
  const auto live = parse_domain(kLiveInterfaces).value().devices.interfaces.front();
  auto updated = update(bridged(fmt::format("{}<link state='down'/>", kSame))).value();
  EXPECT_EQ(updated.link_state, "down");
  updated.link_state.reset();
  EXPECT_EQ(updated, live);
  EXPECT_EQ(update(bridged(kSame)).value(), live);
}

TEST(UpdateInterface, AsksNobodyForWhatANetworkHasGiven) {
  const auto updated = update(
      "<interface type='network'><mac address='52:54:00:00:00:02'/><source network='blue'/>"
      "<link state='up'/></interface>");
  ASSERT_TRUE(updated) << updated.error().message();
  EXPECT_EQ(updated->link_state, "up");
  EXPECT_EQ(updated->source->bridge, "virbr7");
}

struct Refusal {
  std::string content, message;
};

TEST(UpdateInterface, RefusesEveryOtherChangeInLibvirtsWords) {
  const std::string same = kSame;
  const Refusal refusals[] = {
      {same + "<model type='e1000e'/>", "cannot modify network device model from virtio to e1000e"},
      {"<source bridge='br0'/><mtu size='9000'/>", "cannot modify virtio network device driver attributes"},
      {"<source bridge='br0'/><driver queues='2' packed='on'/><mtu size='9000'/>",
       "cannot modify virtio network device driver options"},
      {same + "<script path='/x'/>", "cannot modify network device script attribute"},
      {same + "<target dev='tap9'/>", "cannot modify network device tap name"},
      {same + "<alias name='ua-x'/>", "cannot modify network device alias"},
      {same + "<boot order='1'/>", "cannot modify network device boot index setting"},
      {"<source bridge='br0'/><driver queues='2'/><mtu size='1500'/>", "cannot modify MTU"},
      {"<source bridge='br1'/><driver queues='2'/><mtu size='9000'/>",
       "unable to change config on 'bridge' network type"},
      {same + "<filterref filter='x'/>", "unable to change config on 'bridge' network type"},
  };
  for (const auto& refusal : refusals) {
    const auto updated = update(bridged(refusal.content));
    ASSERT_FALSE(updated) << refusal.content;
    EXPECT_EQ(updated.error().message(), refusal.message);
    EXPECT_EQ(updated.error().code(), Error::Code::Unsupported);
  }
}

TEST(UpdateInterface, IsOfAnInterfaceThatIsThere) {
  const auto other =
      update("<interface type='bridge'><mac address='52:54:00:00:00:09'/><source bridge='b'/></interface>");
  EXPECT_EQ(other.error().code(), Error::Code::NotFound);
  const auto disk = update("<disk type='file'><source file='/a'/><target dev='vda'/></disk>");
  EXPECT_EQ(disk.error().code(), Error::Code::Unsupported);
}

}  // namespace
}  // namespace virttdx::domain_xml
