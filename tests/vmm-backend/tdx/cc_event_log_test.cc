// SPDX-License-Identifier: GPL-2.0-or-later
// Logs made by hand, and their registers as openssl computes them.
#include "vmm_backend/cc_event_log.h"

#include <gtest/gtest.h>

#include "support/byte_order.h"

namespace virttdx::test {
namespace {

class Log {
 public:
  /// TCG_PCR_EVENT with TCG_EfiSpecIdEvent: SHA-256 and SHA-384.
  Log() {
    number<std::uint32_t>(0).number<std::uint32_t>(3).zeros(20).number<std::uint32_t>(37);
    text("Spec ID Event03").zeros(1);
    number<std::uint32_t>(0).zeros(4);  // platform class, versions
    number<std::uint32_t>(2).number<std::uint16_t>(0xB).number<std::uint16_t>(32);
    number<std::uint16_t>(0xC).number<std::uint16_t>(48).zeros(1);
  }
  Log& event(std::uint32_t index, std::uint32_t type, std::byte digest, const std::string& data) {
    number(index).number(type).number<std::uint32_t>(1).number<std::uint16_t>(0xC);
    bytes.insert(bytes.end(), 48, digest);
    return number(static_cast<std::uint32_t>(data.size())).text(data);
  }
  template <typename T>
  Log& number(T value) {
    const std::size_t at = bytes.size();
    bytes.resize(at + sizeof(T));
    store_le(std::span(bytes), at, value);
    return *this;
  }
  Log& text(const std::string& text) {
    for (const char letter : text) bytes.push_back(static_cast<std::byte>(letter));
    return *this;
  }
  Log& zeros(std::size_t count) {
    bytes.resize(bytes.size() + count);
    return *this;
  }
  std::vector<std::byte> bytes;
};

/// UEFI_VARIABLE_DATA of a variable with one byte.
std::string variable(const std::string& name) {
  std::string data(16, '\x11');
  data += std::string{static_cast<char>(name.size())} + std::string(7, '\0') + '\x01' + std::string(7, '\0');
  for (const char letter : name) data += {letter, '\0'};
  return data + '\x01';
}

std::string hex(const Measurement& digest) {
  std::string text;
  for (const auto byte : digest) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

TEST(CcEventLog, HasWhatEachEventCovers) {
  const auto events =
      parse_cc_event_log(Log()
                             .event(1, 0x80000001, std::byte{1}, variable("SecureBoot"))
                             .event(1, 0x8000000B, std::byte{2}, "\x06TdxHob" + std::string(16, '\0'))
                             .event(2, 0x80000007, std::byte{3}, "Calling EFI Application")
                             .event(3, 0xD, std::byte{4}, "grub_cmd: linux\n")
                             .event(1, 0x4, std::byte{5}, std::string(4, '\0'))
                             .event(4, 0x12345, std::byte{6}, "")
                             .bytes);
  ASSERT_TRUE(events) << events.error().message();
  std::string text;
  for (const auto& event : *events)
    text += fmt::format("{} {} {}\n", event.rtmr, event.type_name, event.covers);
  EXPECT_EQ(text,
            "0 EV_EFI_VARIABLE_DRIVER_CONFIG variable SecureBoot\n"
            "0 EV_EFI_HANDOFF_TABLES2 TdxHob\n"
            "1 EV_EFI_ACTION Calling EFI Application\n"
            "2 EV_IPL grub_cmd: linux?\n"
            "0 EV_SEPARATOR end of the firmware's own measurements\n"
            "3 event type 0x12345 \n");
}

// (head -c 48 /dev/zero; head -c 48 /dev/zero | tr '\0' '\1') | sha384sum, and that with 48 bytes of 2 behind
// it.
TEST(CcEventLog, ReplaysToTheRegisters) {
  const auto events = parse_cc_event_log(Log()
                                             .event(1, 0x4, std::byte{1}, "")
                                             .event(3, 0x4, std::byte{1}, "")
                                             .event(1, 0x4, std::byte{2}, "")
                                             .bytes);
  ASSERT_TRUE(events);
  const auto rtmrs = replay_cc_events(*events);
  ASSERT_TRUE(rtmrs);
  EXPECT_EQ(
      hex((*rtmrs)[2]),
      "b2cdfa15c3fdc5772b099d6e1a5acb8a2eb8b94adb63393a7ae3068c8b4bd8cdad83d6eb649d8178d0fe7a8135d0a003");
  EXPECT_EQ(
      hex((*rtmrs)[0]),
      "11422093d9248558e623cdd803580126f1912db17c838f511a296eb2e7dba8382ad56767569170322357e1a8fef06eae");
  EXPECT_EQ((*rtmrs)[1], Measurement{});
}

TEST(CcEventLog, LeavesOutWhatExtendsNoRtmr) {
  const auto events = parse_cc_event_log(
      Log().event(0, 0x80000008, std::byte{1}, "the MRTD").event(1, 3, std::byte{0}, "no action").bytes);
  ASSERT_TRUE(events);
  EXPECT_TRUE(events->empty());
}

TEST(CcEventLog, EndsWhereTheRegionIsUnused) {
  for (const auto fill : {std::byte{0}, std::byte{0xFF}}) {
    auto log = Log().event(1, 0x4, std::byte{1}, "").bytes;
    log.insert(log.end(), 1000, fill);
    const auto events = parse_cc_event_log(log);
    ASSERT_TRUE(events) << events.error().message();
    EXPECT_EQ(events->size(), 1U);
  }
}

TEST(CcEventLog, OfAnyTruncationIsRefusedOrShorter) {
  const auto whole = Log().event(1, 0x4, std::byte{1}, "abcd").event(2, 0x4, std::byte{2}, "efgh").bytes;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto events = parse_cc_event_log(std::span(whole).first(size));
    EXPECT_TRUE(!events || events->size() < 2) << size;
  }
}

TEST(CcEventLog, NamesTheOffsetOfWhatIsWrong) {
  const auto message = [](const Log& log) { return parse_cc_event_log(log.bytes).error().message(); };
  EXPECT_EQ(message(Log().event(7, 0x4, std::byte{1}, "")),
            "event log, offset 0x45: register 7 is none of a TD (0 MRTD, 1 to 4 RTMRs)");
  EXPECT_EQ(message(Log()
                        .number<std::uint32_t>(1)
                        .number<std::uint32_t>(4)
                        .number<std::uint32_t>(1)
                        .number<std::uint16_t>(0x4)),
            "event log, offset 0x53: digest algorithm 0x4 is not in the header");
  EXPECT_EQ(message(Log()
                        .number<std::uint32_t>(1)
                        .number<std::uint32_t>(4)
                        .number<std::uint32_t>(0)
                        .number<std::uint32_t>(0xFFFFFFFF)),
            "event log, offset 0x55: event of 4294967295 bytes, of which 0 are there");
  EXPECT_NE(parse_cc_event_log({}).error().message().find("event log"), std::string::npos);
}

}  // namespace
}  // namespace virttdx::test
