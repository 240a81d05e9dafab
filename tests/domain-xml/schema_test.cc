// SPDX-License-Identifier: GPL-2.0-or-later
// schemas/domain.rng says what the reader accepts: the same files go through both.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "domain_xml/domain.h"
#include "golden.h"
#include "schema.h"

namespace virttdx::domain_xml {
namespace {

const std::filesystem::path kSchema = std::filesystem::path(VIRTTDX_SOURCE_ROOT) / "schemas/domain.rng";

std::vector<std::string> valid_files() {
  std::vector<std::string> files = {"../../docs/examples/td.xml"};
  for (const char* folder : {"domain-xml", "plan/kvm", "plan/soft", "plan/no-tdx"})
    for (auto& name : test::data_files(folder, ".xml")) files.push_back(std::move(name));
  return files;
}

class ValidDomain : public testing::TestWithParam<std::string> {};
class SchemaInvalidDomain : public testing::TestWithParam<std::string> {};

TEST_P(ValidDomain, IsValidBeforeAndAfterBeingRead) {
  const auto xml = test::read_data(GetParam());
  EXPECT_EQ(test::schema_errors(kSchema, xml), "");
  const auto domain = parse_domain(xml);
  ASSERT_TRUE(domain) << domain.error().message();
  EXPECT_EQ(test::schema_errors(kSchema, format_domain(*domain)), "");
}

TEST_P(SchemaInvalidDomain, IsRefusedByBoth) {
  const auto xml = test::read_data(GetParam());
  EXPECT_NE(test::schema_errors(kSchema, xml), "");
  EXPECT_FALSE(parse_domain(xml));
}

std::string name_of_path(const testing::TestParamInfo<std::string>& info) {
  return test::name_of_file(info) + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(Files, ValidDomain, testing::ValuesIn(valid_files()), name_of_path);
INSTANTIATE_TEST_SUITE_P(Files, SchemaInvalidDomain,
                         testing::ValuesIn(test::data_files("domain-xml/invalid/schema", ".xml")),
                         name_of_path);

std::set<std::string> matches(const std::string& text, const char* pattern) {
  std::set<std::string> found;
  const std::regex expression(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at)
    found.insert((*at)[1]);
  return found;
}

TEST(Schema, HasNoNameThatNoFileExercises) {
  std::string all;
  for (const auto& file : valid_files()) all += test::read_data(file);
  const auto schema = test::read_data("../../schemas/domain.rng");
  const auto elements = matches(all, "<([A-Za-z_]+)");
  for (const auto& name : matches(schema, "<element name='([^']+)'"))
    EXPECT_TRUE(elements.contains(name)) << name;
  const auto attributes = matches(all, " ([A-Za-z_]+)='");
  for (const auto& name : matches(schema, "<attribute name='([^']+)'"))
    EXPECT_TRUE(attributes.contains(name)) << name;
}

}  // namespace
}  // namespace virttdx::domain_xml
