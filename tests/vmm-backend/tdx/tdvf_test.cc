// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/tdvf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tdvf_image.h"

namespace virttdx::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kDebianFirmware = "/usr/share/ovmf/OVMF.fd";
constexpr const char* kSplitFirmware = "/usr/share/OVMF/OVMF_CODE.fd";

std::string refusal(const TdvfImage& image) {
  const auto tdvf = parse_tdvf(image.bytes());
  return tdvf ? "accepted" : tdvf.error().message();
}

TEST(Tdvf, AcceptsTheSmallestValidImage) {
  const auto tdvf = parse_tdvf(TdvfImage().bytes());
  ASSERT_TRUE(tdvf) << tdvf.error().message();
  ASSERT_EQ(tdvf->sections.size(), 4U);
  EXPECT_EQ(tdvf->sections[0], (TdvfSection{TdvfSectionType::Bfv, 0x1000, 0x1000,
                                            *GpaRange::create({0xFFFFF000}, 0x1000), true}));
  EXPECT_EQ(tdvf->td_hob().memory, *GpaRange::create({0x809000}, 0x2000));
}

TEST(Tdvf, FindsDebiansSectionsInTheOrderOfTheFile) {
  if (!std::filesystem::exists(kDebianFirmware)) GTEST_SKIP() << kDebianFirmware << " is not installed";
  const auto tdvf = load_tdvf(kDebianFirmware);
  ASSERT_TRUE(tdvf) << tdvf.error().message();
  const auto section = [](TdvfSectionType type, std::uint32_t offset, std::uint32_t raw, std::uint64_t gpa,
                          std::uint64_t size, bool measured) {
    return TdvfSection{type, offset, raw, *GpaRange::create({gpa}, size), measured};
  };
  using enum TdvfSectionType;
  EXPECT_EQ(tdvf->sections, (std::vector{section(Bfv, 0x20000, 0x1e0000, 0xffe20000, 0x1e0000, true),
                                         section(Cfv, 0, 0x20000, 0xffe00000, 0x20000, false),
                                         section(TempMem, 0, 0, 0x810000, 0x10000, false),
                                         section(TempMem, 0, 0, 0x80b000, 0x2000, false),
                                         section(TdHob, 0, 0, 0x809000, 0x2000, false),
                                         section(TempMem, 0, 0, 0x800000, 0x6000, false)}));
}

TEST(Tdvf, NamesFileAndRemedyForASplitImage) {
  if (!std::filesystem::exists(kSplitFirmware)) GTEST_SKIP() << kSplitFirmware << " is not installed";
  const auto tdvf = load_tdvf(kSplitFirmware);
  ASSERT_FALSE(tdvf);
  EXPECT_THAT(tdvf.error().message(), AllOf(HasSubstr(kSplitFirmware), HasSubstr("/usr/share/ovmf/OVMF.fd")));
}

TEST(Tdvf, RefusesAMissingFileByItsName) {
  const auto tdvf = load_tdvf("/nonexistent/firmware.fd");
  ASSERT_FALSE(tdvf);
  EXPECT_THAT(tdvf.error().message(), HasSubstr("/nonexistent/firmware.fd"));
}

TEST(Tdvf, RefusesEveryTruncationOfAnImage) {
  const std::vector<std::byte> whole = TdvfImage().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_tdvf({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)})) << size;
}

TEST(Tdvf, RefusesAnImageLargerThan16Mebibytes) {
  EXPECT_FALSE(parse_tdvf(std::vector<std::byte>(kTdvfMaximumSize + kPageSize)));
}

TEST(Tdvf, RefusesAnImageWithoutGuidTable) {
  EXPECT_THAT(refusal(TdvfImage().put_bytes(kFooterGuid, {0})), HasSubstr("no GUID table"));
}

TEST(Tdvf, RefusesATableLengthOutsideOfTheImage) {
  EXPECT_THAT(refusal(TdvfImage().put<std::uint16_t>(kTableLength, 17)), HasSubstr("length of 17"));
  EXPECT_THAT(refusal(TdvfImage().put<std::uint16_t>(kTableLength, 0xFFFF)), HasSubstr("length of 65535"));
}

TEST(Tdvf, RefusesATableEntryLongerThanTheTable) {
  EXPECT_THAT(refusal(TdvfImage().put<std::uint16_t>(kTdxEntryLength, 23)), HasSubstr("length of 23"));
  EXPECT_THAT(refusal(TdvfImage().put<std::uint16_t>(kTdxEntryLength, 0)), HasSubstr("length of 0"));
}

TEST(Tdvf, RefusesAShortTdxEntry) {
  EXPECT_THAT(refusal(TdvfImage().put<std::uint16_t>(kTdxEntryLength, 20)),
              HasSubstr("20 bytes instead of 22"));
}

TEST(Tdvf, RefusesATableWithoutTdxEntry) {
  EXPECT_THAT(refusal(TdvfImage().put_bytes(kTdxEntryGuid, {0})), HasSubstr("without a TDX metadata entry"));
}

TEST(Tdvf, RefusesADescriptorOutsideOfTheImage) {
  EXPECT_THAT(refusal(TdvfImage().put<std::uint32_t>(kTdxEntryOffset, 15)),
              HasSubstr("0xf bytes before the end"));
  EXPECT_THAT(refusal(TdvfImage().put<std::uint32_t>(kTdxEntryOffset, kImageSize)),
              HasSubstr("before the end"));
  EXPECT_THAT(refusal(TdvfImage().put<std::uint32_t>(kTdxEntryOffset, 0xFFFFFFFF)),
              HasSubstr("before the end"));
}

TEST(Tdvf, RefusesADescriptorWithoutGuardGuid) {
  EXPECT_THAT(refusal(TdvfImage().put_bytes(kGuard, {0})), HasSubstr("no TDVF GUID before it"));
}

