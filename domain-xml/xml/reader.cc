// SPDX-License-Identifier: GPL-2.0-or-later
#include "xml/reader.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <memory>
#include <optional>
#include <utility>

namespace virttdx::domain_xml::xml {
namespace {

std::string string_of(const xmlChar* text) {
  // SAFETY: xmlChar is unsigned char holding UTF-8.
  return text == nullptr ? std::string() : reinterpret_cast<const char*>(text);
}

std::string qualified(const xmlChar* prefix, const xmlChar* local_name) {
  return prefix == nullptr ? string_of(local_name) : string_of(prefix) + ':' + string_of(local_name);
}

// Builds the tree from libxml2's events, so that every limit holds before memory is spent.
class TreeBuilder {
 public:
  explicit TreeBuilder(xmlParserCtxt* context) : context_(context) {}

  void start(Element element) {
    nodes_ += 1 + element.attributes.size() + element.namespaces.size();
    if (nodes_ > kMaximumNodes)
      return refuse(fmt::format("more than {} elements and attributes", kMaximumNodes));
    if (open_.size() >= kMaximumDepth)
      return refuse(fmt::format("nested deeper than {} elements", kMaximumDepth));
    open_.push_back(std::move(element));
    open_.back().line = line();
  }

  void end() {
    if (error_ || open_.empty()) return;
    Element element = std::move(open_.back());
    open_.pop_back();
    if (!element.texts.empty()) element.texts.resize(element.children.size() + 1);
    if (open_.empty())
      root_ = std::move(element);
    else
      open_.back().children.push_back(std::move(element));
  }

  void text(std::string_view piece) {
    if (error_ || open_.empty()) return;
    Element& element = open_.back();
    element.texts.resize(element.children.size() + 1);
    element.texts.back() += piece;
  }

  // The first complaint is the cause; what follows it is libxml2 finding its feet.
  void refuse(std::string_view message, std::optional<int> at_line = std::nullopt) {
    if (!error_)
      error_ = Error(Error::Code::XmlSyntax, fmt::format("line {}: {}", at_line.value_or(line()), message));
    xmlStopParser(context_);
  }

  Result<Element> take() && {
    if (error_) return tl::unexpected<Error>(*std::move(error_));
    if (!root_) return fail(Error::Code::XmlSyntax, "line 1: no element in the document");
    return *std::move(root_);
  }

 private:
  int line() const { return xmlSAX2GetLineNumber(context_); }

  xmlParserCtxt* context_;
  std::size_t nodes_ = 0;
  std::vector<Element> open_;
  std::optional<Element> root_;
  std::optional<Error> error_;
};

TreeBuilder& builder_of(void* context) {
  // SAFETY: userData is libxml2's context; _private is set by read_document() for as long as events come.
  return *static_cast<TreeBuilder*>(static_cast<xmlParserCtxt*>(context)->_private);
}

// libxml2 hands attributes over as five pointers each: name, prefix, URI, value and the value's end.
void on_start(void* context, const xmlChar* name, const xmlChar* prefix, const xmlChar* uri,
              int namespace_count, const xmlChar** namespaces, int attribute_count, int,
              const xmlChar** attributes) {
  Element element;
  element.name = qualified(prefix, name);
  element.uri = string_of(uri);
  for (int i = 0; i < namespace_count; ++i)
    element.namespaces.push_back({string_of(namespaces[2 * i]), string_of(namespaces[2 * i + 1])});
  for (int i = 0; i < attribute_count; ++i) {
    const xmlChar** field = attributes + static_cast<std::ptrdiff_t>(5) * i;
    // SAFETY: both pointers lie in one attribute value.
    element.attributes.push_back(
        {qualified(field[1], field[0]), string_of(field[2]),
         std::string(reinterpret_cast<const char*>(field[3]), reinterpret_cast<const char*>(field[4]))});
  }
  builder_of(context).start(std::move(element));
}

void on_end(void* context, const xmlChar*, const xmlChar*, const xmlChar*) { builder_of(context).end(); }

void on_text(void* context, const xmlChar* text, int size) {
  // SAFETY: `size` bytes of UTF-8.
  builder_of(context).text({reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)});
}

void on_document_type(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
  builder_of(context).refuse(
      "a document type declaration is not allowed in domain XML; remove <!DOCTYPE ...>");
}

void on_error(void* context, xmlErrorPtr error) {
  if (error == nullptr || error->level < XML_ERR_ERROR) return;
  std::string message = error->message == nullptr ? "malformed" : error->message;
  while (!message.empty() && message.back() == '\n') message.pop_back();
  for (char& c : message)
    if (c == '\n') c = ' ';
  builder_of(context).refuse(message, error->line);
}

xmlSAXHandler handler() {
  xmlSAXHandler sax{};
  sax.initialized = XML_SAX2_MAGIC;
  sax.startElementNs = on_start;
  sax.endElementNs = on_end;
  sax.characters = on_text;
  sax.ignorableWhitespace = on_text;
  sax.cdataBlock = on_text;
  sax.internalSubset = on_document_type;
  sax.serror = on_error;
  return sax;
}

}  // namespace

Result<Element> read_document(std::string_view text) {
  if (text.size() > kMaximumDocumentSize)
    return fail(Error::Code::XmlSyntax, "XML document of {} bytes: at most {} are read", text.size(),
                kMaximumDocumentSize);
  const std::unique_ptr<xmlParserCtxt, void (*)(xmlParserCtxt*)> context(xmlNewParserCtxt(),
                                                                         xmlFreeParserCtxt);
  if (!context) return fail(Error::Code::Internal, "Cannot create an XML parser: out of memory");
  TreeBuilder builder(context.get());
  *context->sax = handler();
  context->userData = context.get();
  context->_private = &builder;
  // NOENT: without it `&amp;` in an attribute arrives as `&#38;`. Nothing else can expand: a document type
  // declaration ends the reading, and no handler here keeps entity declarations.
  xmlCtxtReadMemory(context.get(), text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                    XML_PARSE_NONET | XML_PARSE_NOENT);
  return std::move(builder).take();
}

}  // namespace virttdx::domain_xml::xml
