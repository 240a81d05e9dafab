// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/device_change.h"

#include <gtest/gtest.h>

namespace virttdx::domain_xml {
namespace {

constexpr auto kDomain =
    "<domain type='kvm'><name>td</name><memory>1</memory><os><type>hvm</type></os><devices>"
    "<disk type='file'><source file='/a'/><target dev='vda'/></disk>"
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface>"
    "<interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='br0'/></interface>"
    "<interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='br1'/></interface>"
    "<serial type='pty'/></devices></domain>";

Domain domain() { return complete_definition(parse_domain(kDomain).value(), {"/monitor"}).value(); }

DeviceElement device(std::string_view xml) {
  auto read = parse_device(xml);
  EXPECT_TRUE(read) << read.error().message();
  return *std::move(read);
}

DeviceElement interface_with(std::string_view mac) {
  return device(
      fmt::format("<interface type='bridge'><mac address='{}'/><source bridge='br9'/></interface>", mac));
}

TEST(ADevice, IsReadByItself) {
  const auto disk = device("<disk type='block'><source dev='/dev/x'/><target dev='vdb'/></disk>");
  EXPECT_EQ(disk.name, "disk");
  ASSERT_EQ(disk.devices.disks.size(), 1U);
  EXPECT_EQ(disk.devices.disks.front().source->dev, "/dev/x");
}

TEST(ADevice, IsRefusedAsAnyElementIs) {
  EXPECT_EQ(parse_device("<disk").error().code(), Error::Code::XmlSyntax);
  EXPECT_EQ(parse_device("<emulator>/x</emulator>").error().code(), Error::Code::XmlInvalid);
  EXPECT_NE(
      parse_device("<disk type='file'><target dev='vda'/><bogus/></disk>").error().message().find("line 1"),
      std::string::npos);
}

TEST(AttachDevice, LeavesTheRestToCompletion) {
  auto changed = domain();
  ASSERT_TRUE(
      attach_device(changed, device("<disk type='file'><source file='/b'/><target dev='vdb'/></disk>")));
  const auto completed = complete_definition(changed, {"/monitor"}).value();
  ASSERT_EQ(completed.devices.disks.size(), 2U);
  EXPECT_TRUE(completed.devices.disks.back().address);
  EXPECT_EQ(completed.devices.disks.front(), domain().devices.disks.front());
}

TEST(AttachDevice, RefusesWhatIsThereAlreadyAndWhatCannotBeAdded) {
  auto changed = domain();
  const auto again =
      attach_device(changed, device("<disk type='file'><target dev='vda'/><source file='/b'/></disk>"));
  EXPECT_EQ(again.error().message(), "target vda already exists");
  EXPECT_EQ(attach_device(changed, device("<memballoon model='none'/>")).error().message(),
            "persistent attach of device 'memballoon' is not supported");
  EXPECT_EQ(attach_device(changed, device("<video><model type='none'/></video>")).error().code(),
            Error::Code::Unsupported);
}

TEST(DetachDevice, TellsInterfacesApartByTheirPlace) {
  auto changed = domain();
  const auto twice = detach_device(changed, interface_with("52:54:00:00:00:02"));
  EXPECT_EQ(twice.error().message(), "multiple devices matching MAC address 52:54:00:00:00:02 found");
  auto placed = interface_with("52:54:00:00:00:02");
  placed.devices.interfaces.front().address = changed.devices.interfaces.back().address;
  ASSERT_TRUE(detach_device(changed, placed));
  EXPECT_EQ(changed.devices.interfaces.back().source->bridge, "br0");
}

TEST(DetachDevice, TakesASerialPortWithItsConsole) {
  auto changed = domain();
  ASSERT_EQ(changed.devices.consoles.size(), 1U);
  ASSERT_TRUE(detach_device(changed, device("<serial type='pty'><target port='0'/></serial>")));
  EXPECT_TRUE(changed.devices.serials.empty());
  EXPECT_TRUE(changed.devices.consoles.empty());
}

TEST(UpdateDevice, KeepsThePlace) {
  auto changed = domain();
  const auto before = changed.devices.disks.front().address;
  ASSERT_TRUE(
      update_device(changed, device("<disk type='file'><source file='/b'/><target dev='vda'/></disk>")));
  EXPECT_EQ(changed.devices.disks.front().source->file, "/b");
  EXPECT_EQ(changed.devices.disks.front().address, before);
}

}  // namespace
}  // namespace virttdx::domain_xml
