// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/rtc/rtc.h"

#include <algorithm>
#include <chrono>

namespace virttdx {

using namespace rtc_spec;

namespace {

constexpr std::int64_t kSecondsADay = 86400;
constexpr std::int64_t kLastSecond = 253402300799;  // 9999-12-31 23:59:59

bool is_time_register(std::uint8_t index) {
  return index == kSeconds || index == kMinutes || index == kHours ||
         (index >= kDayOfWeek && index <= kYear) || index == kCentury;
}

void store_number(std::array<std::uint8_t, kSize>& cmos, std::size_t index, std::size_t width,
                  std::uint64_t value) {
  const std::uint64_t largest = (1ULL << (8 * width)) - 1;
  value = std::min(value, largest);
  for (std::size_t i = 0; i < width; ++i) cmos[index + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace

Rtc::Rtc(const Clock& clock, const CmosMemory& memory, RtcAdjustment& adjustment)
    : clock_(clock), adjustment_(adjustment) {
  cmos_[kRegisterA] = kRegisterAAtReset;
  cmos_[kRegisterB] = k24Hours;
  cmos_[kRegisterD] = kValidRamAndTime;
  const auto above = [&](std::uint64_t base) { return memory.below_4g > base ? memory.below_4g - base : 0; };
  store_number(cmos_, kBaseMemory, 2, 640);
  store_number(cmos_, kExtendedMemory, 2, above(1U << 20) >> 10);
  store_number(cmos_, kExtendedMemory2, 2, above(1U << 20) >> 10);
  store_number(cmos_, kMemoryAbove16M, 2, above(16U << 20) >> 16);
  store_number(cmos_, kMemoryAbove4G, 3, memory.above_4g >> 16);
}

std::uint8_t Rtc::read_byte(std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  if (offset == 0) return 0xFF;  // the index register is write-only
  if (is_time_register(index_) && !is_set_mode()) load_time();
  return cmos_[index_];
}

void Rtc::write_byte(std::uint64_t offset, std::uint8_t value) {
  const std::lock_guard lock(mutex_);
  if (offset == 0)
    index_ = value & kIndexMask;
  else if (is_time_register(index_))
    write_time(index_, value);
  else if (index_ == kRegisterA)
    cmos_[kRegisterA] = static_cast<std::uint8_t>(value & ~kUpdateInProgress);
  else if (index_ == kRegisterB)
    write_register_b(value);
  else if (index_ != kRegisterC && index_ != kRegisterD)
    cmos_[index_] = value;
}

void Rtc::write_register_b(std::uint8_t value) {
  const bool was_set_mode = is_set_mode();
  if (!was_set_mode) load_time();
  cmos_[kRegisterB] = value;
  // The guest has written the registers in the format that register B now names (MC146818A, "Set").
  if (was_set_mode && !is_set_mode()) store_time();
}

void Rtc::write_time(std::uint8_t index, std::uint8_t value) {
  if (!is_set_mode()) load_time();
  cmos_[index] = value;
  if (!is_set_mode()) store_time();
}

std::int64_t Rtc::now() const {
  std::int64_t seconds;
  if (__builtin_add_overflow(clock_.wall_seconds(), adjustment_.seconds(), &seconds)) seconds = 0;
  return std::clamp<std::int64_t>(seconds, 0, kLastSecond);
}

void Rtc::load_time() {
  const std::int64_t seconds = now();
  const std::chrono::sys_days date{std::chrono::days(seconds / kSecondsADay)};
  const std::chrono::year_month_day day(date);
  const auto second_of_day = static_cast<int>(seconds % kSecondsADay);
  cmos_[kSeconds] = encode(second_of_day % 60);
  cmos_[kMinutes] = encode(second_of_day / 60 % 60);
  cmos_[kHours] = encode_hour(second_of_day / 3600);
  cmos_[kDayOfWeek] = encode(static_cast<int>(std::chrono::weekday(date).c_encoding()) + 1);
  cmos_[kDayOfMonth] = encode(static_cast<int>(static_cast<unsigned>(day.day())));
  cmos_[kMonth] = encode(static_cast<int>(static_cast<unsigned>(day.month())));
  cmos_[kYear] = encode(static_cast<int>(day.year()) % 100);
  cmos_[kCentury] = encode(static_cast<int>(day.year()) / 100);
}

void Rtc::store_time() {
  // Any byte is possible: the month is forced to one that exists, the rest is counted on from its first day.
  const int month = std::clamp(decode(cmos_[kMonth]), 1, 12);
  const int year = std::clamp(decode(cmos_[kCentury]) * 100 + decode(cmos_[kYear]), 1970, 9999);
  const std::chrono::sys_days first =
      std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) / std::chrono::day(1);
  const std::int64_t days = first.time_since_epoch().count() + decode(cmos_[kDayOfMonth]) - 1;
  const std::int64_t seconds = days * kSecondsADay + decode_hour(cmos_[kHours]) * 3600 +
                               decode(cmos_[kMinutes]) * 60 + decode(cmos_[kSeconds]);
  std::int64_t adjustment;
  if (__builtin_sub_overflow(seconds, clock_.wall_seconds(), &adjustment)) adjustment = 0;
  adjustment_.set(adjustment);
}

std::uint8_t Rtc::encode(int value) const {
  if ((cmos_[kRegisterB] & kBinary) != 0) return static_cast<std::uint8_t>(value);
  return static_cast<std::uint8_t>(value / 10 << 4 | value % 10);
}

int Rtc::decode(std::uint8_t value) const {
  return (cmos_[kRegisterB] & kBinary) != 0 ? value : (value >> 4) * 10 + (value & 0xF);
}

std::uint8_t Rtc::encode_hour(int hour) const {
  if ((cmos_[kRegisterB] & k24Hours) != 0) return encode(hour);
  const int twelve = hour % 12 == 0 ? 12 : hour % 12;
  return static_cast<std::uint8_t>(encode(twelve) | (hour >= 12 ? kAfternoon : 0));
}

int Rtc::decode_hour(std::uint8_t value) const {
  if ((cmos_[kRegisterB] & k24Hours) != 0) return decode(value);
  const int twelve = decode(value & 0x7F) % 12;
  return (value & kAfternoon) != 0 ? twelve + 12 : twelve;
}

}  // namespace virttdx
