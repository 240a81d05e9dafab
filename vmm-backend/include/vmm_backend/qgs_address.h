// SPDX-License-Identifier: GPL-2.0-or-later
// Where a quote generation service listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "support/result.h"

namespace virttdx::qgs {

/// The path of a Unix stream socket, at most 107 bytes (sockaddr_un).
struct UnixAddress {
  std::string path;
  bool operator==(const UnixAddress&) const = default;
};

/// A vsock stream: context id (2 is the host that this machine is a guest of) and port; vsock(7).
struct VsockAddress {
  std::uint32_t cid = 0;
  std::uint32_t port = 0;
  bool operator==(const VsockAddress&) const = default;
};

using Address = std::variant<UnixAddress, VsockAddress>;

/// "/path", "unix:/path" or "vsock:CID:PORT", as qgsd's configuration and DCAP's clients know them. Error
/// InvalidArgument names the text and what is wrong with it.
Result<Address> parse_address(std::string_view text);
/// The form that parse_address() reads.
std::string to_text(const Address& address);

}  // namespace virttdx::qgs
