// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/property_table.h"

#include <algorithm>

#include "elements/known_elements.h"

namespace virttdx::domain_xml {
namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// Rows at or below a child: "target/@port" for prefix "target".
bool covers(std::span<const std::string_view> paths, const std::string& prefix) {
  return std::ranges::any_of(paths,
                             [&](auto path) { return path == prefix || path.starts_with(prefix + "/"); });
}

Error unknown_element(const Place& place, const xml::Element& child) {
  if (const auto why = impossible_in_td(place.path, child.name); !why.empty())
    return Error(Error::Code::ConfigUnsupported,
                 fmt::format("line {}: element '{}' in '{}' is not possible: {}", child.line, child.name,
                             place.path, why));
  if (is_libvirt_element(place.path, child.name))
    return Error(Error::Code::ConfigUnsupported,
                 fmt::format("line {}: element '{}' in '{}' is not offered by this driver; remove it",
                             child.line, child.name, place.path));
  return Error(Error::Code::XmlInvalid,
               fmt::format("line {}: unknown element '{}' in '{}'", child.line, child.name, place.path));
}

// `relative` is the place below the element that the paths start from: "" or "target/model".
Result<> refuse_below(const Place& place, const std::string& relative,
                      std::span<const std::string_view> paths, std::span<const ChildRule> children) {
  const auto at = [&](std::string_view name) {
    return relative.empty() ? std::string(name) : relative + "/" + std::string(name);
  };
  for (const auto& attribute : place.element.attributes)
    if (!attribute.uri.empty() || !std::ranges::count(paths, at("@" + attribute.name)))
      return fail_at(place.element, Error::Code::XmlInvalid, "unknown attribute '{}' in '{}'", attribute.name,
                     place.path);
  if (!is_blank(place.element.text()) &&
      !std::ranges::count(paths, relative.empty() ? "." : std::string_view(relative)))
    return fail_at(place.element, Error::Code::XmlInvalid, "unexpected text in '{}'", place.path);
  for (std::size_t i = 0; i < place.element.children.size(); ++i) {
    const auto& child = place.element.children[i];
    const auto rule = std::ranges::find(children, child.name, &ChildRule::name);
    const bool in_table = covers(paths, at(child.name));
    if (!child.uri.empty() || (rule == children.end() && !in_table))
      return tl::unexpected<Error>(unknown_element(place, child));
    const bool repeated = rule != children.end() && rule->repeated;
    const auto before = std::span(place.element.children).first(i);
    if (!repeated && std::ranges::count(before, child.name, &xml::Element::name) != 0)
      return fail_at(child, Error::Code::XmlInvalid, "element '{}' appears more than once in '{}'",
                     child.name, place.path);
    if (in_table) TRY(refuse_below(place.child(child), at(child.name), paths, {}));
  }
  return {};
}

// The next step of a path: "target/@port" -> "target", leaving "@port".
std::string_view take_step(std::string_view& path) {
  const auto slash = path.find('/');
  const auto step = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  return step;
}

}  // namespace

Result<> refuse_unknown(const Place& place, std::span<const std::string_view> paths,
                        std::span<const ChildRule> children) {
  return refuse_below(place, {}, paths, children);
}

std::optional<std::string> value_at(const xml::Element& element, std::string_view path,
                                    std::string_view implied) {
  const xml::Element* at = &element;
  while (!path.empty()) {
    const auto step = take_step(path);
    if (step == ".") return at->text();
    if (step.starts_with('@')) {
      if (const auto* attribute = at->attribute(step.substr(1))) return attribute->value;
      return implied.empty() ? std::nullopt : std::optional<std::string>(implied);
    }
    at = at->child(step);
    if (at == nullptr) return std::nullopt;
  }
  return at->text();
}

namespace {

// "attribute 'port' of '/domain/devices/serial/target'", and the line of the innermost element that is there.
std::string describe(const Place& place, std::string_view path, int& line) {
  const xml::Element* at = &place.element;
  std::string where = place.path;
  line = at->line;
  while (!path.empty()) {
    const auto step = take_step(path);
    if (step == ".") break;
    if (step.starts_with('@')) return fmt::format("attribute '{}' of '{}'", step.substr(1), where);
    where += "/" + std::string(step);
    at = at == nullptr ? nullptr : at->child(step);
    if (at != nullptr) line = at->line;
  }
  return fmt::format("element '{}'", where);
}

// Long values are cut: a message stays readable whatever the document holds.
std::string shortened(std::string_view value) {
  constexpr std::size_t kShown = 100;
  std::string shown(value.substr(0, kShown));
  // Not in the middle of a UTF-8 sequence.
  if (value.size() > kShown)
    while (!shown.empty() && (static_cast<unsigned char>(value[shown.size()]) & 0xC0) == 0x80)
      shown.pop_back();
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return value.size() > kShown ? shown + "..." : shown;
}

}  // namespace

Error invalid_value(const Place& place, std::string_view path, std::string_view value, const Error& cause) {
  int line = 0;
  const auto where = describe(place, path, line);
  return Error(cause.code(), fmt::format("line {}: invalid value '{}' of {}: {}", line, shortened(value),
                                         where, cause.message()));
}

Error missing_value(const Place& place, std::string_view path) {
  int line = 0;
  const auto where = describe(place, path, line);
  return Error(Error::Code::XmlInvalid, fmt::format("line {}: missing {}", line, where));
}

void put_value(xml::Element& element, std::string_view path, std::string value) {
  xml::Element* at = &element;
  while (!path.empty()) {
    const auto step = take_step(path);
    if (step == ".") break;
    if (step.starts_with('@')) return at->add_attribute(step.substr(1), std::move(value));
    const auto found = std::ranges::find(at->children, step, &xml::Element::name);
    at = found == at->children.end() ? &at->add_child(step) : &*found;
  }
  if (!value.empty()) at->set_text(std::move(value));
}

}  // namespace virttdx::domain_xml
