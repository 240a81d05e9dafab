// SPDX-License-Identifier: GPL-2.0-or-later
// The table form of an element: a row a property, with the path of its value and how that value is spelled.
// Reading, writing and the refusal of everything else all follow from the table.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/result.h"
#include "xml/element.h"

namespace virttdx::domain_xml {

/// Where and when: for messages and for what is left out.
struct WriteContext {
  bool inactive = false;
};

/// What a row is besides its path and value.
struct RowOptions {
  bool required = false;
  bool live = false;              ///< only in the XML of a running domain
  std::string_view implied = {};  ///< value of an absent attribute whose element is there
};

/// One property of `Owner`. Paths: "@type" (attribute), "policy" (text of a child), "target/@port",
/// "target/model/@name", "." (own text).
template <typename Owner>
struct Row {
  std::string_view path;
  Result<> (*read)(Owner&, std::string_view);
  std::optional<std::string> (*write)(const Owner&);
  RowOptions options = {};
};

/// Children of an element that have files of their own, and whether they may come more than once.
struct ChildRule {
  std::string_view name;
  bool repeated = false;
};

/// An element while it is read: its place in the document for messages.
struct Place {
  const xml::Element& element;
  std::string path;  ///< "/domain/devices/serial"
  Place child(const xml::Element& child_element) const {
    return {child_element, path + "/" + child_element.name};
  }
};

/// "line 12: ..." with a code.
template <typename... Args>
tl::unexpected<Error> fail_at(const xml::Element& element, Error::Code code,
                              fmt::format_string<Args...> format, Args&&... args) {
  return fail(code, "line {}: {}", element.line, fmt::format(format, std::forward<Args>(args)...));
}

/// Refuses attributes, children and text that neither `paths` nor `children` name, foreign namespaces, and
/// repetitions.
Result<> refuse_unknown(const Place& place, std::span<const std::string_view> paths,
                        std::span<const ChildRule> children);

/// The text at a row's path; nothing when its element or attribute is absent.
std::optional<std::string> value_at(const xml::Element& element, std::string_view path,
                                    std::string_view implied);
Error invalid_value(const Place& place, std::string_view path, std::string_view value, const Error& cause);
Error missing_value(const Place& place, std::string_view path);
/// Writes a value at a path, making the elements on the way.
void put_value(xml::Element& element, std::string_view path, std::string value);

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

/// The member that a chain of member pointers leads to.
template <auto kFirst, auto... kRest, typename Owner>
constexpr auto& member_at(Owner& owner) {
  if constexpr (sizeof...(kRest) == 0)
    return owner.*kFirst;
  else
    return member_at<kRest...>(owner.*kFirst);
}

/// The row of a member. std::optional members are absent when empty; a bool with the codec Presence is the
/// element's presence; others are always written.
template <typename Owner, typename Codec, auto... kPath>
constexpr Row<Owner> row_of(std::string_view path, RowOptions options) {
  using Value = std::remove_cvref_t<decltype(member_at<kPath...>(std::declval<Owner&>()))>;
  return {path,
          [](Owner& owner, std::string_view text) -> Result<> {
            member_at<kPath...>(owner) = TRY(Codec::decode(text));
            return {};
          },
          [](const Owner& owner) -> std::optional<std::string> {
            const auto& value = member_at<kPath...>(owner);
            if constexpr (IsOptional<Value>::value) {
              if (!value) return std::nullopt;
              return Codec::encode(*value);
            } else if constexpr (std::is_same_v<Value, bool>) {
              return value ? std::optional(Codec::encode(true)) : std::nullopt;
            } else {
              return Codec::encode(value);
            }
          },
          options};
}

template <typename Owner, typename Value>
Owner owner_of(Value Owner::*);

/// `Owner` is named when the member comes from a base of it.
template <auto kMember, typename Codec, typename Owner = decltype(owner_of(kMember))>
constexpr Row<Owner> property(std::string_view path, RowOptions options = {}) {
  return row_of<Owner, Codec, kMember>(path, options);
}

/// Of a member of a member: `deep_property<Disk, OnOff, &Disk::driver, &DiskDriver::event_idx>(...)`.
template <typename Owner, typename Codec, auto... kPath>
constexpr Row<Owner> deep_property(std::string_view path, RowOptions options = {}) {
  return row_of<Owner, Codec, kPath...>(path, options);
}

/// Tables of one element whose rows are written apart are read together.
template <typename Owner, std::size_t kFirst, std::size_t kSecond>
constexpr std::array<Row<Owner>, kFirst + kSecond> join_tables(
    const std::array<Row<Owner>, kFirst>& first, const std::array<Row<Owner>, kSecond>& second) {
  std::array<Row<Owner>, kFirst + kSecond> joined{};
  std::copy(first.begin(), first.end(), joined.begin());
  std::copy(second.begin(), second.end(), joined.begin() + kFirst);
  return joined;
}

template <typename First, typename... Rest>
constexpr auto join_tables(const First& first, const Rest&... rest) requires(sizeof...(Rest) > 1) {
  return join_tables(first, join_tables(rest...));
}

/// Reads every row of `table` into `owner`, after refusing what neither the table nor `children` name.
template <typename Owner, std::size_t kSize>
Result<> read_properties(const Place& place, const std::array<Row<Owner>, kSize>& table, Owner& owner,
                         std::span<const ChildRule> children = {}) {
  std::vector<std::string_view> paths;
  paths.reserve(kSize);
  for (const auto& row : table) paths.push_back(row.path);
  TRY(refuse_unknown(place, paths, children));
  for (const auto& row : table) {
    const auto value = value_at(place.element, row.path, row.options.implied);
    if (!value) {
      if (row.options.required) return tl::unexpected<Error>(missing_value(place, row.path));
      continue;
    }
    if (auto read = row.read(owner, *value); !read)
      return tl::unexpected<Error>(invalid_value(place, row.path, *value, read.error()));
  }
  return {};
}

/// Writes rows in the table's order.
template <typename Owner, std::size_t kSize>
void write_properties(xml::Element& element, const std::array<Row<Owner>, kSize>& table, const Owner& owner,
                      const WriteContext& context) {
  for (const auto& row : table) {
    if (row.options.live && context.inactive) continue;
    if (auto value = row.write(owner)) put_value(element, row.path, *std::move(value));
  }
}

}  // namespace virttdx::domain_xml
