// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/acpi/acpi_table.h"

#include <algorithm>
#include <numeric>

namespace virttdx {

using namespace acpi_spec;

AcpiTable::AcpiTable(std::string_view signature, std::uint8_t revision) {
  constexpr std::size_t kRevision = 8, kOemId = 10, kOemTableId = 16, kOemRevision = 24, kCreatorId = 28,
                        kCreatorRevision = 32;
  CHECK(signature.size() == 4);
  bytes_.resize(kHeaderSize);
  const std::span header(bytes_);
  put_text(header.subspan(0, 4), signature);
  set(kRevision, revision);
  put_text(header.subspan(kOemId, 6), kAcpiOemId);
  put_text(header.subspan(kOemTableId, 8), "VIRTTDX");
  set<std::uint32_t>(kOemRevision, 1);
  put_text(header.subspan(kCreatorId, 4), "VTDX");
  set<std::uint32_t>(kCreatorRevision, 1);
}

AcpiTable& AcpiTable::add(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

std::vector<std::byte> AcpiTable::finish() && {
  set(kHeaderLength, static_cast<std::uint32_t>(bytes_.size()));
  set<std::uint8_t>(kHeaderChecksum, 0);
  set(kHeaderChecksum, acpi_checksum(bytes_));
  return std::move(bytes_);
}

std::uint8_t acpi_checksum(std::span<const std::byte> bytes) {
  const unsigned sum = std::accumulate(bytes.begin(), bytes.end(), 0U, [](unsigned total, std::byte byte) {
    return total + std::to_integer<unsigned>(byte);
  });
  return static_cast<std::uint8_t>(-sum);
}

void put_text(std::span<std::byte> field, std::string_view text) {
  CHECK(text.size() <= field.size());
  std::ranges::fill(field, std::byte{' '});
  std::ranges::transform(text, field.begin(), [](char c) { return static_cast<std::byte>(c); });
}

}  // namespace virttdx
