// SPDX-License-Identifier: GPL-2.0-or-later
#include "xml/schema.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include <algorithm>
#include <memory>

#include "xml/reader.h"

namespace virttdx::domain_xml::xml {
namespace {

template <typename T>
using Handle = std::unique_ptr<T, void (*)(T*)>;

// A document of errors has a first cause; a hundred lines of consequences help nobody.
constexpr std::size_t kViolationsMaximum = 8;

void collect(void* context, xmlErrorPtr error) {
  auto& violations = *static_cast<std::vector<std::string>*>(context);
  if (error == nullptr || violations.size() >= kViolationsMaximum) return;
  std::string message = error->message == nullptr ? "not valid" : error->message;
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::ranges::replace(message, '\n', ' ');
  auto violation = fmt::format("line {}: {}", error->line, message);
  if (std::ranges::find(violations, violation) == violations.end())
    violations.push_back(std::move(violation));
}

Result<Handle<xmlRelaxNG>> load_schema(const std::filesystem::path& path) {
  std::vector<std::string> complaints;
  const Handle<xmlRelaxNGParserCtxt> parser(xmlRelaxNGNewParserCtxt(path.c_str()), xmlRelaxNGFreeParserCtxt);
  if (!parser) return fail(Error::Code::Internal, "Cannot create a schema parser: out of memory");
  xmlRelaxNGSetParserStructuredErrors(parser.get(), collect, &complaints);
  Handle<xmlRelaxNG> schema(xmlRelaxNGParse(parser.get()), xmlRelaxNGFree);
  if (!schema)
    return fail(Error::Code::InvalidData, "Cannot read schema '{}'{}{}; install virttdx and libvirt anew",
                path.native(), complaints.empty() ? "" : ": ", complaints.empty() ? "" : complaints.front());
  return schema;
}

// libxml2 reports "no error", to a standard handler, for files that it does not find.
void be_silent(void*, xmlErrorPtr) {}

}  // namespace

Result<std::vector<std::string>> schema_violations(std::string_view text,
                                                   const std::filesystem::path& schema_file) {
  // Holds the document to the limits before a tree of libxml2's is made of it.
  TRY(read_document(text));
  xmlSetStructuredErrorFunc(nullptr, be_silent);
  const auto schema = TRY(load_schema(schema_file));
  // NOENT as in read_document(), which has refused documents that declare entities.
  const Handle<xmlDoc> document(xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                                              XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_BIG_LINES),
                                xmlFreeDoc);
  const Handle<xmlRelaxNGValidCtxt> context(xmlRelaxNGNewValidCtxt(schema.get()), xmlRelaxNGFreeValidCtxt);
  if (!document || !context) return fail(Error::Code::Internal, "Cannot validate XML: out of memory");
  std::vector<std::string> violations;
  xmlRelaxNGSetValidStructuredErrors(context.get(), collect, &violations);
  if (xmlRelaxNGValidateDoc(context.get(), document.get()) != 0 && violations.empty())
    violations.emplace_back("line 1: not valid");
  return violations;
}

}  // namespace virttdx::domain_xml::xml
