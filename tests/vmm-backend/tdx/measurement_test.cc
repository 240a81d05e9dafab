// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <filesystem>

#include "vmm_backend/tdvf.h"

namespace virttdx {
namespace {

constexpr const char* kDebianFirmware = "/usr/share/ovmf/OVMF.fd";

std::string hex(const Measurement& measurement) {
  std::string text;
  for (const std::byte byte : measurement) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

// ovmf 2022.11-6+deb12u2; the value was computed independently of this program.
TEST(Mrtd, OfDebian12IsTheKnownOne) {
  if (!std::filesystem::exists(kDebianFirmware)) GTEST_SKIP() << kDebianFirmware << " is not installed";
  const auto tdvf = load_tdvf(kDebianFirmware);
  ASSERT_TRUE(tdvf) << tdvf.error().message();
  const auto mrtd = predict_mrtd(td_page_list(*tdvf, {}));
  ASSERT_TRUE(mrtd) << mrtd.error().message();
  EXPECT_EQ(
      hex(*mrtd),
      "4c7206f0f483c524f12c366c711e9049030a8d47c471ee5aa9c4999a08de4057fb887fed0744d5631a212967fb231c47");
}

TEST(Mrtd, OfDebian12InTwoPassesIsTheKnownOne) {
  if (!std::filesystem::exists(kDebianFirmware)) GTEST_SKIP() << kDebianFirmware << " is not installed";
  const auto tdvf = load_tdvf(kDebianFirmware);
  ASSERT_TRUE(tdvf);
  EXPECT_EQ(
      hex(*predict_mrtd(td_page_list(*tdvf, {}), MrtdOrder::TwoPass)),
      "acccbcc870a381adab0d3919d90a7f268ac3b0364771f202ed4bb4e892d045b33db3b32e6924cba830a724eed443f7e1");
}

TEST(Mrtd, DoesNotDependOnTheTdHob) {
  if (!std::filesystem::exists(kDebianFirmware)) GTEST_SKIP() << kDebianFirmware << " is not installed";
  const auto tdvf = load_tdvf(kDebianFirmware);
  ASSERT_TRUE(tdvf);
  const std::vector<std::byte> hob(100, std::byte{7});
  EXPECT_EQ(*predict_mrtd(td_page_list(*tdvf, hob)), *predict_mrtd(td_page_list(*tdvf, {})));
}

// SHA-384 of the empty string (FIPS 180-4 examples): a TD without pages.
TEST(Mrtd, OfNoPagesIsTheEmptyDigest) {
  EXPECT_EQ(
      hex(*predict_mrtd({})),
      "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b");
}

TEST(Mrtd, RefusesContentLargerThanItsRange) {
  const std::vector<std::byte> content(kPageSize + 1);
  const TdPageRange range{*GpaRange::create({0}, kPageSize), true, content};
  EXPECT_FALSE(predict_mrtd(std::span(&range, 1)));
}

}  // namespace
}  // namespace virttdx
