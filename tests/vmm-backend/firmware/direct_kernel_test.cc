// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/direct_kernel.h"

#include <gtest/gtest.h>

#include "devices/fw_cfg/fw_cfg_spec.h"
#include "firmware/direct_kernel_spec.h"
#include "support/byte_order.h"

namespace virttdx {
namespace {

using namespace direct_kernel_spec;

/// 8 KiB with the headers of an EFI-stub bzImage of one setup sector.
std::vector<std::byte> bzimage() {
  std::vector<std::byte> image(8192, std::byte{0xEE});
  const std::span bytes(image);
  store_le<std::uint16_t>(bytes, 0, kDosSignature);
  store_le<std::uint32_t>(bytes, kPeOffset, 0x80);
  store_le<std::uint32_t>(bytes, 0x80, kPeSignature);
  store_le<std::uint16_t>(bytes, 0x84, kMachineX86_64);
  store_le<std::uint8_t>(bytes, kSetupSectors, 1);
  store_le<std::uint32_t>(bytes, kHeaderSignature, kHeaderSignatureValue);
  store_le<std::uint16_t>(bytes, kProtocolVersion, 0x20F);
  store_le<std::uint32_t>(bytes, kMaximumCommandLine, 2047);
  return image;
}

std::string refusal(const std::vector<std::byte>& image, const std::string& command_line = "") {
  const auto parsed = parse_direct_kernel(image, command_line);
  return parsed ? "accepted" : parsed.error().message();
}

TEST(DirectKernel, ABzImageIsHandedOutInItsTwoParts) {
  const auto kernel = parse_direct_kernel(bzimage(), "console=ttyS0");
  ASSERT_TRUE(kernel) << kernel.error().message();
  const DirectKernelItems items = direct_kernel_items(*kernel);
  EXPECT_EQ(load_le<std::uint32_t>(items.sizes.at(fw_cfg_spec::kSetupSize), 0), 1024U);
  EXPECT_EQ(load_le<std::uint32_t>(items.sizes.at(fw_cfg_spec::kKernelSize), 0), 7168U);
  EXPECT_EQ(load_le<std::uint32_t>(items.sizes.at(fw_cfg_spec::kInitrdSize), 0), 0U);
  EXPECT_EQ(load_le<std::uint32_t>(items.sizes.at(fw_cfg_spec::kCommandLineSize), 0), 14U);
  EXPECT_EQ(items.data.at(fw_cfg_spec::kSetupData).data(), kernel->image.data());
  EXPECT_EQ(items.data.at(fw_cfg_spec::kKernelData).data(), kernel->image.data() + 1024);
}

TEST(DirectKernel, TheImageStaysAsItIs) { EXPECT_EQ(parse_direct_kernel(bzimage(), "a")->image, bzimage()); }

TEST(DirectKernel, SetupSectorsOfZeroMeanFour) {
  auto image = bzimage();
  store_le<std::uint8_t>(std::span(image), kSetupSectors, 0);
  EXPECT_EQ(parse_direct_kernel(image, "")->setup_size, 5U * 512);
}

TEST(DirectKernel, AnyEfiApplicationIsTakenWhole) {
  auto image = bzimage();
  store_le<std::uint32_t>(std::span(image), kHeaderSignature, 0);
  const auto kernel = parse_direct_kernel(image, "x");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->setup_size, 0U);
}

TEST(DirectKernel, RefusesWhatFirmwareCannotStart) {
  EXPECT_NE(refusal(std::vector<std::byte>(100)).find("100 bytes are no image"), std::string::npos);
  auto image = bzimage();
  store_le<std::uint16_t>(std::span(image), 0, 0);
  EXPECT_NE(refusal(image).find("no MZ signature"), std::string::npos);
  image = bzimage();
  store_le<std::uint32_t>(std::span(image), kPeOffset, 0xFFFFFFFF);
  EXPECT_NE(refusal(image).find("PE header at 0xffffffff"), std::string::npos);
  image = bzimage();
  store_le<std::uint16_t>(std::span(image), 0x84, 0x14C);
  EXPECT_NE(refusal(image).find("PE machine 0x14c"), std::string::npos);
  image = bzimage();
  store_le<std::uint8_t>(std::span(image), kSetupSectors, 200);
  EXPECT_NE(refusal(image).find("truncated"), std::string::npos);
}

TEST(DirectKernel, RefusesACommandLineThatTheKernelWouldCut) {
  EXPECT_EQ(refusal(bzimage(), std::string(2047, 'a')), "accepted");
  EXPECT_NE(refusal(bzimage(), std::string(2048, 'a')).find("2048 bytes is longer than the 2047"),
            std::string::npos);
}

TEST(DirectKernel, MissingFilesAreNamed) {
  const auto loaded = load_direct_kernel({.kernel = "/no/such/kernel", .initrd = {}, .command_line = ""});
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message().find("/no/such/kernel"), std::string::npos);
}

}  // namespace
}  // namespace virttdx
