// SPDX-License-Identifier: GPL-2.0-or-later
#include "rpc/frame.h"

#include <gtest/gtest.h>

namespace virttdx::driver {
namespace {

constexpr FrameHeader kHeader{
    .program = 0x20008086, .version = 1, .procedure = 60, .type = 0, .serial = 3, .status = 0};

// As recorded of virsh: CONNECT_SUPPORTS_FEATURE 14.
const std::string kRecorded("\0\0\0\x20\x20\0\x80\x86\0\0\0\1\0\0\0\x3c\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\x0e",
                            32);

TEST(Frame, HasTheBytesThatVirshSends) {
  EXPECT_EQ(encode_frame(kHeader, std::string_view("\0\0\0\x0e", 4)), kRecorded);
}

TEST(FrameReader, ReadsByteByByte) {
  FrameReader reader;
  for (std::size_t i = 0; i + 1 < kRecorded.size(); ++i) {
    reader.append(kRecorded.substr(i, 1));
    const auto frame = reader.next();
    ASSERT_TRUE(frame.has_value());
    EXPECT_FALSE(frame->has_value());
  }
  reader.append(kRecorded.substr(kRecorded.size() - 1));
  const auto frame = reader.next();
  ASSERT_TRUE(frame.has_value() && frame->has_value());
  EXPECT_EQ((*frame)->header, kHeader);
  EXPECT_EQ((*frame)->payload, std::string("\0\0\0\x0e", 4));
}

TEST(FrameReader, ReadsManyFromOneBuffer) {
  FrameReader reader;
  for (int i = 0; i < 100; ++i) reader.append(kRecorded);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(reader.next().value().has_value());
  EXPECT_FALSE(reader.next().value().has_value());
}

class BadLength : public testing::TestWithParam<std::string> {};
TEST_P(BadLength, IsRefused) {
  FrameReader reader;
  reader.append(GetParam());
  EXPECT_FALSE(reader.next().has_value());
}
INSTANTIATE_TEST_SUITE_P(FrameReader, BadLength,
                         testing::Values(std::string(4, '\0'), std::string("\0\0\0\x1b", 4),
                                         std::string("\2\0\0\5", 4), std::string("\xff\xff\xff\xff", 4)));

TEST(FrameReader, WaitsForTheLargestFrame) {
  FrameReader reader;
  reader.append(std::string("\2\0\0\4", 4));
  EXPECT_FALSE(reader.next().value().has_value());
}

}  // namespace
}  // namespace virttdx::driver
