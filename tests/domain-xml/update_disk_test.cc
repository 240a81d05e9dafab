// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/update_disk.h"

#include <gtest/gtest.h>

#include "domain_xml/device_change.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kLiveDisks =
    "<domain type='kvm'><name>td</name><memory>1</memory><os><type>hvm</type></os><devices>"
    "<disk type='file' device='cdrom'><driver name='qemu' type='qcow2' cache='none'/>"
    "<source file='/one.qcow2' startupPolicy='optional' index='1'/><target dev='sda' bus='scsi' "
    "tray='open'/><readonly/>"
    "<serial>cd</serial><alias name='scsi0-0-0-0'/>"
    "<address type='drive' controller='0' bus='0' target='0' unit='0'/></disk>"
    "<disk type='file'><source file='/disk.img' index='2'/><target dev='vda' bus='virtio'/>"
    "<alias name='virtio-disk0'/></disk></devices></domain>";

Result<UpdatedDisk> update_drive(const std::string& xml) {
  return update_disk(parse_domain(kLiveDisks).value(), parse_device(xml).value().devices.disks.front());
}
std::string drive(const std::string& content, const std::string& head = "type='file' device='cdrom'") {
  return "<disk " + head + ">" + content + "<target dev='sda' bus='scsi'/></disk>";
}

TEST(UpdateDisk, PutsAnotherMediumIntoADrive) {
  const auto updated = update_drive(drive("<source file='/two.iso'/>")).value();
  EXPECT_TRUE(updated.has_other_medium);
  EXPECT_EQ(updated.disk.source->file, "/two.iso");
  EXPECT_FALSE(updated.disk.driver.type) << "that was the old image's";
  EXPECT_FALSE(updated.disk.tray);
  EXPECT_EQ(updated.disk.driver.cache, "none");
  EXPECT_EQ(updated.disk.alias, "scsi0-0-0-0");
  EXPECT_EQ(updated.disk.serial, "cd");
  const auto network = update_drive(drive("<source protocol='nbd' name='x'><host name='server'/></source>",
                                          "type='network' device='cdrom'"));
  ASSERT_TRUE(network) << network.error().message();
  EXPECT_EQ(network->disk.type, "network");
}

TEST(UpdateDisk, EmptiesADrive) {
  const auto updated = update_drive(drive("")).value();
  EXPECT_TRUE(updated.has_other_medium);
  EXPECT_FALSE(updated.disk.source);
}

TEST(UpdateDisk, LeavesTheMediumThatIsThere) {
  const auto updated = update_drive(drive("<source file='/one.qcow2' startupPolicy='requisite'/>")).value();
  EXPECT_FALSE(updated.has_other_medium);
  EXPECT_EQ(updated.disk.source->startup_policy, "requisite");
  EXPECT_EQ(updated.disk.source->index, 1U);
  EXPECT_EQ(updated.disk.tray, "open");
}

TEST(UpdateDisk, TakesADriveWhereToolsPutIt) {
  EXPECT_TRUE(update_drive(
      "<disk type='file' device='cdrom'><source file='/two.iso'/><target dev='sda' bus='sata'/></disk>"));
}

TEST(UpdateDisk, RefusesEveryOtherChangeInLibvirtsWords) {
  struct Refusal {
    std::string xml, message;
    Error::Code code = Error::Code::Unsupported;
  };
  const Refusal refusals[] = {
      {"<disk type='file'><source file='/x'/><target dev='vdz'/></disk>", "disk 'vdz' not found",
       Error::Code::Internal},
      {"<disk type='file'><source file='/x'/><target dev='vda'/></disk>",
       "disk source can be changed only in removable drives", Error::Code::ConfigUnsupported},
      {drive("<source file='/x'/>", "type='file'"), "cannot modify field 'device' of the disk"},
      {drive("<source file='/x'/><serial>other</serial>"), "cannot modify field 'serial' of the disk"},
      {drive("<source file='/x'/><driver cache='writeback'/>"), "cannot modify field 'cache' of the disk"},
      {drive("<source file='/x'/><boot order='1'/>"), "cannot modify field 'boot order' of the disk"},
      {drive("<source file='/x'/><alias name='ua-x'/>"), "changing device alias is not allowed",
       Error::Code::PermissionDenied},
      {drive("<address type='drive' controller='0' bus='0' target='0' unit='1'/>"),
       "cannot modify field 'address' of the disk"},
      {"<disk type='file' device='cdrom'><target dev='sda' tray='closed'/></disk>",
       "cannot modify field 'tray' of the disk"},
  };
  for (const auto& refusal : refusals) {
    const auto updated = update_drive(refusal.xml);
    ASSERT_FALSE(updated) << refusal.xml;
    EXPECT_EQ(updated.error().message(), refusal.message);
    EXPECT_EQ(updated.error().code(), refusal.code);
  }
}

}  // namespace
}  // namespace virttdx::domain_xml
