// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/domain.h"

#include <gtest/gtest.h>

#include <string>

#include "domain_xml/public_form.h"

namespace virttdx::domain_xml {
namespace {

std::string document(const std::string& inner) {
  return "<domain type='kvm'><name>td</name><memory>65536</memory><os><type>hvm</type></os>" + inner +
         "</domain>";
}

std::uint64_t memory_of(const std::string& memory) {
  const auto domain =
      parse_domain("<domain type='kvm'><name>td</name>" + memory + "<os><type>hvm</type></os></domain>");
  return domain ? domain->memory_kib : 0;
}

TEST(DomainMemory, TakesLibvirtsUnits) {
  EXPECT_EQ(memory_of("<memory>65536</memory>"), 65536U);
  EXPECT_EQ(memory_of("<memory unit='k'>65536</memory>"), 65536U);
  EXPECT_EQ(memory_of("<memory unit='M'>64</memory>"), 65536U);
  EXPECT_EQ(memory_of("<memory unit='mib'>64</memory>"), 65536U);
  EXPECT_EQ(memory_of("<memory unit='GiB'> 1 </memory>"), 1048576U);
  EXPECT_EQ(memory_of("<memory unit='KB'>1024</memory>"), 1000U);
}

TEST(DomainMemory, IsRoundedUpToKib) { EXPECT_EQ(memory_of("<memory unit='bytes'>1025</memory>"), 2U); }

TEST(DomainMemory, RefusesWhatOverflows) {
  EXPECT_EQ(memory_of("<memory unit='EiB'>8</memory>"), 0U);
  EXPECT_EQ(memory_of("<memory>-1</memory>"), 0U);
}

TEST(DomainXml, LeavesOutWhatLivesWithARunWhenInactive) {
  const auto domain = parse_domain(document(
      "<devices><serial type='pty'><source path='/dev/pts/1'/><alias name='serial0'/></serial></devices>"));
  ASSERT_TRUE(domain);
  const auto xml = format_domain(*domain, {.inactive = true});
  EXPECT_EQ(xml.find("/dev/pts"), std::string::npos);
  EXPECT_EQ(xml.find("alias"), std::string::npos);
}

TEST(DomainXml, KeepsTheFileOfASerialPortWhenInactive) {
  const auto domain =
      parse_domain(document("<devices><serial type='file'><source path='/tmp/out'/></serial></devices>"));
  ASSERT_TRUE(domain);
  EXPECT_NE(format_domain(*domain, {.inactive = true}).find("path='/tmp/out'"), std::string::npos);
}

TEST(DomainXml, HasAPublicFormWithoutSecrets) {
  const std::string source =
      "<source protocol='https' name='a'><host name='h'/><cookies><cookie name='c'>hidden</cookie></cookies>"
      "</source>";
  const auto domain = parse_domain(document(
      "<devices><disk type='network' device='disk'>" + source + "<backingStore type='network'>" + source +
      "</backingStore><target dev='vda' bus='virtio'/></disk>"
      "<graphics type='vnc' passwd='hidden' passwdValidTo='2030-01-01T00:00:00'/>"
      "<graphics type='spice' passwd='hidden'/></devices>"));
  ASSERT_TRUE(domain) << domain.error().message();
  const auto xml = format_without_secrets(*domain);
  EXPECT_EQ(xml.find("hidden"), std::string::npos) << xml;
  EXPECT_EQ(xml.find("cookie"), std::string::npos) << xml;
  EXPECT_NE(xml.find("<graphics type='vnc' passwdValidTo='2030-01-01T00:00:00'/>"), std::string::npos) << xml;
  EXPECT_NE(xml.find("<host name='h'/>"), std::string::npos) << xml;
  EXPECT_NE(format_domain(*domain).find("passwd='hidden'"), std::string::npos);
}

TEST(DomainXml, HasAPublicFormThatIsTheFormWhereThereIsNoSecret) {
  const auto domain = parse_domain(
      document("<devices><serial type='pty'><source path='/dev/pts/1'/></serial>"
               "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk></devices>"));
  ASSERT_TRUE(domain);
  for (const bool inactive : {false, true})
    EXPECT_EQ(format_without_secrets(*domain, {.inactive = inactive}),
              format_domain(*domain, {.inactive = inactive}));
}

TEST(DomainXml, RefusesDeepNestingAtItsLimit) {
  std::string open, close;
  for (int i = 0; i < 100000; ++i) open += "<a>", close += "</a>";
  const auto domain = parse_domain(document("<metadata>" + open + close + "</metadata>"));
  ASSERT_FALSE(domain);
  EXPECT_EQ(domain.error().message(), "line 1: nested deeper than 64 elements");
}

TEST(DomainXml, RefusesTooManyElements) {
  std::string many;
  for (int i = 0; i < 70000; ++i) many += "<a/>";
  const auto domain = parse_domain(document("<metadata>" + many + "</metadata>"));
  ASSERT_FALSE(domain);
  EXPECT_EQ(domain.error().message(), "line 1: more than 65536 elements and attributes");
}

TEST(DomainXml, RefusesADocumentAboveItsSize) {
  const auto domain =
      parse_domain(document("<description>" + std::string(17U << 20, 'x') + "</description>"));
  ASSERT_FALSE(domain);
  EXPECT_EQ(domain.error().code(), Error::Code::XmlSyntax);
}

TEST(DomainXml, ShortensLongValuesInMessages) {
  const auto domain = parse_domain(document("<on_reboot>" + std::string(100000, 'x') + "</on_reboot>"));
  ASSERT_FALSE(domain);
  EXPECT_LT(domain.error().message().size(), 400U);
}

TEST(DomainXml, CodesTellSyntaxFromContent) {
  EXPECT_EQ(parse_domain("<domain").error().code(), Error::Code::XmlSyntax);
  EXPECT_EQ(parse_domain("<network/>").error().code(), Error::Code::XmlInvalid);
  EXPECT_EQ(parse_domain("<domain type='kvm'/>").error().code(), Error::Code::MissingName);
  EXPECT_EQ(parse_domain("<domain type='qemu'/>").error().code(), Error::Code::ConfigUnsupported);
  EXPECT_EQ(parse_domain(document("<idmap/>")).error().code(), Error::Code::ConfigUnsupported);
  EXPECT_EQ(parse_domain(document("<launchSecurity type='sev'/>")).error().code(),
            Error::Code::ConfigUnsupported);
}

}  // namespace
}  // namespace virttdx::domain_xml
