// SPDX-License-Identifier: GPL-2.0-or-later
#include "expectation.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "support/file.h"

namespace virttdx::tools {
namespace {

constexpr std::size_t kMaximumSize = 1 << 20;
constexpr std::size_t kDigestDigits = 96;
constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr std::array kMeasurements = {"mrtd",     "attributes",      "xfam",         "mr_config_id",
                                      "mr_owner", "mr_owner_config", "td_info_hash", "rtmr0",
                                      "rtmr1",    "rtmr2",           "rtmr3"};

Result<nlohmann::json> read_expectation(const std::string& file) {
  auto text = TRY(read_text_file(file, kMaximumSize));
  std::string digest = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  std::ranges::transform(digest, digest.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (digest.size() == kDigestDigits && digest.find_first_not_of(kHexDigits) == std::string::npos)
    return nlohmann::json{{"mrtd", digest}};
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object())
    return fail(Error::Code::InvalidData, "'{}' is neither an MRTD in hexadecimal nor a JSON object", file);
  return json;
}

std::string text_of(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

Result<std::vector<Difference>> differences(const nlohmann::json& report, const std::string& file) {
  const auto expected = TRY(read_expectation(file));
  std::vector<Difference> found;
  std::size_t compared = 0;
  for (const auto* field : kMeasurements) {
    if (!expected.contains(field)) continue;
    ++compared;
    if (!report.contains(field))
      return fail(Error::Code::InvalidData,
                  "'{}' expects {}, which depends on the domain{}: measure a domain, not a firmware", file,
                  field, std::string_view(field).starts_with("rtmr") ? " and needs --event-log" : "");
    if (expected[field] != report[field])
      found.push_back({field, text_of(expected[field]), text_of(report[field])});
  }
  if (compared == 0)
    return fail(Error::Code::InvalidData, "'{}' names no measurement ({})", file,
                fmt::join(kMeasurements, ", "));
  return found;
}

}  // namespace virttdx::tools
