// SPDX-License-Identifier: GPL-2.0-or-later
// An event log of any bytes is refused or names registers that a TD has, in printable words.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "vmm_backend/cc_event_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto events = virttdx::parse_cc_event_log(std::as_bytes(std::span(data, size)));
  if (!events) return 0;
  for (const auto& event : *events) {
    CHECK(event.rtmr < 4);
    CHECK(std::all_of(event.covers.begin(), event.covers.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  }
  CHECK(virttdx::replay_cc_events(*events).has_value());
  return 0;
}
