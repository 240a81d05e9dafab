// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/acpi/table_loader.h"

#include <algorithm>

#include "devices/fw_cfg/fw_cfg_spec.h"
#include "support/byte_order.h"

namespace virttdx {

namespace {

constexpr std::size_t kCommandSize = 128;
constexpr std::uint32_t kAllocate = 1, kAddPointer = 2, kAddChecksum = 3;
constexpr std::size_t kFirstName = 4;
constexpr std::size_t kAfterFirstName = kFirstName + fw_cfg_spec::kFileNameSize;
constexpr std::size_t kAfterSecondName = kAfterFirstName + fw_cfg_spec::kFileNameSize;
constexpr std::uint8_t kPointerSize = 8;

}  // namespace

std::size_t TableLoader::append(std::uint32_t command) {
  const std::size_t at = bytes_.size();
  bytes_.resize(at + kCommandSize);
  put(at, command);
  return at;
}

void TableLoader::put_name(std::size_t offset, std::string_view name) {
  CHECK(name.size() < fw_cfg_spec::kFileNameSize);
  std::ranges::transform(name, bytes_.begin() + static_cast<std::ptrdiff_t>(offset),
                         [](char c) { return static_cast<std::byte>(c); });
}

template <typename T>
void TableLoader::put(std::size_t offset, T value) {
  store_le<T>(std::span(bytes_), offset, value);
}

void TableLoader::allocate(std::string_view file, std::uint32_t alignment, Zone zone) {
  const std::size_t at = append(kAllocate);
  put_name(at + kFirstName, file);
  put(at + kAfterFirstName, alignment);
  put(at + kAfterFirstName + 4, static_cast<std::uint8_t>(zone));
}

void TableLoader::add_pointer(std::string_view file, std::size_t offset, std::string_view target) {
  const std::size_t at = append(kAddPointer);
  put_name(at + kFirstName, file);
  put_name(at + kAfterFirstName, target);
  put(at + kAfterSecondName, static_cast<std::uint32_t>(offset));
  put(at + kAfterSecondName + 4, kPointerSize);
}

void TableLoader::add_checksum(std::string_view file, std::size_t offset, Extent summed) {
  const std::size_t at = append(kAddChecksum);
  put_name(at + kFirstName, file);
  put(at + kAfterFirstName, static_cast<std::uint32_t>(offset));
  put(at + kAfterFirstName + 4, static_cast<std::uint32_t>(summed.start));
  put(at + kAfterFirstName + 8, static_cast<std::uint32_t>(summed.size));
}

}  // namespace virttdx
