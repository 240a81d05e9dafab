// SPDX-License-Identifier: GPL-2.0-or-later
// schemas/domain.rng says what the reader accepts: the same files go through both.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "domain_xml/domain.h"
#include "domain_xml/schema.h"
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
  const auto elements = matches(all, "<([A-Za-z_0-9-]+)");
  for (const auto& name : matches(schema, "<element name='([^']+)'"))
    EXPECT_TRUE(elements.contains(name)) << name;
  const auto attributes = matches(all, " ([A-Za-z_0-9]+)='");
  for (const char* pattern : {"<attribute name='([^']+)'", "<name>([^<]+)</name>"})
    for (const auto& name : matches(schema, pattern)) EXPECT_TRUE(attributes.contains(name)) << name;
}

std::string refusal_of(const std::string& xml, const std::filesystem::path& schema = kSchema) {
  const auto valid = validate_domain(xml, schema);
  return valid ? std::string() : valid.error().message();
}

std::string td_with(const std::string& inner) {
  return "<domain type='kvm'>\n<name>td</name>\n<memory>65536</memory>\n<os><type>hvm</type></os>\n" + inner +
         "</domain>";
}

TEST(Validation, TellsFileLineAndTheReadersReason) {
  EXPECT_EQ(refusal_of(td_with("<vcpu>1</vcpu>")), "");
  const auto refusal = refusal_of(td_with("<vcpu colour='red'>1</vcpu>"));
  EXPECT_EQ(refusal.rfind("Unable to validate doc against " + kSchema.native() +
                              ": line 5: unknown attribute 'colour' in '/domain/vcpu' (line ",
                          0),
            0U)
      << refusal;
  EXPECT_EQ(validate_domain(td_with("<colour/>"), kSchema).error().code(), Error::Code::XmlInvalid);
}

TEST(Validation, TellsTheSchemasReasonWhereTheReaderHasNone) {
  if (!std::filesystem::exists(kCpuSchemaPath)) GTEST_SKIP() << "no Debian package libvirt0";
  const auto refusal = refusal_of(td_with(""), kCpuSchemaPath);
  EXPECT_EQ(refusal.rfind("Unable to validate doc against /usr/share/libvirt/schemas/cpu.rng: line 1: ", 0),
            0U)
      << refusal;
  EXPECT_EQ(refusal.find('\n'), std::string::npos) << refusal;
}

TEST(Validation, HoldsDocumentsToTheReadersLimits) {
  EXPECT_EQ(validate_domain("<!DOCTYPE d [<!ENTITY a 'x'>]><domain>&a;</domain>", kSchema).error().code(),
            Error::Code::XmlSyntax);
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  EXPECT_EQ(validate_domain(deep, kSchema).error().message(), "line 1: nested deeper than 64 elements");
}

TEST(Validation, OfManyWrongElementsSaysAFew) {
  std::string many = "<cpu>";
  for (int i = 0; i < 20000; ++i) many += "<feature name='" + std::to_string(i) + "' colour='red'/>\n";
  EXPECT_LT(refusal_of(td_with(many + "</cpu>")).size(), 2000U);
}

TEST(Validation, NamesASchemaThatIsNotThere) {
  const auto valid = validate_domain(td_with(""), "/no/such.rng");
  EXPECT_EQ(valid.error().code(), Error::Code::InvalidData);
  EXPECT_NE(valid.error().message().find("'/no/such.rng'"), std::string::npos) << valid.error().message();
}

}  // namespace
}  // namespace virttdx::domain_xml
