// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <algorithm>

#include <regex>

#include "domain_xml/domain.h"
#include "golden.h"

namespace virttdx::domain_xml {
namespace {

const DefinitionDefaults kDefaults{.emulator = "/usr/libexec/virttdx-vmm"};

Domain minimal() {
  auto domain = parse_domain(test::read_data("domain-xml/minimal.xml"));
  EXPECT_TRUE(domain) << domain.error().message();
  return *std::move(domain);
}

TEST(CompleteDefinition, FillsInWhatLibvirtsDriversFillIn) {
  auto domain = minimal();
  domain.uuid = "7e6affbb-ecdb-4ad7-b728-29bbcc9f35ab";
  const auto complete = complete_definition(std::move(domain), kDefaults);
  ASSERT_TRUE(complete) << complete.error().message();
  test::expect_golden("domain-xml/complete/minimal.out.xml", format_domain(*complete));
}

TEST(CompleteDefinition, IsTheSameWhenDoneTwice) {
  const auto once = complete_definition(minimal(), kDefaults);
  ASSERT_TRUE(once);
  const auto twice = complete_definition(*once, kDefaults);
  ASSERT_TRUE(twice);
  EXPECT_EQ(*twice, *once);
}

TEST(CompleteDefinition, MakesASerialPortForAConsole) {
  auto domain = minimal();
  domain.devices.serials.clear();
  const auto complete = complete_definition(std::move(domain), kDefaults);
  ASSERT_TRUE(complete);
  ASSERT_EQ(complete->devices.serials.size(), 1U);
  EXPECT_EQ(complete->devices.serials[0].target_type, "isa-serial");
  EXPECT_EQ(complete->devices.serials[0].target_port, 0U);
}

TEST(CompleteDefinition, NumbersSerialPortsInTheirOrder) {
  auto domain = minimal();
  domain.devices.serials.emplace_back().type = "null";
  const auto complete = complete_definition(std::move(domain), kDefaults);
  ASSERT_TRUE(complete);
  EXPECT_EQ(complete->devices.serials[1].target_port, 1U);
}

TEST(CompleteDefinition, MakesADomainWithoutLaunchSecurityATrustDomainAndSaysSo) {
  auto domain = minimal();
  domain.launch_security.reset();
  domain.os.loader.reset();
  domain.os.firmware.reset();
  std::vector<Finding> changes;
  const auto complete = complete_definition(std::move(domain), kDefaults, &changes);
  ASSERT_TRUE(complete) << complete.error().message();
  EXPECT_EQ(complete->launch_security.value().policy, 0x10000000U);
  EXPECT_EQ(complete->os.firmware, "efi");
  EXPECT_EQ(complete->features.value().ioapic_driver, "qemu");
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].id, "launch-security-added");
  EXPECT_EQ(changes[1].id, "firmware-added");
}

TEST(CompleteDefinition, SaysWhichMachineAndCpuADefinitionGotThatNamesNone) {
  auto domain = minimal();
  domain.os.machine.reset();
  domain.features.reset();
  domain.cpu.reset();
  std::vector<Finding> changes;
  const auto complete = complete_definition(std::move(domain), kDefaults, &changes);
  ASSERT_TRUE(complete) << complete.error().message();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].id, "machine-completed");
  EXPECT_EQ(changes[0].message,
            "completed for a trust domain: machine 'q35', ACPI and APIC, the split interrupt controller "
            "(<ioapic driver='qemu'/>), CPU mode 'host-passthrough'");
  changes.clear();
  ASSERT_TRUE(complete_definition(*complete, kDefaults, &changes));
  EXPECT_TRUE(changes.empty());
}

TEST(CompleteDefinition, SaysNothingOfTheMachineAndCpuThatAreNamed) {
  auto domain = minimal();
  domain.features->ioapic_driver.reset();
  domain.cpu.emplace().model = "Nehalem";
  std::vector<Finding> changes;
  ASSERT_TRUE(complete_definition(std::move(domain), kDefaults, &changes));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].message,
            "completed for a trust domain: the split interrupt controller (<ioapic driver='qemu'/>)");
}

