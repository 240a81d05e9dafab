// SPDX-License-Identifier: GPL-2.0-or-later
// Client of a quote generation service.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "support/result.h"
#include "tdx/qgs_stream.h"

namespace virttdx::qgs {

/// One thread at a time; one of each for requests at the same time.
class Client {
 public:
  explicit Client(Address address) : address_(std::move(address)) {}

  /// Sends a TDREPORT and gives its quote, of at most `maximum_size` bytes. The connection of the request
  /// before is used again; a service that has closed it meanwhile is connected to anew. Errors: InvalidData
  /// (the service answered, but with no usable quote), TimedOut, Interrupted, NotFound, System; the
  /// connection is closed then.
  Result<std::vector<std::byte>> request_quote(std::span<const std::byte> report, std::size_t maximum_size,
                                               const Patience& patience);
  /// Closes the connection.
  void disconnect() { stream_.reset(); }

 private:
  Result<std::vector<std::byte>> ask(std::span<const std::byte> request, std::size_t maximum_size,
                                     const Patience& patience);
  Result<std::vector<std::byte>> exchange(std::span<const std::byte> request, std::size_t maximum_size,
                                          const Patience& patience);

  const Address address_;
  std::optional<Stream> stream_;
};

}  // namespace virttdx::qgs
