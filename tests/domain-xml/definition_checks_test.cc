// SPDX-License-Identifier: GPL-2.0-or-later
// What libvirt's drivers refuse when a domain is defined, and what they take for something else.
#include <gtest/gtest.h>

#include "domain_xml/domain.h"

namespace virttdx::domain_xml {
namespace {

Result<Domain> define(const std::string& in_domain, const std::string& in_devices = "") {
  const auto domain = parse_domain(
      "<domain type='kvm'><name>td</name><memory unit='KiB'>1048576</memory><os><type>hvm</type></os>" +
      in_domain + "<devices>" + in_devices + "</devices></domain>");
  if (!domain) return tl::unexpected(domain.error());
  return complete_definition(*domain, {.emulator = "/usr/libexec/virttdx-vmm"});
}

std::string disk(const std::string& target, const std::string& kind = "disk") {
  return "<disk type='file' device='" + kind + "'><source file='/" + target + ".img'/><target dev='" +
         target + "' bus='virtio'/></disk>";
}

void expect_refused(const Result<Domain>& domain, Error::Code code, const std::string& message) {
  ASSERT_FALSE(domain) << message;
  EXPECT_EQ(domain.error().code(), code) << message;
  EXPECT_EQ(domain.error().message(), message);
}

TEST(Define, RefusesATitleOfTwoLines) {
  expect_refused(define("<title>a\nb</title>"), Error::Code::XmlInvalid,
                 "Domain title can't contain newlines");
}

TEST(Define, RefusesTwoDisksOfOneTarget) {
  expect_refused(define("", disk("vda") + disk("vda")), Error::Code::XmlInvalid,
                 "target 'vda' duplicated for disk sources '/vda.img' and '/vda.img'");
}

TEST(Define, RefusesTargetsThatAreNoDisks) {
  for (const std::string name : {"/x", "x", "vd", "vdA", "nvme0", "sr0"})
    expect_refused(define("", disk(name)), Error::Code::XmlInvalid,
                   "Unknown disk name '" + name + "' and no address specified");
  expect_refused(define("", disk("vda1")), Error::Code::ConfigUnsupported,
                 "invalid disk target 'vda1', partitions can't appear in disk targets");
  expect_refused(define("", disk("fda")), Error::Code::Internal, "Invalid harddisk device name: fda");
}

TEST(Define, RefusesCpuTimeOutOfTheKernelsRange) {
  for (const std::string name : {"period", "global_period", "emulator_period"})
    for (const std::string value : {"10", "999", "1000001"})
      expect_refused(define("<cputune><" + name + ">" + value + "</" + name + "></cputune>"),
                     Error::Code::ConfigUnsupported,
                     "Value of cputune '" + name + "' must be in range [1000, 1000000]");
  expect_refused(define("<cputune><quota>999</quota></cputune>"), Error::Code::ConfigUnsupported,
                 "Value of cputune 'quota' must be in range [1000, 17592186044415]");
  expect_refused(define("<cputune><shares>1</shares></cputune>"), Error::Code::ConfigUnsupported,
                 "Value of cputune 'shares' must be in range [2, 262144]");
  EXPECT_TRUE(define("<cputune><period>1000</period><quota>-2</quota><shares>2</shares></cputune>"));
}

TEST(Define, TakesNoCpuTimeForTheDefault) {
  const auto domain = define("<cputune><period>0</period><quota>0</quota></cputune>");
  ASSERT_TRUE(domain) << domain.error().message();
  EXPECT_FALSE(domain->tuning.cpu);
}

TEST(Define, GivesADomainNoMoreMemoryThanItHas) {
  for (const std::string kib : {"0", "1048576", "2097152"}) {
    const auto domain = define("<currentMemory unit='KiB'>" + kib + "</currentMemory>");
    ASSERT_TRUE(domain) << domain.error().message();
    EXPECT_EQ(domain->current_memory_kib, 1048576U) << kib;
  }
}

TEST(Define, TakesADiskWithoutATypeForAFile) {
  const auto domain = define("", "<disk><source file='/a'/><target dev='vda'/></disk>");
  ASSERT_TRUE(domain) << domain.error().message();
  EXPECT_EQ(domain->devices.disks.at(0).type, "file");
}

}  // namespace
}  // namespace virttdx::domain_xml