TEST(CompleteDefinition, TakesTheOlderNameOfTheQuoteServiceAndSaysSo) {
  const auto domain = parse_domain(test::read_data("domain-xml/older-quote-name.xml"));
  ASSERT_TRUE(domain) << domain.error().message();
  std::vector<Finding> changes;
  const auto complete = complete_definition(*domain, kDefaults, &changes);
  ASSERT_TRUE(complete) << complete.error().message();
  EXPECT_EQ(complete->launch_security.value().quote_generation_service.value().path, "/run/qgs.socket");
  const auto finding = std::ranges::find(changes, std::string("quote-service-older-name"), &Finding::id);
  ASSERT_NE(finding, changes.end());
  EXPECT_EQ(finding->line, 7);
  // What is stored has the present name, and nothing is said of it any more.
  changes.clear();
  ASSERT_TRUE(complete_definition(parse_domain(format_domain(*complete)).value(), kDefaults, &changes));
  EXPECT_EQ(std::ranges::count(changes, "quote-service-older-name", &Finding::id), 0);
}

// What Nova and virt-install write for a CD-ROM drive on q35.
TEST(CompleteDefinition, MovesCdromDrivesToBusScsiAndSaysSo) {
  auto domain = minimal();
  Disk drive;
  drive.type = "file";
  drive.device = "cdrom";
  drive.target_dev = "sda";
  drive.target_bus = "sata";
  drive.address = DriveAddress{};
  domain.devices.disks.push_back(drive);
  std::vector<Finding> changes;
  const auto complete = complete_definition(std::move(domain), kDefaults, &changes);
  ASSERT_TRUE(complete) << complete.error().message();
  EXPECT_EQ(complete->devices.disks.at(0).target_bus, "scsi");
  EXPECT_EQ(std::ranges::count(complete->devices.controllers, "scsi", &Controller::type), 1);
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes.back().id, "device-made-virtio");
  EXPECT_EQ(changes.back().severity, Severity::Note);
}

TEST(CompleteDefinition, GivesARootPortWithoutAnIndexABusBehindTheRootComplex) {
  auto domain = minimal();
  auto& port = domain.devices.controllers.emplace_back();
  port.type = "pci";
  port.model = "pcie-root-port";
  const auto complete = complete_definition(std::move(domain), kDefaults);
  ASSERT_TRUE(complete) << complete.error().message();
  const auto& controllers = complete->devices.controllers;
  ASSERT_EQ(controllers.size(), 2U);
  EXPECT_EQ(controllers[0].model, "pcie-root");
  EXPECT_EQ(controllers[1].index, 1U);
  EXPECT_TRUE(std::holds_alternative<PciDeviceAddress>(controllers[1].address.value()));
}

TEST(CompleteDefinition, RefusesADomainWithoutLaunchSecurityWhereItIsRequired) {
  auto domain = minimal();
  domain.launch_security.reset();
  const auto complete =
      complete_definition(std::move(domain), {.emulator = "/e", .require_launch_security = true});
  ASSERT_FALSE(complete);
  EXPECT_EQ(complete.error().code(), Error::Code::ConfigUnsupported);
  EXPECT_NE(complete.error().message().find("require_launch_security"), std::string::npos);
}

TEST(CompleteDefinition, GivesAnInterfaceAMacAddressOfQemusAndKvmsRange) {
  auto domain = minimal();
  domain.devices.interfaces.emplace_back().type = "user";
  const auto complete = complete_definition(std::move(domain), kDefaults);
  ASSERT_TRUE(complete) << complete.error().message();
  const auto mac = complete->devices.interfaces.at(0).mac.value();
  EXPECT_TRUE(std::regex_match(mac, std::regex("52:54:00(:[0-9a-f]{2}){3}"))) << mac;
  EXPECT_EQ(complete->devices.interfaces[0].model, "virtio");
}

