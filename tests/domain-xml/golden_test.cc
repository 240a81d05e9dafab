// SPDX-License-Identifier: GPL-2.0-or-later
// tests/data/domain-xml: NAME.xml is read and written as NAME.out.xml; invalid/NAME.xml is refused with the
// message in NAME.message. ACCEPT=1 rewrites the expected files and reports the test as skipped.
#include <gtest/gtest.h>

#include "domain_xml/domain.h"
#include "golden.h"

namespace virttdx::domain_xml {
namespace {

class WellFormedDomain : public testing::TestWithParam<std::string> {};
class InvalidDomain : public testing::TestWithParam<std::string> {};

TEST_P(WellFormedDomain, IsWrittenCanonically) {
  const auto domain = parse_domain(test::read_data(GetParam()));
  ASSERT_TRUE(domain) << domain.error().message();
  test::expect_golden(test::with_extension(GetParam(), ".out.xml"), format_domain(*domain));
}

TEST_P(WellFormedDomain, ReadsBackEqualFromItsCanonicalForm) {
  const auto domain = parse_domain(test::read_data(GetParam()));
  ASSERT_TRUE(domain) << domain.error().message();
  const auto again = parse_domain(format_domain(*domain));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, *domain);
  EXPECT_EQ(format_domain(*again), format_domain(*domain));
}

TEST_P(InvalidDomain, IsRefusedWithAMessageThatSaysWhere) {
  const auto domain = parse_domain(test::read_data(GetParam()));
  ASSERT_FALSE(domain);
  test::expect_golden(test::with_extension(GetParam(), ".message"), domain.error().message() + "\n");
}

INSTANTIATE_TEST_SUITE_P(Golden, WellFormedDomain, testing::ValuesIn(test::data_files("domain-xml", ".xml")),
                         test::name_of_file);
INSTANTIATE_TEST_SUITE_P(Golden, InvalidDomain,
                         testing::ValuesIn(test::data_files("domain-xml/invalid", ".xml")),
                         test::name_of_file);
INSTANTIATE_TEST_SUITE_P(Schema, InvalidDomain,
                         testing::ValuesIn(test::data_files("domain-xml/invalid/schema", ".xml")),
                         test::name_of_file);

}  // namespace
}  // namespace virttdx::domain_xml
