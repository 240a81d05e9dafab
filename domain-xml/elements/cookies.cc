// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/cookies.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "elements/shape.h"

namespace virttdx::domain_xml {
namespace {

// RFC 6265, 4.1.1: a token, and what a cookie's value may not have.
constexpr std::string_view kNotInNames = " \"(),/:;<=>?@[\\]{}";
constexpr std::string_view kNotInValues = " \",;\\";

bool has_any(std::string_view text, std::string_view characters) {
  return std::ranges::any_of(text, [&](char c) {
    return static_cast<unsigned char>(c) < 0x20 || characters.find(c) != std::string_view::npos;
  });
}

Result<> check(const std::string& name, std::string_view value) {
  if (has_any(name, kNotInNames))
    return fail(Error::Code::InvalidArgument, "cookie name '{}' contains invalid characters", name);
  if (has_any(value, kNotInValues))
    return fail(Error::Code::InvalidArgument, "value of cookie '{}' contains invalid characters", name);
  return {};
}

Result<std::string> header_of(const xml::Element& cookies) {
  std::string header;
  std::set<std::string> names;
  for (const auto& cookie : cookies.children) {
    const auto name = cookie.attribute_text("name"), value = cookie.text();
    TRY(check(name, value));
    if (!names.insert(name).second) return fail(Error::Code::InvalidArgument, "duplicate cookie '{}'", name);
    header += fmt::format("{}{}={}", header.empty() ? "" : "; ", name, value);
  }
  return header;
}

}  // namespace

Result<std::optional<std::string>> cookie_header(const DiskSource& source) {
  const auto found = std::ranges::find(source.others, "cookies", &OtherElement::element);
  if (found == source.others.end()) return std::optional<std::string>();
  auto header = TRY(header_of(parsed(*found)));
  return header.empty() ? std::optional<std::string>() : std::optional(std::move(header));
}

}  // namespace virttdx::domain_xml
