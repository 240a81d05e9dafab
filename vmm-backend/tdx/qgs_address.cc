// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/qgs_address.h"

#include <charconv>
#include <optional>

namespace virttdx::qgs {
namespace {

constexpr std::size_t kPathMaximum = 107;
constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kVsock = "vsock:";

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

Result<Address> parse_vsock(std::string_view text) {
  const auto rest = text.substr(kVsock.size());
  const auto colon = rest.find(':');
  const auto cid = number(rest.substr(0, colon));
  const auto port = colon == std::string_view::npos ? std::nullopt : number(rest.substr(colon + 1));
  if (!cid || !port)
    return fail(Error::Code::InvalidArgument, "quote service address '{}' is not vsock:CID:PORT", text);
  return VsockAddress{*cid, *port};
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  if (text.starts_with(kVsock)) return parse_vsock(text);
  const auto path = text.starts_with(kUnix) ? text.substr(kUnix.size()) : text;
  if (!path.starts_with('/'))
    return fail(Error::Code::InvalidArgument,
                "quote service address '{}' is none of /PATH, unix:/PATH, vsock:CID:PORT", text);
  if (path.size() > kPathMaximum)
    return fail(Error::Code::InvalidArgument,
                "quote service socket '{}' has {} bytes; a Unix socket's path has at most {}", path,
                path.size(), kPathMaximum);
  return UnixAddress{std::string(path)};
}

std::string to_text(const Address& address) {
  if (const auto* vsock = std::get_if<VsockAddress>(&address))
    return fmt::format("vsock:{}:{}", vsock->cid, vsock->port);
  return std::get<UnixAddress>(address).path;
}

}  // namespace virttdx::qgs
