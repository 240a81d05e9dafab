// SPDX-License-Identifier: GPL-2.0-or-later
#include "schema.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include <memory>

namespace virttdx::domain_xml::test {
namespace {

template <typename T>
using Handle = std::unique_ptr<T, void (*)(T*)>;

void collect(void* errors, xmlErrorPtr error) {
  *static_cast<std::string*>(errors) += "line " + std::to_string(error->line) + ": " + error->message;
}

}  // namespace

std::string schema_errors(const std::filesystem::path& schema, const std::string& xml) {
  std::string errors;
  xmlSetStructuredErrorFunc(&errors, collect);
  const Handle<xmlRelaxNGParserCtxt> parser(xmlRelaxNGNewParserCtxt(schema.c_str()),
                                            xmlRelaxNGFreeParserCtxt);
  const Handle<xmlRelaxNG> grammar(xmlRelaxNGParse(parser.get()), xmlRelaxNGFree);
  const Handle<xmlDoc> document(
      xmlReadMemory(xml.data(), static_cast<int>(xml.size()), "input", nullptr, XML_PARSE_NONET), xmlFreeDoc);
  if (grammar && document) {
    const Handle<xmlRelaxNGValidCtxt> context(xmlRelaxNGNewValidCtxt(grammar.get()), xmlRelaxNGFreeValidCtxt);
    xmlRelaxNGSetValidStructuredErrors(context.get(), collect, &errors);
    if (xmlRelaxNGValidateDoc(context.get(), document.get()) != 0 && errors.empty()) errors = "not valid";
  } else if (errors.empty()) {
    errors = "unreadable schema or document";
  }
  xmlSetStructuredErrorFunc(nullptr, nullptr);
  return errors;
}

}  // namespace virttdx::domain_xml::test
