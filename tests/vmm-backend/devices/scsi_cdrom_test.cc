// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/scsi/scsi_cdrom.h"

#include <gtest/gtest.h>

#include <string>

#include "devices/scsi/big_endian.h"

namespace virttdx {
namespace {

using namespace scsi_spec;

constexpr std::uint64_t kBlocks = 1000;

std::vector<std::byte> cdb(std::initializer_list<unsigned> bytes, std::size_t size = 16) {
  std::vector<std::byte> command(size);
  std::size_t at = 0;
  for (const unsigned byte : bytes) command.at(at++) = static_cast<std::byte>(byte);
  return command;
}

struct ACdromDrive : testing::Test {
  ScsiResult run(std::initializer_list<unsigned> bytes) { return drive.execute(cdb(bytes)); }
  ScsiResult run_empty(std::initializer_list<unsigned> bytes) { return empty.execute(cdb(bytes)); }
  ScsiCdrom drive{kBlocks * 2048, {.serial = "serial"}};
  ScsiCdrom empty{std::nullopt, {.serial = ""}};
};

std::string text(const std::vector<std::byte>& data, std::size_t offset, std::size_t size) {
  return {reinterpret_cast<const char*>(data.data()) + offset, size};
}

TEST_F(ACdromDrive, SaysWhatItIs) {
  const auto data = run({kInquiry, 0, 0, 0, 255}).data;
  ASSERT_EQ(data.size(), 36U);
  EXPECT_EQ(data[0], std::byte{5});
  EXPECT_EQ(data[1], std::byte{0x80});
  EXPECT_EQ(text(data, 8, 8), "VIRTTDX ");
  EXPECT_EQ(text(data, 16, 16), "CD-ROM          ");
  EXPECT_EQ(run({kInquiry, 0, 0, 0, 5}).data.size(), 5U) << "no more than is asked for";
  EXPECT_EQ(text(run({kInquiry, 1, 0x80, 0, 255}).data, 4, 6), "serial");
  EXPECT_EQ(text(run({kInquiry, 1, 0x83, 0, 255}).data, 8, 14), "VIRTTDX serial");
  EXPECT_TRUE(run({kInquiry, 1, 0x99, 0, 255}).sense);
}

TEST_F(ACdromDrive, TellsItsCapacity) {
  const auto small = run({kReadCapacity10}).data;
  EXPECT_EQ(load_be<std::uint32_t>(small, 0), kBlocks - 1);
  EXPECT_EQ(load_be<std::uint32_t>(small, 4), 2048U);
  const auto large = run({kServiceActionIn16, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32}).data;
  EXPECT_EQ(load_be<std::uint64_t>(large, 0), kBlocks - 1);
  const ScsiCdrom huge((1ULL << 33) * 2048, {});
  EXPECT_EQ(load_be<std::uint32_t>(huge.execute(cdb({kReadCapacity10})).data, 0), 0xFFFFFFFF);
}

TEST_F(ACdromDrive, ReadsInsideItsMediumOnly) {
  const auto last = run({kRead10, 0, 0, 0, 3, 0xE7, 0, 0, 1});
  ASSERT_TRUE(last.read);
  EXPECT_EQ(last.read->offset, 999U * 2048);
  EXPECT_EQ(last.read->size, 2048U);
  const ScsiSense outside{kKeyIllegalRequest, kCodeAddressOutOfRange, 0};
  EXPECT_EQ(run({kRead10, 0, 0, 0, 3, 0xE7, 0, 0, 2}).sense, outside);
  EXPECT_EQ(run({kRead12, 0, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF}).sense, outside);
  EXPECT_EQ(run({kRead16, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1}).sense, outside);
  EXPECT_EQ(run({kRead12, 0, 0, 0, 0, 1, 0, 0, 0, 2}).read->size, 4096U);
}

TEST_F(ACdromDrive, HasOneDataTrack) {
  const auto blocks = run({kReadToc, 0, 0, 0, 0, 0, 0, 0, 255}).data;
  ASSERT_EQ(blocks.size(), 20U);
  EXPECT_EQ(load_be<std::uint16_t>(blocks, 0), 18U);
  EXPECT_EQ(blocks[14], std::byte{0xAA});
  EXPECT_EQ(load_be<std::uint32_t>(blocks, 16), kBlocks);
  const auto times = run({kReadToc, 2, 0, 0, 0, 0, 0xAA, 0, 255}).data;
  ASSERT_EQ(times.size(), 12U);
  // 1150 frames of 1/75 second.
  EXPECT_EQ(load_be<std::uint32_t>(times, 8), 0x00000F19U);
  EXPECT_EQ(run({kReadToc, 0, 1, 0, 0, 0, 0, 0, 255}).data.size(), 12U);
  EXPECT_TRUE(run({kReadToc, 0, 2, 0, 0, 0, 0, 0, 255}).sense);
}

TEST_F(ACdromDrive, TellsItsProfileAndFeatures) {
  EXPECT_EQ(load_be<std::uint16_t>(run({kGetConfiguration, 0, 0, 0, 0, 0, 0, 0, 8}).data, 6), kProfileCdrom);
  EXPECT_EQ(load_be<std::uint16_t>(run_empty({kGetConfiguration, 0, 0, 0, 0, 0, 0, 0, 8}).data, 6), 0U);
  const ScsiCdrom dvd(4ULL << 30, {});
  const auto data = dvd.execute(cdb({kGetConfiguration, 0, 0, 0, 0, 0, 0, 1, 0})).data;
  EXPECT_EQ(load_be<std::uint16_t>(data, 6), kProfileDvdrom);
  EXPECT_EQ(load_be<std::uint32_t>(data, 0), data.size() - 4);
}

TEST_F(ACdromDrive, AnswersModeSense) {
  const auto six = run({kModeSense6, 0, kPageCapabilities, 0, 255}).data;
  EXPECT_EQ(six.size(), 4U + 22);
  EXPECT_EQ(six[0], std::byte{25});
  const auto ten = run({kModeSense10, 0, kPagesAll, 0, 0, 0, 0, 0, 255}).data;
  EXPECT_EQ(ten.size(), 8U + 12 + 22);
  EXPECT_EQ(load_be<std::uint16_t>(ten, 0), ten.size() - 2);
  EXPECT_TRUE(run({kModeSense6, 0, 0x1C, 0, 255}).sense);
}

TEST_F(ACdromDrive, IsNotReadyWithoutAMedium) {
  const ScsiSense none{kKeyNotReady, kCodeNoMedium, 0};
  for (const unsigned operation : {kTestUnitReady, kReadCapacity10, kRead10, kReadToc})
    EXPECT_EQ(run_empty({operation}).sense, none);
  EXPECT_FALSE(run({kTestUnitReady}).sense);
  EXPECT_EQ(run_empty({kGetEventStatus, 1, 0, 0, 0x10, 0, 0, 0, 255}).data.at(5), std::byte{0});
  EXPECT_EQ(run({kGetEventStatus, 1, 0, 0, 0x10, 0, 0, 0, 255}).data.at(5), std::byte{2});
  EXPECT_TRUE(run({kGetEventStatus, 0, 0, 0, 0x10, 0, 0, 0, 255}).sense) << "nobody is notified later";
}

TEST_F(ACdromDrive, RefusesWhatItDoesNotKnow) {
  const ScsiSense unknown{kKeyIllegalRequest, kCodeInvalidOperation, 0};
  EXPECT_EQ(run({0xFF}).sense, unknown);
  EXPECT_EQ(run({0x2A}).sense, unknown) << "writing";
  EXPECT_EQ(drive.execute(cdb({kRead10}, 9)).sense, unknown) << "cut short";
  EXPECT_EQ(drive.execute({}).sense, unknown);
  EXPECT_EQ(unknown.bytes().size(), 18U);
  EXPECT_EQ(unknown.bytes()[2], std::byte{5});
  EXPECT_EQ(unknown.bytes()[12], std::byte{0x20});
}

}  // namespace
}  // namespace virttdx
