// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "domain_xml/domain.h"
#include "gen_domain.h"
#include "schema.h"

namespace virttdx::domain_xml {
namespace {

TEST(DomainProperty, ReadingWhatWasWrittenGivesTheSameValue) {
  const bool holds = rc::check([] {
    const auto domain = *test::any_domain();
    const auto xml = format_domain(domain);
    const auto again = parse_domain(xml);
    if (!again) RC_FAIL(again.error().message() + "\n" + xml);
    if (!(*again == domain)) RC_FAIL("differs: " + xml + format_domain(*again));
  });
  EXPECT_TRUE(holds);
}

TEST(DomainProperty, WhatIsWrittenIsValidAgainstTheSchema) {
  const auto schema = std::filesystem::path(VIRTTDX_SOURCE_ROOT) / "schemas/domain.rng";
  const bool holds = rc::check([&] {
    const auto xml = format_domain(*test::any_domain());
    const auto errors = test::schema_errors(schema, xml);
    if (!errors.empty()) RC_FAIL(errors + "\n" + xml);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace virttdx::domain_xml
