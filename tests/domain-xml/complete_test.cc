// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

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

TEST(CompleteDefinition, RefusesADomainWithoutLaunchSecurity) {
  auto domain = minimal();
  domain.launch_security.reset();
  const auto complete = complete_definition(std::move(domain), kDefaults);
  ASSERT_FALSE(complete);
  EXPECT_EQ(complete.error().code(), Error::Code::ConfigUnsupported);
}

TEST(NewUuid, IsRandomVersion4InLowerCase) {
  const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  EXPECT_TRUE(std::regex_match(new_uuid(), form));
  EXPECT_NE(new_uuid(), new_uuid());
}

}  // namespace
}  // namespace virttdx::domain_xml
