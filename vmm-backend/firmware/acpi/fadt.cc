// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/acpi_pm/acpi_pm_spec.h"
#include "devices/reset_control/reset_control_spec.h"
#include "devices/rtc/rtc_spec.h"
#include "firmware/acpi/acpi_table.h"
#include "firmware/acpi/acpi_tables.h"

namespace virttdx {

using namespace acpi_spec;

namespace {

constexpr std::uint16_t kResetPort = 0xCF9;
constexpr std::uint8_t kPm1EventSize = 4, kPm1ControlSize = 2, kPmTimerSize = 4;

void set_io_address(AcpiTable& table, std::size_t field, std::uint16_t port, std::uint8_t bytes) {
  const std::uint8_t access = bytes == 1 ? kByteAccess : bytes == 2 ? kWordAccess : kDwordAccess;
  table.set<std::uint8_t>(field, kSystemIo);
  table.set<std::uint8_t>(field + 1, static_cast<std::uint8_t>(8 * bytes));
  table.set<std::uint8_t>(field + 3, access);
  table.set<std::uint64_t>(field + 4, port);
}

void set_pm_blocks(AcpiTable& table, std::uint16_t base) {
  using namespace acpi_pm_spec;
  const auto port = [&](std::size_t offset) { return static_cast<std::uint16_t>(base + offset); };
  table.set<std::uint32_t>(kPm1aEventBlock, port(kPm1Status));
  table.set<std::uint32_t>(kPm1aControlBlock, port(kPm1Control));
  table.set<std::uint32_t>(kPmTimerBlock, port(kPmTimer));
  table.set<std::uint8_t>(kPm1EventLength, kPm1EventSize);
  table.set<std::uint8_t>(kPm1ControlLength, kPm1ControlSize);
  table.set<std::uint8_t>(kPmTimerLength, kPmTimerSize);
  set_io_address(table, kXPm1aEventBlock, port(kPm1Status), kPm1EventSize);
  // Registers of 16 bits, status and enable.
  table.set<std::uint8_t>(kXPm1aEventBlock + 3, kWordAccess);
  set_io_address(table, kXPm1aControlBlock, port(kPm1Control), kPm1ControlSize);
  set_io_address(table, kXPmTimerBlock, port(kPmTimer), kPmTimerSize);
}

}  // namespace

// SMI_CMD stays 0: without system management mode the machine is always in ACPI mode.
std::vector<std::byte> build_fadt(const AcpiInputs& inputs) {
  using namespace reset_control_spec;
  AcpiTable table("FACP", kFadtRevision);
  table.resize(kFadtSize);
  table.set<std::uint16_t>(kSciInterrupt, acpi_pm_spec::kSciInterrupt);
  set_pm_blocks(table, inputs.pm_base);
  table.set<std::uint16_t>(kC2Latency, kNoC2);
  table.set<std::uint16_t>(kC3Latency, kNoC3);
  table.set<std::uint8_t>(kCentury, rtc_spec::kCentury);
  table.set<std::uint16_t>(kBootFlags, kLegacyDevices | kNoVga | kNoAspmControl);
  table.set<std::uint32_t>(kFadtFlags, kWbinvd | kC1OnAllProcessors | kNoFixedSleepButton | kNoFixedRtcWake |
                                           kResetRegisterSupported);
  set_io_address(table, kResetRegister, kResetPort, 1);
  table.set<std::uint8_t>(kResetValue, kSystemReset | kResetCpu);
  table.set<std::uint8_t>(kFadtMinor, kFadtMinorRevision);
  table.set<std::uint64_t>(kHypervisorIdentity, 0x2020584454545249);
  return std::move(table).finish();
}

std::vector<std::byte> build_facs() {
  std::vector<std::byte> bytes(kFacsSize);
  put_text(std::span(bytes).first(4), "FACS");
  store_le<std::uint32_t>(std::span(bytes), kHeaderLength, kFacsSize);
  bytes[kFacsVersion] = static_cast<std::byte>(kFacsVersionValue);
  return bytes;
}

}  // namespace virttdx
