// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/machine.h"

#include <gtest/gtest.h>

#include <random>

#include "device_poker.h"
#include "devices/acpi_pm/acpi_pm_spec.h"
#include "devices/fw_cfg/fw_cfg_spec.h"
#include "test_machine.h"

namespace virttdx {
namespace {

using test::read_as;
using test::write_as;

struct MachineTest : testing::Test, test::TestMachine {
  PortBus& ports = machine->ports();
  MmioBus& mmio = machine->mmio();
  void set_pci(std::uint32_t device, std::uint32_t offset, std::uint32_t value) {
    write_as<std::uint32_t>(ports, 0xCF8, 0x80000000 | device << 11 | offset);
    write_as<std::uint32_t>(ports, 0xCFC, value);
  }
  /// As OVMF places it.
  void place_acpi_block() {
    set_pci(31, 0x40, 0x600);
    set_pci(31, 0x44, 0x80);
  }
  void program_io_apic(unsigned pin, std::uint32_t entry) {
    write_as<std::uint32_t>(mmio, 0xFEC00000, 0x10 + 2 * pin);
    write_as<std::uint32_t>(mmio, 0xFEC00010, entry);
  }
};

TEST_F(MachineTest, HasWhatOvmfLooksFor) {
  place_acpi_block();
  clock.now_ns = 1'000'000'000;
  EXPECT_EQ(read_as<std::uint32_t>(ports, 0x608), 3'579'545U);
  EXPECT_EQ(read_as<std::uint8_t>(ports, 0x402), 0xE9);
  write_as<std::uint16_t>(ports, 0x510, 0);
  EXPECT_EQ(read_as<std::uint8_t>(ports, 0x511), 'Q');
  EXPECT_EQ(read_as<std::uint8_t>(mmio, 0xFED40000), 0xFF);  // no TPM
}

TEST_F(MachineTest, HasFourSerialPorts) {
  write_as<std::uint8_t>(ports, 0x3F8, '1');
  write_as<std::uint8_t>(ports, 0x2F8, '2');
  write_as<std::uint8_t>(ports, 0x3E8, '3');
  write_as<std::uint8_t>(ports, 0x2E8, '4');
  EXPECT_EQ(com1.output() + com2.output() + com3.output() + com4.output(), "1234");
}

TEST_F(MachineTest, SerialInputInterruptsOnPin4) {
  program_io_apic(4, 0x34);
  write_as<std::uint8_t>(ports, 0x3FC, 0x08);
  write_as<std::uint8_t>(ports, 0x3F9, 0x01);
  com1.type("x");
  ASSERT_EQ(interrupts.size(), 1U);
  EXPECT_EQ(interrupts[0].data & 0xFF, 0x34U);
}

TEST_F(MachineTest, Com1AndCom3ShareALine) {
  program_io_apic(4, 0x34);
  for (const std::uint64_t base : {0x3F8ULL, 0x3E8ULL}) {
    write_as<std::uint8_t>(ports, base + 4, 0x08);
    write_as<std::uint8_t>(ports, base + 1, 0x01);
  }
  com1.type("x");
  com3.type("y");
  EXPECT_EQ(interrupts.size(), 1U);
  read_as<std::uint8_t>(ports, 0x3F8);
  read_as<std::uint8_t>(ports, 0x3E8);
  com3.type("z");
  EXPECT_EQ(interrupts.size(), 2U);
}

TEST_F(MachineTest, PowersOffThroughTheAcpiBlock) {
  place_acpi_block();
  write_as<std::uint16_t>(ports, 0x604, 0x2000);
  EXPECT_EQ(power_offs, 1);
  EXPECT_EQ(resets, 0);
}

TEST_F(MachineTest, ResetsByEveryWayAPcHas) {
  write_as<std::uint8_t>(ports, 0xCF9, 0x06);
  write_as<std::uint8_t>(ports, 0x64, 0xFE);
  write_as<std::uint8_t>(ports, 0x92, 0x01);
  EXPECT_EQ(resets, 3);
}

TEST_F(MachineTest, LeavesToTheGuestWhatItSaysThatItHandles) {
  EXPECT_EQ(read_as<std::uint8_t>(ports, 0x505), 0x03);
  write_as<std::uint8_t>(ports, 0x505, 0x02);
  EXPECT_EQ(panics, 0);
  write_as<std::uint8_t>(ports, 0x505, 0x01);
  EXPECT_EQ(panics, 1);
}

TEST_F(MachineTest, HasNoPanicDeviceUnlessAsked) {
  const auto without = Machine::create({.uuid = "00112233-4455-6677-8899-aabbccddeeff",
                                        .layout = layout,
                                        .clock = clock,
                                        .clock_adjustment = clock_adjustment,
                                        .memory = memory,
                                        .serials = {},
                                        .interrupts = {},
                                        .on_power_off = {},
                                        .on_reset = {}});
  ASSERT_TRUE(without) << without.error().message();
  EXPECT_EQ(read_as<std::uint8_t>((*without)->ports(), 0x505), 0xFF);
}

TEST_F(MachineTest, PowerButtonInterruptsOnPin9WhenEnabled) {
  place_acpi_block();
  program_io_apic(9, 0x39);
  machine->press_power_button();
  EXPECT_TRUE(interrupts.empty());
  write_as<std::uint16_t>(ports, 0x602, acpi_pm_spec::kPowerButton);
  ASSERT_EQ(interrupts.size(), 1U);
  EXPECT_EQ(interrupts[0].data & 0xFF, 0x39U);
}

TEST_F(MachineTest, AcpiTablesTellWhereFirmwareHasPutTheChipset) {
  set_pci(0, 0x64, 0);
  set_pci(0, 0x60, 0xB0000001);
  set_pci(31, 0x40, 0x700);
  set_pci(31, 0x44, 0x80);
  write_as<std::uint16_t>(ports, 0x510, fw_cfg_spec::kFirstFile + 1);  // etc/acpi/tables
  std::string tables(4096, 0);
  for (char& byte : tables) byte = static_cast<char>(read_as<std::uint8_t>(ports, 0x511));
  const auto field = [&](std::string_view signature, std::size_t offset) {
    return load_le<std::uint32_t>(std::as_bytes(std::span(tables)), tables.find(signature) + offset);
  };
  EXPECT_EQ(field("MCFG", 44), 0xB0000000U);
  EXPECT_EQ(field("FACP", 56), 0x700U);
}

TEST_F(MachineTest, RefusesASerialPortThatDoesNotExist) {
  const auto refused = Machine::create({.uuid = "00112233-4455-6677-8899-aabbccddeeff",
                                        .x2apic_ids = {0},
                                        .layout = layout,
                                        .clock = clock,
                                        .clock_adjustment = clock_adjustment,
                                        .memory = memory,
                                        .serials = {{4, &com1}},
                                        .interrupts = {},
                                        .on_power_off = {},
                                        .on_reset = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "Serial port 4 does not exist: 0 to 3 do");
}

TEST_F(MachineTest, SurvivesRandomAccesses) {
  std::minstd_rand random(1);
  std::vector<std::uint8_t> input(1U << 16);
  for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(random() >> 8);
  test::DevicePoker(input).run(*this);
  EXPECT_EQ(read_as<std::uint8_t>(ports, 0x402), 0xE9);
}

}  // namespace
}  // namespace virttdx
