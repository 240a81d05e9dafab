// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/acpi_pm/acpi_pm.h"

#include "support/byte_order.h"
#include "support/log.h"

namespace virttdx {

using namespace acpi_pm_spec;

namespace {

using Masks = std::array<std::byte, kSize>;

constexpr Masks writable_bits() {
  Masks masks{};
  const auto put = [&](std::size_t offset, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) masks[offset + i] = static_cast<std::byte>(value >> (8 * i));
  };
  put(kPm1Enable, kPm1EnableWritable, 2);
  put(kPm1Control, kPm1ControlWritable, 4);
  put(kGpe0Enable, ~0ULL, 8);
  put(kSmiEnable, kSmiEnableWritable, 4);
  return masks;
}

constexpr Masks clearable_bits() {
  Masks masks{};
  masks[kPm1Status] = static_cast<std::byte>(kPm1StatusClearable & 0xFF);
  masks[kPm1Status + 1] = static_cast<std::byte>(kPm1StatusClearable >> 8);
  for (std::size_t i = 0; i < 8; ++i) masks[kGpe0Status + i] = std::byte{0xFF};
  return masks;
}

constexpr Masks kWritable = writable_bits();
constexpr Masks kClearable = clearable_bits();

}  // namespace

AcpiPm::AcpiPm(PortBus& ports, const Clock& clock, InterruptLine& sci, std::function<void()> on_power_off)
    : ports_(ports), clock_(clock), sci_(sci), on_power_off_(std::move(on_power_off)) {
  store_le<std::uint16_t>(registers_, kPm1Control, kPm1ControlAtReset);
}

void AcpiPm::place(std::optional<std::uint16_t> base) {
  ports_.remove(*this);
  if (!base) return;
  const auto added = ports_.add(*base, kSize, "ACPI power management", *this);
  if (!added) log::debug("{}: the guest has no ACPI registers", added.error().message());
}

void AcpiPm::press_power_button() {
  const std::lock_guard lock(mutex_);
  const auto status = load_le<std::uint16_t>(registers_, kPm1Status);
  store_le<std::uint16_t>(registers_, kPm1Status, status | kPowerButton);
  update_sci();
}

std::uint32_t AcpiPm::timer() const {
  const unsigned __int128 ticks = static_cast<unsigned __int128>(clock_.monotonic_ns()) * kTimerFrequency;
  return static_cast<std::uint32_t>(ticks / 1'000'000'000) & kTimerMask;
}

void AcpiPm::read(std::uint64_t offset, std::span<std::byte> data) {
  const std::lock_guard lock(mutex_);
  store_le<std::uint32_t>(registers_, kPmTimer, timer());
  for (std::byte& byte : data) byte = registers_[offset++];
}

void AcpiPm::write(std::uint64_t offset, std::span<const std::byte> data) {
  bool power_off;
  {
    const std::lock_guard lock(mutex_);
    power_off = requests_power_off(offset, data);
    for (std::size_t i = 0; i < data.size(); ++i) write_byte(offset + i, data[i]);
    update_sci();
  }
  if (power_off) on_power_off_();
}

void AcpiPm::write_byte(std::size_t offset, std::byte value) {
  std::byte& stored = registers_[offset];
  stored &= ~(value & kClearable[offset]);
  stored = (stored & ~kWritable[offset]) | (value & kWritable[offset]);
}

// SLP_TYP and SLP_EN share the control register's second byte.
bool AcpiPm::requests_power_off(std::size_t offset, std::span<const std::byte> data) const {
  constexpr std::size_t kSleepByte = kPm1Control + 1;
  if (offset > kSleepByte || offset + data.size() <= kSleepByte) return false;
  const unsigned control = std::to_integer<unsigned>(data[kSleepByte - offset]) << 8;
  if ((control & kSleepEnable) == 0) return false;
  const unsigned type = (control & kSleepTypeMask) >> kSleepTypeShift;
  if (type == kSleepTypeS5 || type == kSleepTypeS5Ovmf) return true;
  log::debug("The guest asked for sleep type {}, which is not offered: only S5 is", type);
  return false;
}

void AcpiPm::update_sci() {
  const auto pending =
      load_le<std::uint16_t>(registers_, kPm1Status) & load_le<std::uint16_t>(registers_, kPm1Enable);
  sci_.set(pending != 0);
}

}  // namespace virttdx
