// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "bus/bus.h"
#include "bus/clock.h"
#include "devices/rtc/rtc_adjustment.h"
#include "devices/rtc/rtc_spec.h"

namespace virttdx {

/// RAM sizes that CMOS tells firmware, in bytes.
struct CmosMemory {
  std::uint64_t below_4g = 0;
  std::uint64_t above_4g = 0;
};

/// An MC146818 real-time clock with 128 bytes of CMOS memory, at ports 0x70 and 0x71. It follows `clock` and
/// what the guest has set it to since; years 1970 to 9999. Not emulated: interrupts (alarm, periodic,
/// update-ended: register C reads 0), daylight saving, the extended bank, keeping CMOS memory over a reset.
/// An update is never in progress. Any thread.
class Rtc final : public ByteRegion {
 public:
  Rtc(const Clock& clock, const CmosMemory& memory, RtcAdjustment& adjustment);

 protected:
  std::uint8_t read_byte(std::uint64_t offset) override;
  void write_byte(std::uint64_t offset, std::uint8_t value) override;

 private:
  // Under mutex_.
  bool is_set_mode() const { return (cmos_[rtc_spec::kRegisterB] & rtc_spec::kSet) != 0; }
  void write_register_b(std::uint8_t value);
  void write_time(std::uint8_t index, std::uint8_t value);
  void load_time();
  void store_time();
  std::int64_t now() const;
  std::uint8_t encode(int value) const;
  int decode(std::uint8_t value) const;
  std::uint8_t encode_hour(int hour) const;
  int decode_hour(std::uint8_t value) const;

  const Clock& clock_;
  std::mutex mutex_;
  std::uint8_t index_ = 0;
  RtcAdjustment& adjustment_;
  std::array<std::uint8_t, rtc_spec::kSize> cmos_{};
};

}  // namespace virttdx
