// SPDX-License-Identifier: GPL-2.0-or-later
// Plain data to and from JSON by one list of members a type, so that reading and writing cannot drift apart.
//
// A type's list is a function found by argument-dependent lookup:
//   template <typename Visitor> void describe(Visitor& visit, Point& point) {
//     visit.required("x", point.x);
//     visit.optional("mask", hex(point.mask));
//   }
// and an enumeration's a specialisation of EnumNames.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/result.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// Parses one JSON document from outside. Refused: more than `maximum_size` bytes, nesting deeper than 32, a
/// member named twice, everything that is not RFC 8259. Error: InvalidData, with line and column.
Result<nlohmann::json> parse_json(std::string_view text, std::size_t maximum_size);

/// On one line. Bytes that are not UTF-8 become U+FFFD.
std::string to_text(const nlohmann::json& value);

/// kNames: an array of pairs, enumerator and its name in JSON.
template <typename Enum>
struct EnumNames;
template <typename Enum, std::size_t N>
using EnumNameTable = std::array<std::pair<Enum, std::string_view>, N>;

/// A number that is written as "0x..." (masks, CPUID registers). Reading takes both forms everywhere.
template <typename Number>
struct HexNumber {
  Number& value;
};
template <std::unsigned_integral Number>
HexNumber<Number> hex(Number& value) {
  return {value};
}

namespace json_detail {
tl::unexpected<Error> mismatch(const std::string& path, std::string_view expected,
                               const nlohmann::json& found);
tl::unexpected<Error> unknown_name(const std::string& path, std::string_view found, const std::string& known);
/// A non-negative number, or a string of "0x" and 1 to 16 hexadecimal digits; at most `maximum`.
Result<std::uint64_t> read_unsigned(const nlohmann::json& json, const std::string& path,
                                    std::uint64_t maximum);
Result<std::int64_t> read_signed(const nlohmann::json& json, const std::string& path, std::int64_t minimum,
                                 std::int64_t maximum);
Result<Measurement> read_measurement(const nlohmann::json& json, const std::string& path);
std::string hex_text(std::uint64_t value);
std::string hex_text(const Measurement& digest);

template <typename T>
inline constexpr bool kIsVector = false;
template <typename T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
}  // namespace json_detail

template <typename T>
Result<> read_value(const nlohmann::json& json, const std::string& path, T& value);
template <typename T>
nlohmann::json write_value(T& value);

/// Reads the members of one object. The first error sticks: what follows it does nothing, finish() returns
/// it.
class JsonReader {
 public:
  JsonReader(const nlohmann::json& object, std::string path);

  template <typename T>
  void required(std::string_view name, T&& value) {
    if (const auto* found = find(name))
      keep(read_value(*found, path_of(name), value));
    else
      refuse_missing(name);
  }
  /// Absent: `value` stays as it is.
  template <typename T>
  void optional(std::string_view name, T&& value) {
    if (const auto* found = find(name)) keep(read_value(*found, path_of(name), value));
  }
  /// A list that is not written when it is empty.
  template <typename T>
  void list(std::string_view name, std::vector<T>& values) {
    optional(name, values);
  }
  /// The first error, or that of a member that nobody asked for.
  Result<> finish();

 private:
  const nlohmann::json* find(std::string_view name);
  std::string path_of(std::string_view name) const;
  void refuse_missing(std::string_view name);
  void keep(Result<> result);

  const nlohmann::json& object_;
  std::string path_;
  std::vector<std::string_view> known_;
  Result<> result_;
};

/// Writes every member except those that are std::nullopt.
class JsonWriter {
 public:
  template <typename T>
  void required(std::string_view name, T&& value) {
    if constexpr (json_detail::kIsOptional<std::remove_cvref_t<T>>)
      if (!value) return;
    object_[std::string(name)] = write_value(value);
  }
  template <typename T>
  void optional(std::string_view name, T&& value) {
    required(name, std::forward<T>(value));
  }
  template <typename T>
  void list(std::string_view name, std::vector<T>& values) {
    if (!values.empty()) required(name, values);
  }
  nlohmann::json take() { return std::move(object_); }

