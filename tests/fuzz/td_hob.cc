// SPDX-License-Identifier: GPL-2.0-or-later
// A HOB list of any bytes is refused or holds the reader's promises.
#include <cstddef>
#include <cstdint>
#include <span>

#include "vmm_backend/td_hob_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto list = std::as_bytes(std::span(data, size));
  const auto hob = virttdx::parse_td_hob(list);
  CHECK(virttdx::td_hob_digest(list).has_value() == hob.has_value());
  if (!hob) return 0;
  // Hand-off and end of list stand around the others.
  CHECK(hob->size <= size && hob->size >= 64 + 48 * hob->resources.size() + 8 * hob->other_blocks.size());
  for (const auto& resource : hob->resources) {
    CHECK(!virttdx::name_of(resource.type).empty());
    CHECK(resource.type != virttdx::TdHobResourceType::UnacceptedMemory || resource.range.is_page_aligned());
  }
  return 0;
}
