// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/quote_service.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>

#include "fake_qgs.h"
#include "quote_buffer.h"

namespace virttdx::test {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kRetry = 1;
constexpr std::uint64_t kInvalidOperand = 0x8000000000000000;
constexpr std::uint64_t kAlignError = 0x8000000000000002;
constexpr std::uint64_t kServiceUnavailable = 0x8000000000000001;
constexpr std::uint64_t kServiceError = 0x8000000000000000;
// Longer than any test: what does not come in time does not come.
constexpr milliseconds kForever(600'000);

class QuoteServiceTest : public testing::Test {
 protected:
  void make(std::optional<qgs::Address> address, milliseconds wait = kForever,
            milliseconds limit = kForever) {
    quotes_.emplace(buffer_, QuoteServiceConfig{std::move(address), wait, limit}, [this] {
      if (!is_completed_.exchange(true)) completed_.set_value();
    });
  }
  std::uint64_t get_quote(std::uint64_t gpa = QuoteBuffer::kGpa, std::uint64_t size = QuoteBuffer::kSize) {
    return quotes_->get_quote({gpa}, size);
  }
  QuoteBuffer buffer_;
  std::atomic<bool> is_completed_ = false;
  std::promise<void> completed_;  ///< of the first quote
  std::optional<QuoteService> quotes_;
};

TEST_F(QuoteServiceTest, AnswersAtOnceThatThereIsNoService) {
  make({});
  EXPECT_EQ(get_quote(), 0U);
  EXPECT_EQ(buffer_.status(), kServiceUnavailable);
  EXPECT_EQ(buffer_.quote(), "");
}

TEST_F(QuoteServiceTest, RefusesBuffersAsTheGhciSays) {
  make({});
  EXPECT_EQ(get_quote(QuoteBuffer::kGpa, 0), kInvalidOperand);
  EXPECT_EQ(get_quote(QuoteBuffer::kGpa, 0x21000), kInvalidOperand);
  EXPECT_EQ(get_quote(QuoteBuffer::kGpa + 8), kAlignError);
  EXPECT_EQ(get_quote(QuoteBuffer::kGpa, 0x1800), kAlignError);
  EXPECT_EQ(get_quote(0x90000), kInvalidOperand);
  EXPECT_EQ(buffer_.status(), 0U);
}

TEST_F(QuoteServiceTest, RefusesHeadersAsTheGhciSays) {
  make({});
  buffer_.set<std::uint64_t>(0, 2);
  EXPECT_EQ(get_quote(), kInvalidOperand);
  buffer_.prepare();
  buffer_.set<std::uint64_t>(8, QuoteBuffer::kInFlight);
  EXPECT_EQ(get_quote(), kInvalidOperand);
}

// QEMU passes on whatever it is given.
TEST_F(QuoteServiceTest, TakesOnlyWholeReports) {
  make({});
  for (const std::uint32_t size : {0U, 1023U, 1025U, 0xFFFFFFFFU}) {
    buffer_.set(16, size);
    EXPECT_EQ(get_quote(), kInvalidOperand) << size;
  }
}

TEST_F(QuoteServiceTest, HasTheQuoteInPlaceWhenTheCallReturns) {
  FakeQgs service(FakeQgs::respond("the quote"));
  make(service.address());
  EXPECT_EQ(get_quote(), 0U);
  EXPECT_EQ(buffer_.status(), 0U);
  EXPECT_EQ(buffer_.quote(), "the quote");
}

TEST_F(QuoteServiceTest, SendsTheReportAsIntelsServiceReadsIt) {
  FakeQgs service(FakeQgs::respond("q"));
  make(service.address());
  get_quote();
  const auto request = service.request(0);
  constexpr std::array kHead = {0x00, 0x00, 0x04, 0x18,   // 24 + 1024, big-endian
                                0x01, 0x00, 0x01, 0x00,   // version 1.1
                                0x00, 0x00, 0x00, 0x00,   // GET_QUOTE_REQ
                                0x18, 0x04, 0x00, 0x00,   // 24 + 1024
                                0x00, 0x00, 0x00, 0x00,   // no error
                                0x00, 0x04, 0x00, 0x00,   // report
                                0x00, 0x00, 0x00, 0x00};  // no ids
  for (std::size_t i = 0; i < kHead.size(); ++i) EXPECT_EQ(request[i], std::byte(kHead[i])) << i;
  EXPECT_EQ(request[28], std::byte{0xAB});
}

TEST_F(QuoteServiceTest, TellsTheGuestThatALateAnswerComesLater) {
  FakeQgs service(FakeQgs::respond("late"));
  service.hold();
  make(service.address(), milliseconds(0));
  EXPECT_EQ(get_quote(), 0U);
  EXPECT_EQ(buffer_.status(), QuoteBuffer::kInFlight);
  service.release();
  completed_.get_future().wait();
  EXPECT_EQ(buffer_.status(), 0U);
  EXPECT_EQ(buffer_.quote(), "late");
}

TEST_F(QuoteServiceTest, LetsHeldVcpusGoToPause) {
  FakeQgs service(FakeQgs::respond("late"));
  service.hold();
  make(service.address());
  auto call = std::async(std::launch::async, [this] { return get_quote(); });
  service.wait_for_requests(1);
  quotes_->release_vcpus();
  EXPECT_EQ(call.get(), 0U);
  EXPECT_EQ(buffer_.status(), QuoteBuffer::kInFlight);
  service.release();
  completed_.get_future().wait();
  EXPECT_EQ(buffer_.quote(), "late");
}

TEST_F(QuoteServiceTest, UsesAConnectionAgain) {
  FakeQgs service(FakeQgs::respond("q"));
  make(service.address());
  for (int i = 0; i < 3; ++i) {
    buffer_.prepare();
    EXPECT_EQ(get_quote(), 0U);
    EXPECT_EQ(buffer_.status(), 0U);
  }
  EXPECT_EQ(service.connection_count(), 1U);
}

TEST_F(QuoteServiceTest, ConnectsAnewToAServiceThatClosesAfterEachReply) {
  FakeQgs service(FakeQgs::send_and_close(FakeQgs::response("q")));
  make(service.address());
  for (int i = 0; i < 3; ++i) {
    buffer_.prepare();
    EXPECT_EQ(get_quote(), 0U);
    EXPECT_EQ(buffer_.status(), 0U);
  }
  EXPECT_EQ(service.connection_count(), 3U);
}

TEST_F(QuoteServiceTest, AsksForSeveralQuotesAtATime) {
  FakeQgs service(FakeQgs::respond("q"));
  service.hold();
  make(service.address(), milliseconds(0));
  for (int i = 0; i < 4; ++i) {
    buffer_.prepare();
    EXPECT_EQ(get_quote(), 0U);
  }
  service.wait_for_requests(4);
  quotes_.reset();
}

TEST_F(QuoteServiceTest, AsksTheGuestToComeBackWhileSixteenRequestsAreUnderWay) {
  FakeQgs service(FakeQgs::respond("q"));
  service.hold();
  make(service.address(), milliseconds(0));
  for (int i = 0; i < 16; ++i) {
    buffer_.prepare();
    EXPECT_EQ(get_quote(), 0U) << i;
  }
  buffer_.prepare();
  EXPECT_EQ(get_quote(), kRetry);
  EXPECT_EQ(buffer_.status(), 0U);
  quotes_.reset();
}

// QEMU loses one of its sixteen places with each failure.
TEST_F(QuoteServiceTest, FailuresTakeNoPlaces) {
  make(qgs::UnixAddress{"/nonexistent/qgs.socket"});
  for (int i = 0; i < 40; ++i) {
    buffer_.prepare();
    EXPECT_EQ(get_quote(), 0U) << i;
    EXPECT_EQ(buffer_.status(), kServiceUnavailable) << i;
  }
}

TEST_F(QuoteServiceTest, GivesUpWhenTheTimeIsOver) {
  FakeQgs service(FakeQgs::respond("q"));
  service.hold();
  make(service.address(), kForever, milliseconds(1));
  EXPECT_EQ(get_quote(), 0U);
  EXPECT_EQ(buffer_.status(), kServiceUnavailable);
}

TEST_F(QuoteServiceTest, EndsWhileTheServiceKeepsSilent) {
  FakeQgs service(FakeQgs::respond("q"));
  service.hold();
  make(service.address(), milliseconds(0));
  EXPECT_EQ(get_quote(), 0U);
  service.wait_for_requests(1);
  quotes_.reset();
  EXPECT_EQ(buffer_.status(), QuoteBuffer::kInFlight);
}

/// A reply, and the status that the guest gets for it.
struct BadReply {
  const char* name;
  FakeQgs::Bytes bytes;
};

FakeQgs::Bytes changed(std::size_t offset, std::uint8_t value) {
  auto bytes = FakeQgs::response("quote");
  bytes.at(offset) = std::byte{value};
  return bytes;
}

FakeQgs::Bytes first_bytes(std::size_t count) {
  auto bytes = FakeQgs::response("quote");
  bytes.resize(count);
  return bytes;
}

class BadReplyTest : public QuoteServiceTest, public testing::WithParamInterface<BadReply> {};

TEST_P(BadReplyTest, IsAnErrorForTheGuestAndLeavesItsReport) {
  FakeQgs service(FakeQgs::send_and_close(GetParam().bytes));
  make(service.address());
  EXPECT_EQ(get_quote(), 0U);
  EXPECT_EQ(buffer_.status(), kServiceError);
  EXPECT_EQ(buffer_.field<std::uint32_t>(20), 0U);
  EXPECT_EQ(buffer_.field<std::uint8_t>(24), 0xAB);
}

INSTANTIATE_TEST_SUITE_P(
    QuoteService, BadReplyTest,
    testing::Values(BadReply{"ErrorCode", FakeQgs::response("", 0x12001)},
                    BadReply{"QuoteLargerThanTheBuffer", FakeQgs::response(std::string(0x2000, 'q'))},
                    BadReply{"MajorVersion", changed(4, 2)}, BadReply{"Type", changed(8, 0)},
                    BadReply{"SizeInHeader", changed(12, 3)}, BadReply{"IdSize", changed(20, 1)},
                    BadReply{"QuoteSize", changed(24, 6)}, BadReply{"SizeBelowHeader", changed(3, 23)},
                    BadReply{"HugeSize", changed(0, 0x7F)}, BadReply{"PrefixOnly", first_bytes(4)},
                    BadReply{"HalfPrefix", first_bytes(2)}, BadReply{"HalfReply", first_bytes(20)}),
    [](const auto& test) { return test.param.name; });

TEST_F(QuoteServiceTest, TakesAServiceThatHangsUpForUnavailable) {
  FakeQgs service(FakeQgs::send_and_close({}));
  make(service.address());
  EXPECT_EQ(get_quote(), 0U);
  EXPECT_EQ(buffer_.status(), kServiceUnavailable);
}

TEST(QgsAddress, ReadsPathsAndVsockPorts) {
  EXPECT_EQ(*qgs::parse_address("/run/qgs"), qgs::Address(qgs::UnixAddress{"/run/qgs"}));
  EXPECT_EQ(*qgs::parse_address("unix:/run/qgs"), qgs::Address(qgs::UnixAddress{"/run/qgs"}));
  EXPECT_EQ(*qgs::parse_address("vsock:2:4050"), qgs::Address(qgs::VsockAddress{2, 4050}));
  EXPECT_EQ(qgs::to_text(qgs::VsockAddress{2, 4050}), "vsock:2:4050");
}

TEST(QgsAddress, RefusesOtherTexts) {
  for (const char* text : {"", "qgs", "unix:qgs", "vsock:", "vsock:2", "vsock:2:", "vsock:x:1",
                           "vsock:2:4050 ", "vsock:2:4294967296", "tcp:1.2.3.4:5"})
    EXPECT_FALSE(qgs::parse_address(text)) << text;
  EXPECT_FALSE(qgs::parse_address("/" + std::string(107, 'a')));
}

}  // namespace
}  // namespace virttdx::test
