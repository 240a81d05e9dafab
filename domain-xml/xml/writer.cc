// SPDX-License-Identifier: GPL-2.0-or-later
#include "xml/writer.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace virttdx::domain_xml::xml {
namespace {

std::string_view replacement(char c, bool in_attribute) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '\r':
      return "&#13;";
    case '\'':
      return in_attribute ? "&apos;" : "";
    case '\n':
      return in_attribute ? "&#10;" : "";
    case '\t':
      return in_attribute ? "&#9;" : "";
    default:
      return "";
  }
}

void append_escaped(std::string& out, std::string_view text, bool in_attribute) {
  const auto is_special = [in_attribute](char c) { return !replacement(c, in_attribute).empty(); };
  while (!text.empty()) {
    const auto special = std::ranges::find_if(text, is_special);
    const auto plain = static_cast<std::size_t>(special - text.begin());
    out += text.substr(0, plain);
    if (special == text.end()) return;
    out += replacement(*special, in_attribute);
    text.remove_prefix(plain + 1);
  }
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

std::string_view prefix_of(std::string_view name) {
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? std::string_view() : name.substr(0, colon);
}

class Writer {
 public:
  void write(const Element& element, int level, bool laid_out) {
    const auto scope_size = scope_.size();
    out_ += '<';
    out_ += element.name;
    write_namespaces(element);
    for (const auto& attribute : element.attributes) write_attribute(attribute.name, attribute.value);
    write_content(element, level, laid_out);
    scope_.resize(scope_size);
  }
  std::string take() && { return std::move(out_); }
  void indent(int level) { out_.append(static_cast<std::size_t>(level) * 2, ' '); }
  void end_line() { out_ += '\n'; }

 private:
  void write_attribute(std::string_view name, std::string_view value) {
    out_ += ' ';
    out_ += name;
    out_ += "='";
    append_escaped(out_, value, true);
    out_ += '\'';
  }

  void declare(std::string_view prefix, std::string_view uri) {
    scope_.push_back({std::string(prefix), std::string(uri)});
    write_attribute(prefix.empty() ? "xmlns" : "xmlns:" + std::string(prefix), uri);
  }

  void need(std::string_view prefix, std::string_view uri) {
    if (prefix == "xml") return;
    const auto found =
        std::find_if(scope_.rbegin(), scope_.rend(), [&](const auto& e) { return e.prefix == prefix; });
    const std::string_view current =
        found == scope_.rend() ? std::string_view() : std::string_view(found->uri);
    if (current != uri) declare(prefix, uri);
  }

  void write_namespaces(const Element& element) {
    for (const auto& declared : element.namespaces) declare(declared.prefix, declared.uri);
    need(prefix_of(element.name), element.uri);
    for (const auto& attribute : element.attributes)
      if (const auto prefix = prefix_of(attribute.name); !prefix.empty()) need(prefix, attribute.uri);
  }

  void write_content(const Element& element, int level, bool laid_out) {
    const bool blank = std::ranges::all_of(element.texts, is_blank);
    if (element.children.empty() && (element.texts.empty() || blank)) {
      out_ += "/>";
      return;
    }
    out_ += '>';
    // Beside text, white space between elements is content: nothing below is laid out anew.
    const bool lay_out_children = laid_out && blank && !element.children.empty();
    for (std::size_t i = 0; i <= element.children.size(); ++i) {
      if (!lay_out_children && i < element.texts.size()) append_escaped(out_, element.texts[i], false);
      if (i == element.children.size()) break;
      if (lay_out_children) end_line(), indent(level + 1);
      write(element.children[i], level + 1, lay_out_children);
    }
    if (lay_out_children) end_line(), indent(level);
    out_ += "</";
    out_ += element.name;
    out_ += '>';
  }

  std::string out_;
  std::vector<NamespaceDeclaration> scope_;
};

}  // namespace

std::string write_element(const Element& element, int level) {
  Writer writer;
  writer.indent(level);
  writer.write(element, level, true);
  writer.end_line();
  return std::move(writer).take();
}

}  // namespace virttdx::domain_xml::xml
