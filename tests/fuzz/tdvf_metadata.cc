// SPDX-License-Identifier: GPL-2.0-or-later
// A firmware image of any bytes is refused or holds the parser's promises.
#include <cstddef>
#include <cstdint>
#include <span>

#include "vmm_backend/tdvf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto tdvf = virttdx::parse_tdvf({bytes.begin(), bytes.end()});
  CHECK(virttdx::diagnose_tdvf(bytes) <= virttdx::TdvfDiagnosis::MetadataDisagrees);
  if (!tdvf) return 0;
  for (const auto& section : tdvf->sections) {
    CHECK(section.memory.is_page_aligned() && section.raw_size <= section.memory.size());
    CHECK(std::uint64_t{section.data_offset} + section.raw_size <= tdvf->image.size());
  }
  CHECK(virttdx::td_page_list(*tdvf, {}).size() == tdvf->sections.size());
  return 0;
}