 private:
  nlohmann::json object_ = nlohmann::json::object();
};

template <std::integral T>
Result<> read_integer(const nlohmann::json& json, const std::string& path, T& value) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::unsigned_integral<T>)
    value = static_cast<T>(TRY(json_detail::read_unsigned(json, path, Limits::max())));
  else
    value = static_cast<T>(TRY(json_detail::read_signed(json, path, Limits::min(), Limits::max())));
  return {};
}

template <typename Enum>
Result<> read_enum(const nlohmann::json& json, const std::string& path, Enum& value) {
  std::string known;
  const std::string found = json.is_string() ? json.get<std::string>() : to_text(json);
  for (const auto& [enumerator, name] : EnumNames<Enum>::kNames) {
    if (json.is_string() && found == name) {
      value = enumerator;
      return {};
    }
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", name);
  }
  return json_detail::unknown_name(path, found, known);
}

template <typename T>
Result<> read_list(const nlohmann::json& json, const std::string& path, std::vector<T>& list) {
  if (!json.is_array()) return json_detail::mismatch(path, "an array", json);
  list.clear();
  list.reserve(json.size());
  for (const auto& element : json) {
    T value{};
    TRY(read_value(element, fmt::format("{}/{}", path, list.size()), value));
    list.push_back(std::move(value));
  }
  return {};
}

template <typename T>
Result<> read_value(const nlohmann::json& json, const std::string& path, HexNumber<T>& number) {
  return read_integer(json, path, number.value);
}

template <typename T>
Result<> read_value(const nlohmann::json& json, const std::string& path, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) return json_detail::mismatch(path, "true or false", json);
    value = json.get<bool>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!json.is_string()) return json_detail::mismatch(path, "a string", json);
    value = json.get<std::string>();
  } else if constexpr (std::is_same_v<T, Measurement>) {
    value = TRY(json_detail::read_measurement(json, path));
  } else if constexpr (std::is_enum_v<T>) {
    TRY(read_enum(json, path, value));
  } else if constexpr (std::is_integral_v<T>) {
    TRY(read_integer(json, path, value));
  } else if constexpr (json_detail::kIsVector<T>) {
    TRY(read_list(json, path, value));
  } else if constexpr (json_detail::kIsOptional<T>) {
    value.emplace();
    TRY(read_value(json, path, *value));
  } else {
    JsonReader reader(json, path);
    describe(reader, value);
    TRY(reader.finish());
  }
  return {};
}

template <typename T>
nlohmann::json write_value(HexNumber<T>& number) {
  return json_detail::hex_text(number.value);
}

template <typename T>
nlohmann::json write_list(std::vector<T>& list) {
  auto json = nlohmann::json::array();
  for (auto& element : list) json.push_back(write_value(element));
  return json;
}

template <typename Enum>
constexpr std::string_view enum_name(Enum value) {
  for (const auto& [enumerator, name] : EnumNames<Enum>::kNames)
    if (enumerator == value) return name;
  check_failed(__FILE__, __LINE__, "every enumerator has a name");
}

template <typename T>
nlohmann::json write_value(T& value) {
  if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T>) {
    return value;
  } else if constexpr (std::is_same_v<T, Measurement>) {
    return json_detail::hex_text(value);
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(enum_name(value));
  } else if constexpr (json_detail::kIsVector<T>) {
    return write_list(value);
  } else if constexpr (json_detail::kIsOptional<T>) {
    return write_value(*value);
  } else {
    JsonWriter writer;
    describe(writer, value);
    return writer.take();
  }
}

/// A whole document of type T. `path` stands before the members' names in errors.
template <typename T>
Result<T> from_json(const nlohmann::json& json, const std::string& path = {}) {
  T value{};
  TRY(read_value(json, path, value));
  return value;
}

template <typename T>
nlohmann::json to_json_value(T value) {
  return write_value(value);
}

}  // namespace virttdx
