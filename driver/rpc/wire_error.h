// SPDX-License-Identifier: GPL-2.0-or-later
// An error as libvirt's clients see it (virNetMessageError), and the one table from our codes to libvirt's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "support/result.h"

namespace virttdx::driver {

/// Codes and domains are virErrorNumber and virErrorDomain of libvirt's virterror.h.
struct WireError {
  int code = 0;
  int domain = 0;
  std::string message;
  std::optional<std::string> format;  ///< str1: the message's format
  std::optional<std::string> detail;  ///< str2
  int int1 = -1;
  int int2 = -1;

  WireError() = default;
  /// Implicit, so that TRY hands an Error on to a client: code and prefix by the table in wire_error.cc.
  WireError(const Error& error);  // NOLINT(google-explicit-constructor)
};

/// An error with one of libvirt's codes, after libvirt's own words for that code.
WireError wire_error(int code, std::string detail);
/// An error of the RPC layer itself (VIR_ERR_RPC, VIR_FROM_RPC); the message is sent as it is.
WireError rpc_error(std::string message);
/// VIR_ERR_INVALID_ARG in the form that libvirt gives to flags it does not know.
WireError unsupported_flags(unsigned flags, std::string_view function);
/// VIR_ERR_OPERATION_DENIED: "read only access prevents FUNCTION".
WireError read_only_error(std::string_view function);

/// The payload of a reply with status ERROR.
std::string encode_error(const WireError& error);

template <typename T = void>
using WireResult = tl::expected<T, WireError>;

}  // namespace virttdx::driver
