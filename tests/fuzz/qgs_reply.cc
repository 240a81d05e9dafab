// SPDX-License-Identifier: GPL-2.0-or-later
// A reply of the quote generation service of any bytes: a quote that fits the message, or an error.
#include <cstddef>
#include <cstdint>
#include <span>

#include "tdx/qgs_client.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto quote = virttdx::quote_of_response({bytes.begin(), bytes.end()});
  CHECK(!quote || quote->size() < size);
  return 0;
}