TEST(CompleteDefinition, MakesEmulatedDisksAndInterfacesVirtioOnesAndSaysSo) {
  auto domain = minimal();
  auto& disk = domain.devices.disks.emplace_back();
  disk.target_dev = "sda";
  disk.target_bus = "sata";
  disk.address = DriveAddress{};
  disk.rotation_rate = 1;
  disk.line.number = 7;
  domain.devices.disks.emplace_back().target_dev = "hdb";
  domain.devices.interfaces.emplace_back().model = "e1000e";
  std::vector<Finding> changes;
  const auto complete = complete_definition(std::move(domain), kDefaults, &changes);
  ASSERT_TRUE(complete) << complete.error().message();
  for (const auto& made : complete->devices.disks) {
    EXPECT_EQ(made.target_bus, "virtio");
    EXPECT_TRUE(std::holds_alternative<PciDeviceAddress>(made.address.value()));
    EXPECT_FALSE(made.rotation_rate);
  }
  EXPECT_EQ(complete->devices.interfaces.at(0).model, "virtio");
  ASSERT_EQ(changes.size(), 3U);
  for (const auto& change : changes) EXPECT_EQ(change.id, "device-made-virtio");
  EXPECT_EQ(to_string(changes[0]),
            "warning: disk 'sda' is on bus 'virtio' instead of 'sata': a TD has virtio disks; write <target "
            "bus='virtio'/> (/domain/devices/disk, line 7)");
}

class CompletedDomain : public testing::TestWithParam<std::string> {};

TEST_P(CompletedDomain, IsWrittenInFull) {
  auto domain = parse_domain(test::read_data(GetParam()));
  ASSERT_TRUE(domain) << domain.error().message();
  const auto complete = complete_definition(*std::move(domain), kDefaults);
  ASSERT_TRUE(complete) << complete.error().message();
  test::expect_golden(test::with_extension(GetParam(), ".out.xml"), format_domain(*complete));
  const auto again = complete_definition(*complete, kDefaults);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, *complete);
}

TEST_P(CompletedDomain, HasAliasesWhenItRuns) {
  auto domain = parse_domain(test::read_data(GetParam()));
  ASSERT_TRUE(domain) << domain.error().message();
  auto complete = complete_definition(*std::move(domain), kDefaults);
  ASSERT_TRUE(complete) << complete.error().message();
  prepare_run(*complete, "/run/channels");
  test::expect_golden(test::with_extension(GetParam(), ".running.out.xml"), format_domain(*complete));
}

INSTANTIATE_TEST_SUITE_P(Golden, CompletedDomain,
                         testing::ValuesIn(test::data_files("domain-xml/complete", ".xml")),
                         test::name_of_file);

std::string refusal(const std::string& devices) {
  auto domain = parse_domain(
      "<domain type='kvm'><name>td</name><memory>524288</memory><os><type>hvm</type></os>"
      "<devices>" +
      devices + "</devices></domain>");
  EXPECT_TRUE(domain) << domain.error().message();
  const auto complete = complete_definition(domain.value_or(Domain()), kDefaults);
  return complete ? "" : complete.error().message();
}

TEST(CompleteDefinition, RefusesAPciAddressUsedTwice) {
  const std::string disk =
      "<disk type='file'><source file='/a'/><target dev='vd{}' bus='virtio'/>"
      "<address type='pci' domain='0' bus='1' slot='0' function='0'/></disk>";
  EXPECT_EQ(refusal(fmt::format(fmt::runtime(disk), "a") + fmt::format(fmt::runtime(disk), "b")),
            "PCI address 0000:01:00.0 is used twice: by disk 'vda' and by disk 'vdb'");
}

TEST(CompleteDefinition, RefusesTheChipsetsPciAddresses) {
  EXPECT_EQ(refusal("<rng model='virtio'><backend model='random'/>"
                    "<address type='pci' domain='0' bus='0' slot='0x1f' function='0'/></rng>"),
            "PCI address 0000:00:1f.0 of an rng is the chipset's; use another slot");
}

TEST(CompleteDefinition, RefusesAVirtioSerialPortUsedTwice) {
  const std::string channel =
      "<channel type='null'><target type='virtio' name='a'/>"
      "<address type='virtio-serial' controller='0' bus='0' port='1'/></channel>";
  EXPECT_EQ(refusal(channel + channel), "virtio-serial port 1 of controller 0 is used twice");
}

TEST(CompleteDefinition, RefusesADiskOnScsiWhoseNameGivesNoAddress) {
  EXPECT_EQ(refusal("<disk type='file'><source file='/a'/><target dev='cd' bus='scsi'/></disk>"),
            "Unknown disk name 'cd' and no address specified");
}

TEST(NewUuid, IsRandomVersion4InLowerCase) {
  const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  EXPECT_TRUE(std::regex_match(new_uuid(), form));
  EXPECT_NE(new_uuid(), new_uuid());
}

}  // namespace
}  // namespace virttdx::domain_xml
