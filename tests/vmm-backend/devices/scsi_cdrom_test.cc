// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/scsi/scsi_cdrom.h"

#include <gtest/gtest.h>

#include <string>

#include "devices/scsi/big_endian.h"
#include "memory_medium.h"

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
  std::uint8_t event() {
    return std::to_integer<std::uint8_t>(run({kGetEventStatus, 1, 0, 0, 0x10, 0, 0, 0, 255}).data.at(4));
  }
  std::vector<bool> moves;
  CdromTray tray{std::make_shared<test::MemoryMedium>(kBlocks * 2048),
                 [this](bool is_open) { moves.push_back(is_open); }};
  CdromTray empty_tray{nullptr};
  ScsiCdrom drive{tray, {.serial = "serial"}};
  ScsiCdrom empty{empty_tray, {.serial = ""}};
};

struct AMediumOfSize : ScsiMedium {
  explicit AMediumOfSize(std::uint64_t size_of_it) : bytes(size_of_it) {}
  std::uint64_t size() const override { return bytes; }
  int read(std::uint64_t, std::span<const iovec>) override { return 0; }
  std::uint64_t bytes;
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
  CdromTray huge_tray(std::make_shared<AMediumOfSize>((1ULL << 33) * 2048));
  ScsiCdrom huge(huge_tray, {});
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
  CdromTray dvd_tray(std::make_shared<AMediumOfSize>(4ULL << 30));
  ScsiCdrom dvd(dvd_tray, {});
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
  const ScsiSense none{kKeyNotReady, kCodeNoMedium, kQualifierTrayClosed};
  for (const unsigned operation : {kTestUnitReady, kReadCapacity10, kRead10, kReadToc})
    EXPECT_EQ(run_empty({operation}).sense, none);
  EXPECT_FALSE(run({kTestUnitReady}).sense);
  EXPECT_EQ(run_empty({kGetEventStatus, 1, 0, 0, 0x10, 0, 0, 0, 255}).data.at(5), std::byte{0});
  EXPECT_EQ(run({kGetEventStatus, 1, 0, 0, 0x10, 0, 0, 0, 255}).data.at(5), std::byte{2});
  EXPECT_TRUE(run({kGetEventStatus, 0, 0, 0, 0x10, 0, 0, 0, 255}).sense) << "nobody is notified later";
}

constexpr ScsiSense kTrayOpen{kKeyNotReady, kCodeNoMedium, kQualifierTrayOpen};
constexpr ScsiSense kChanged{kKeyUnitAttention, kCodeMediumMayHaveChanged, 0};

TEST_F(ACdromDrive, EjectsAndLoadsForItsGuest) {
  EXPECT_FALSE(run({kStartStopUnit, 0, 0, 0, 2}).sense);
  EXPECT_EQ(moves, (std::vector<bool>{true}));
  EXPECT_EQ(run({kTestUnitReady}).sense, kTrayOpen);
  EXPECT_EQ(run({kGetEventStatus, 1, 0, 0, 0x10, 0, 0, 0, 255}).data.at(5), std::byte{1});
  EXPECT_EQ(run({kMechanismStatus, 0, 0, 0, 0, 0, 0, 0, 0, 8}).data.at(1), std::byte{0x10});
  EXPECT_FALSE(run({kStartStopUnit, 0, 0, 0, 2}).sense) << "it is open already";
  EXPECT_FALSE(run({kStartStopUnit, 0, 0, 0, 3}).sense);
  EXPECT_EQ(moves, (std::vector<bool>{true, false}));
  EXPECT_EQ(run({kTestUnitReady}).sense, kChanged);
  EXPECT_FALSE(run({kTestUnitReady}).sense) << "it says so once";
  EXPECT_FALSE(run({kStartStopUnit, 0, 0, 0, 0x32}).sense) << "a power condition";
  EXPECT_FALSE(tray.is_open());
}

TEST_F(ACdromDrive, StaysClosedWhileItsGuestLocksIt) {
  EXPECT_FALSE(run({kPreventRemoval, 0, 0, 0, 1}).sense);
  EXPECT_EQ(run({kModeSense6, 0, kPageCapabilities, 0, 255}).data.at(10), std::byte{0x2B});
  EXPECT_EQ(run({kStartStopUnit, 0, 0, 0, 2}).sense,
            (ScsiSense{kKeyIllegalRequest, kCodeRemovalFailed, kQualifierRemovalPrevented}));
  EXPECT_FALSE(tray.open_from_outside(false));
  EXPECT_EQ(event(), 1) << "it is asked to eject";
  EXPECT_EQ(event(), 0) << "once";
  EXPECT_FALSE(run({kTestUnitReady}).sense) << "its medium is there as long as it likes";
  run({kPreventRemoval, 0, 0, 0, 0});
  EXPECT_FALSE(run({kStartStopUnit, 0, 0, 0, 2}).sense);
  EXPECT_EQ(moves, (std::vector<bool>{true}));
}

TEST_F(ACdromDrive, IsForcedOpenAndGetsAnotherMedium) {
  run({kPreventRemoval, 0, 0, 0, 1});
  EXPECT_TRUE(tray.open_from_outside(true));
  EXPECT_EQ(event(), 3);
  EXPECT_EQ(run({kRead10, 0, 0, 0, 0, 0, 0, 0, 1}).sense, kTrayOpen);
  EXPECT_TRUE(tray.close_with(std::make_shared<AMediumOfSize>(7 * 2048)));
  EXPECT_EQ(run({kInquiry, 0, 0, 0, 36}).data.size(), 36U) << "is answered in any case";
  EXPECT_EQ(event(), 2);
  EXPECT_EQ(run({kReadCapacity10}).sense, kChanged);
  EXPECT_EQ(load_be<std::uint32_t>(run({kReadCapacity10}).data, 0), 6U);
  EXPECT_EQ(moves, (std::vector<bool>{true, false}));
}

TEST_F(ACdromDrive, LosesItsMediumFromOutside) {
  EXPECT_FALSE(tray.close_with(nullptr)) << "it is closed";
  EXPECT_FALSE(run({kTestUnitReady}).sense);
  EXPECT_TRUE(tray.open_from_outside(false));
  EXPECT_TRUE(tray.close_with(nullptr));
  EXPECT_EQ(event(), 3);
  EXPECT_EQ(run({kTestUnitReady}).sense, (ScsiSense{kKeyNotReady, kCodeNoMedium, kQualifierTrayClosed}));
}

TEST_F(ACdromDrive, TellsAnUnitAttentionAsSenseDataToo) {
  tray.open_from_outside(false);
  tray.close();
  const auto sense = run({kRequestSense, 0, 0, 0, 18}).data;
  EXPECT_EQ(sense.at(2), std::byte{kKeyUnitAttention});
  EXPECT_EQ(sense.at(12), std::byte{kCodeMediumMayHaveChanged});
  EXPECT_FALSE(run({kTestUnitReady}).sense);
}

TEST_F(ACdromDrive, ForgetsTheLockOfADriverThatIsGone) {
  run({kPreventRemoval, 0, 0, 0, 1});
  tray.open_from_outside(false);
  tray.start_anew();
  EXPECT_EQ(event(), 0);
  EXPECT_TRUE(tray.open_from_outside(false));
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
