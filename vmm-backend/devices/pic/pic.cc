// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pic/pic.h"

#include "devices/pic/pic_spec.h"

namespace virttdx {

using namespace pic_spec;

std::uint8_t Pic::read_byte(std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  return offset == 1 ? mask_ : 0;  // offset 0 is IRR or ISR: nothing requested, nothing in service
}

void Pic::write_byte(std::uint64_t offset, std::uint8_t value) {
  const std::lock_guard lock(mutex_);
  if (offset == 0) {
    if ((value & kIcw1) == 0) return;  // OCW2, OCW3: nothing is in service
    mask_ = 0;
    initialization_words_ =
        1 + ((value & kIcw1Single) == 0 ? 1 : 0) + ((value & kIcw1NeedsIcw4) != 0 ? 1 : 0);
  } else if (initialization_words_ > 0) {
    --initialization_words_;
  } else {
    mask_ = value;
  }
}

std::uint8_t EdgeLevelControl::read_byte(std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  return registers_[offset & 1];
}

void EdgeLevelControl::write_byte(std::uint64_t offset, std::uint8_t value) {
  const std::lock_guard lock(mutex_);
  registers_[offset & 1] = value & ((offset & 1) == 0 ? kElcr1Writable : kElcr2Writable);
}

}  // namespace virttdx
