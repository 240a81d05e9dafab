// SPDX-License-Identifier: GPL-2.0-or-later
// Client of Intel's quote generation service (QGS): message format of tdx-quote-generation-service's
// qgs_msg_lib.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "support/result.h"

namespace virttdx {

/// Sends a TDREPORT to the service on a Unix socket and gives its quote, of at most `maximum_size` bytes. One
/// connection a request. Ends with TimedOut after 30 seconds, with Interrupted once `stop_fd` is readable.
Result<std::vector<std::byte>> request_quote(const std::string& socket_path,
                                             std::span<const std::byte> report, std::size_t maximum_size,
                                             int stop_fd);

/// The quote in a GET_QUOTE_RESP message, which is `body` without the length before it: hostile bytes.
Result<std::vector<std::byte>> quote_of_response(std::vector<std::byte> body);

}  // namespace virttdx
