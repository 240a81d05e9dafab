// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/json_fields.h"

#include <charconv>
#include <set>

namespace virttdx {
namespace {

constexpr std::size_t kMaximumDepth = 32;

// nlohmann's ordinary parser keeps the last of two members of one name and says nothing of positions; this
// pass over the events refuses what should never be taken, before the values are built.
class DocumentCheck : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (names_.back().insert(name).second) return true;
    problem_ = fmt::format("member \"{}\" stands twice in one object", name);
    return false;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    const std::string_view text = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ...": the part after the tag.
    const auto tag_end = text.find("] ");
    problem_ = text.substr(tag_end == std::string_view::npos ? 0 : tag_end + 2);
    return false;
  }
  const std::string& problem() const { return problem_; }

 private:
  bool enter() {
    names_.emplace_back();
    if (names_.size() <= kMaximumDepth) return true;
    problem_ = fmt::format("values are nested deeper than {}", kMaximumDepth);
    return false;
  }
  bool leave() {
    names_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> names_;
  std::string problem_;
};

Result<std::uint64_t> parse_hex(std::string_view text, const nlohmann::json& json, const std::string& path) {
  std::uint64_t number = 0;
  if (text.starts_with("0x")) {
    const auto* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data() + 2, end, number, 16);
    if (problem == std::errc() && stop == end) return number;
  }
  return json_detail::mismatch(path, "a number, or \"0x\" and up to 16 hexadecimal digits in a string", json);
}

int digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string shortened(std::string text) {
  constexpr std::size_t kShown = 60;
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  return text;
}

std::string_view shown(const std::string& path) { return path.empty() ? "/" : std::string_view(path); }

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, std::size_t maximum_size) {
  if (text.size() > maximum_size)
    return fail(Error::Code::InvalidData, "JSON of {} bytes; at most {} are accepted", text.size(),
                maximum_size);
  DocumentCheck check;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &check))
    return fail(Error::Code::InvalidData, "not acceptable JSON: {}", check.problem());
  return nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
}

std::string to_text(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

JsonReader::JsonReader(const nlohmann::json& object, std::string path)
    : object_(object), path_(std::move(path)) {
  if (!object_.is_object()) result_ = json_detail::mismatch(path_, "an object", object_);
}

const nlohmann::json* JsonReader::find(std::string_view name) {
  known_.push_back(name);
  if (!result_) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

std::string JsonReader::path_of(std::string_view name) const { return fmt::format("{}/{}", path_, name); }

void JsonReader::refuse_missing(std::string_view name) {
  keep(fail(Error::Code::InvalidData, "{}: member \"{}\" is missing", shown(path_), name));
}

void JsonReader::keep(Result<> result) {
  if (result_ && !result) result_ = std::move(result);
}

Result<> JsonReader::finish() {
  if (!result_) return result_;
  for (const auto& [name, value] : object_.items())
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      return fail(Error::Code::InvalidData, "{}: unknown member \"{}\"; known are: {}", shown(path_),
                  shortened(name), fmt::join(known_, ", "));
  return {};
}

namespace json_detail {

tl::unexpected<Error> mismatch(const std::string& path, std::string_view expected,
                               const nlohmann::json& found) {
  return fail(Error::Code::InvalidData, "{}: expected {}, found {}", shown(path), expected,
              shortened(to_text(found)));
}

tl::unexpected<Error> unknown_name(const std::string& path, std::string_view found,
                                   const std::string& known) {
  return fail(Error::Code::InvalidData, "{}: \"{}\" is none of {}", shown(path),
              shortened(std::string(found)), known);
}

Result<std::uint64_t> read_unsigned(const nlohmann::json& json, const std::string& path,
                                    std::uint64_t maximum) {
  std::uint64_t number = 0;
  if (json.is_number_unsigned())
    number = json.get<std::uint64_t>();
  else if (json.is_string())
    number = TRY(parse_hex(json.get_ref<const std::string&>(), json, path));
  else
    return mismatch(path, "a number of at least 0", json);
  if (number > maximum)
    return fail(Error::Code::InvalidData, "{}: {} is above the maximum {}", shown(path), to_text(json),
                maximum);
  return number;
}

Result<std::int64_t> read_signed(const nlohmann::json& json, const std::string& path, std::int64_t minimum,
                                 std::int64_t maximum) {
  if (!json.is_number_integer()) return mismatch(path, "a whole number", json);
  const bool fits =
      !json.is_number_unsigned() ||
      json.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto number = fits ? json.get<std::int64_t>() : 0;
  if (!fits || number < minimum || number > maximum)
    return fail(Error::Code::InvalidData, "{}: {} is outside {} to {}", shown(path), to_text(json), minimum,
                maximum);
  return number;
}

Result<Measurement> read_measurement(const nlohmann::json& json, const std::string& path) {
  constexpr std::string_view kExpected = "96 hexadecimal digits in a string";
  Measurement digest{};
  if (!json.is_string()) return mismatch(path, kExpected, json);
  const auto& text = json.get_ref<const std::string&>();
  if (text.size() != 2 * digest.size()) return mismatch(path, kExpected, json);
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = digit_value(text[2 * i]);
    const int low = digit_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return mismatch(path, kExpected, json);
    digest.at(i) = static_cast<std::byte>(high * 16 + low);
  }
  return digest;
}

std::string hex_text(std::uint64_t value) { return fmt::format("{:#x}", value); }

std::string hex_text(const Measurement& digest) {
  std::string text;
  for (const auto byte : digest) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

}  // namespace json_detail
}  // namespace virttdx
