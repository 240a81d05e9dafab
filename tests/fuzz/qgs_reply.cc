// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of the quote generation protocol of any bytes: a quote or report that fits the message, or an
// error.
#include <cstddef>
#include <cstdint>
#include <span>

#include "vmm_backend/qgs_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto quote = virttdx::qgs::quote_of_response(bytes);
  CHECK(!quote || quote->size() < size);
  const auto report = virttdx::qgs::report_of_request(bytes);
  CHECK(!report || report->size() < size);
  return 0;
}
