// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/host_uuid.h"

#include <algorithm>
#include <cctype>

#include "support/file.h"

namespace virttdx::driver {
namespace {

constexpr std::size_t kDigits = 32;
constexpr auto kMachineId = "/etc/machine-id";

bool has_equal_bytes(std::string_view digits) {
  for (std::size_t at = 2; at < digits.size(); at += 2)
    if (digits.substr(at, 2) != digits.substr(0, 2)) return false;
  return true;
}

}  // namespace

Result<std::string> parse_host_uuid(std::string_view text) {
  std::string uuid;
  for (const char c : text)
    if (c != '-') uuid += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool is_hex = std::all_of(uuid.begin(), uuid.end(), [](unsigned char c) { return std::isxdigit(c); });
  if (uuid.size() != kDigits || !is_hex) return fail(Error::Code::InvalidData, "'{}' is no uuid", text);
  if (has_equal_bytes(uuid))
    return fail(Error::Code::InvalidData, "'{}' tells no host from another; uuidgen makes one that does",
                text);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) uuid.insert(dash, 1, '-');
  return uuid;
}

Result<std::optional<std::string>> configured_host_uuid(const DaemonConfig& config) {
  if (config.host_uuid || config.host_uuid_source == HostUuidSource::Smbios) return config.host_uuid;
  const std::string text = TRY(read_text_file(kMachineId, kDigits * 2));
  auto uuid = parse_host_uuid(std::string_view(text).substr(0, text.find('\n')));
  if (!uuid)
    return tl::unexpected(Error(uuid.error()).with_context(fmt::format("host_uuid_source: {}", kMachineId)));
  return *std::move(uuid);
}

}  // namespace virttdx::driver