TEST(Tdvf, RefusesAnotherSignatureOrVersion) {
  EXPECT_THAT(refusal(TdvfImage().put_bytes(kDescriptor, {'X'})), HasSubstr("signature 0x46564458"));
  EXPECT_THAT(refusal(TdvfImage().put<std::uint32_t>(kDescriptor + 8, 2)), HasSubstr("version 2"));
}

TEST(Tdvf, RefusesALengthThatIsNotThatOfItsSections) {
  EXPECT_THAT(refusal(TdvfImage().put<std::uint32_t>(kDescriptor + 4, 16)), HasSubstr("length 16"));
  EXPECT_THAT(refusal(TdvfImage().put<std::uint32_t>(kDescriptor + 12, 0x08000004)),
              HasSubstr("its 134217732 sections"));
}

TEST(Tdvf, RefusesASectionTableBeyondTheImage) {
  TdvfImage image;
  image.put<std::uint32_t>(kDescriptor + 4, 16 + 100 * 32).put<std::uint32_t>(kDescriptor + 12, 100);
  EXPECT_THAT(refusal(image), HasSubstr("100 sections reaches beyond"));
}

TEST(Tdvf, RefusesAnUnknownSectionTypeByItsNumber) {
  EXPECT_THAT(refusal(TdvfImage().type(kTempMem, 4)), HasSubstr("section 2: type 4 is not one of"));
}

TEST(Tdvf, RefusesAttributesOtherThanMrExtend) {
  EXPECT_THAT(refusal(TdvfImage().attributes(kTempMem, 2)),
              HasSubstr("section 2 (TEMP_MEM): attributes 0x2"));
}

TEST(Tdvf, RefusesAMeasuredTdHob) {
  EXPECT_THAT(refusal(TdvfImage().attributes(kTdHob, 1)), HasSubstr("section 3 (TD_HOB): MR.EXTEND"));
}

TEST(Tdvf, RefusesMisalignedMemory) {
  EXPECT_THAT(refusal(TdvfImage().address(kTempMem, 0x80B800)),
              HasSubstr("memory 0x80b800+0x2000 is not aligned"));
  EXPECT_THAT(refusal(TdvfImage().memory_size(kTempMem, 0x1800)), HasSubstr("is not aligned"));
}

TEST(Tdvf, RefusesEmptyMemory) {
  EXPECT_THAT(refusal(TdvfImage().memory_size(kTempMem, 0)), HasSubstr("memory size at 0x80b000 is 0"));
}

TEST(Tdvf, RefusesMemoryBeyond4GibibytesOrWrapping) {
  EXPECT_THAT(refusal(TdvfImage().address(kBfv, 0x100000000)), HasSubstr("beyond 4 GiB"));
  EXPECT_THAT(refusal(TdvfImage().memory_size(kTempMem, 0xFFFFFFFFFFFFF000)), HasSubstr("beyond 4 GiB"));
}

TEST(Tdvf, RefusesRawDataLargerThanMemory) {
  EXPECT_THAT(refusal(TdvfImage().raw_size(kCfv, 0x2000)),
              HasSubstr("section 1 (CFV): raw data size 0x2000 is larger"));
}

TEST(Tdvf, RefusesAFirmwareVolumeWithoutData) {
  EXPECT_THAT(refusal(TdvfImage().raw_size(kCfv, 0)), HasSubstr("section 1 (CFV): raw data size is 0"));
}

TEST(Tdvf, RefusesDataBeyondTheImage) {
  EXPECT_THAT(refusal(TdvfImage().data_offset(kBfv, 0x1001)), HasSubstr("beyond the image's 0x2000 bytes"));
  EXPECT_THAT(refusal(TdvfImage().data_offset(kBfv, 0xFFFFFFFF)),
              HasSubstr("beyond the image's 0x2000 bytes"));
}

TEST(Tdvf, RefusesDataInTdHobAndTempMem) {
  EXPECT_THAT(refusal(TdvfImage().raw_size(kTdHob, 0x10)), HasSubstr("section 3 (TD_HOB): data"));
  EXPECT_THAT(refusal(TdvfImage().data_offset(kTempMem, 0x10)), HasSubstr("section 2 (TEMP_MEM): data"));
}

TEST(Tdvf, RefusesTwoTdHobs) {
  EXPECT_THAT(refusal(TdvfImage().type(kTempMem, 2)), HasSubstr("2 TD_HOB sections instead of 1"));
}

TEST(Tdvf, RefusesAnImageWithoutTdHob) {
  EXPECT_THAT(refusal(TdvfImage().type(kTdHob, 3)), HasSubstr("0 TD_HOB sections instead of 1"));
}

TEST(Tdvf, RefusesAnImageWithoutBfv) { EXPECT_THAT(refusal(TdvfImage().type(kBfv, 1)), HasSubstr("no BFV")); }

TEST(Tdvf, RefusesSectionsThatOverlapInMemory) {
  EXPECT_THAT(refusal(TdvfImage().address(kTdHob, 0x80A000)),
              HasSubstr("section 3 (TD_HOB): memory 0x80a000+0x2000 overlaps section 2"));
}

TEST(Tdvf, RefusesVolumesThatOverlapInTheFile) {
  EXPECT_THAT(refusal(TdvfImage().data_offset(kCfv, 0x800)),
              HasSubstr("section 1 (CFV): data 0x800+0x1000 overlaps section 0"));
}

TEST(Tdvf, RefusesVolumesThatDoNotSumUpToTheFile) {
  EXPECT_THAT(refusal(TdvfImage().raw_size(kCfv, 0x800)),
              HasSubstr("0x1800 bytes together, the image 0x2000"));
}

}  // namespace
}  // namespace virttdx::test
