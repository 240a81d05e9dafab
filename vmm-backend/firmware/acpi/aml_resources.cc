// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/acpi/aml_resources.h"

#include "firmware/acpi/aml_spec.h"
#include "support/result.h"

namespace virttdx::aml {

using namespace aml_spec;

namespace {

class Descriptor {
 public:
  template <typename T>
  Descriptor& add(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes_.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i)));
    return *this;
  }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

struct AddressSpace {
  std::uint8_t tag;
  std::uint8_t kind;
  std::uint8_t flags;
};

// 6.4.3.5.1 to 3: granularity, minimum, maximum, translation, length.
template <typename T>
Bytes address_space(const AddressSpace& space, T first, T last) {
  CHECK(first <= last);
  return Descriptor()
      .add(space.tag)
      .add(static_cast<std::uint16_t>(3 + 5 * sizeof(T)))
      .add(space.kind)
      .add(kMinimumAndMaximumFixed)
      .add(space.flags)
      .add(T{0})
      .add(first)
      .add(last)
      .add(T{0})
      .add(static_cast<T>(last - first + 1))
      .take();
}

}  // namespace

Bytes resource_template(std::initializer_list<Bytes> descriptors) {
  // 6.4.2.9: a checksum of 0 means none.
  return buffer(join({join(descriptors), Descriptor().add(kEndTag).add(std::uint8_t{0}).take()}));
}

Bytes io_ports(std::uint16_t base, std::uint8_t count) {
  constexpr std::uint8_t kAlignment = 1;
  return Descriptor().add(kIoPortTag).add(kDecode16).add(base).add(base).add(kAlignment).add(count).take();
}

Bytes isa_interrupt(unsigned number) {
  CHECK(number < 16);
  return Descriptor().add(kIrqTag).add(static_cast<std::uint16_t>(1U << number)).take();
}

Bytes memory_32_fixed(const GpaRange& range) {
  CHECK(range.end().value <= 1ULL << 32);
  constexpr std::uint16_t kLength = 9;
  return Descriptor()
      .add(kMemory32FixedTag)
      .add(kLength)
      .add(kReadWrite)
      .add(static_cast<std::uint32_t>(range.base().value))
      .add(static_cast<std::uint32_t>(range.size()))
      .take();
}

Bytes bus_numbers(std::uint16_t first, std::uint16_t last) {
  return address_space<std::uint16_t>({kWordAddressTag, kBusNumberRange, 0}, first, last);
}

Bytes io_window(std::uint16_t first, std::uint16_t last) {
  return address_space<std::uint16_t>({kWordAddressTag, kIoRange, kEntireIoRange}, first, last);
}

Bytes memory_window_32(const GpaRange& range) {
  CHECK(range.size() != 0 && range.end().value <= 1ULL << 32);
  return address_space<std::uint32_t>({kDwordAddressTag, kMemoryRange, kReadWrite},
                                      static_cast<std::uint32_t>(range.base().value),
                                      static_cast<std::uint32_t>(range.end().value - 1));
}

Bytes memory_window_64(const GpaRange& range) {
  CHECK(range.size() != 0);
  return address_space<std::uint64_t>({kQwordAddressTag, kMemoryRange, kReadWrite}, range.base().value,
                                      range.end().value - 1);
}

}  // namespace virttdx::aml
