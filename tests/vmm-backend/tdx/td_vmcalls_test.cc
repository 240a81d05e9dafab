// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_vmcalls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include "support/byte_order.h"
#include "support/unique_fd.h"

namespace virttdx::test {
namespace {

constexpr std::uint64_t kBuffer = 0x10000;
constexpr std::uint64_t kBufferSize = 0x2000;
constexpr std::uint64_t kGetTdVmCallInfo = 0x10000;
constexpr std::uint64_t kGetQuote = 0x10002;
constexpr std::uint64_t kSetupEventNotifyInterrupt = 0x10004;
constexpr std::uint64_t kPreset = 0x8000000000000003;  // KVM's: SUBFUNC_UNSUPPORTED
constexpr std::uint64_t kInvalidOperand = 0x8000000000000000;
constexpr std::uint64_t kAlignError = 0x8000000000000002;
constexpr std::uint64_t kServiceUnavailable = 0x8000000000000001;
constexpr std::uint64_t kServiceError = 0x8000000000000000;
constexpr std::uint32_t kReportSize = 1024;

/// One buffer of the guest, shared.
class BufferMemory final : public DmaMemory {
 public:
  bool read(Gpa gpa, std::span<std::byte> into) override {
    const std::lock_guard lock(mutex_);
    const auto bytes = find(gpa, into.size());
    std::ranges::copy(bytes, into.begin());
    return bytes.size() == into.size();
  }
  bool write(Gpa gpa, std::span<const std::byte> from) override {
    const std::lock_guard lock(mutex_);
    const auto bytes = find(gpa, from.size());
    if (bytes.size() == from.size()) std::ranges::copy(from, bytes.begin());
    return bytes.size() == from.size();
  }
  std::span<std::byte> map(Gpa gpa, std::size_t size) override { return find(gpa, size); }
  template <typename T>
  T field(std::size_t offset) {
    const std::lock_guard lock(mutex_);
    return load_le<T>(bytes_, offset);
  }
  template <typename T>
  void set(std::size_t offset, T value) {
    const std::lock_guard lock(mutex_);
    store_le(std::span(bytes_), offset, value);
  }

 private:
  std::span<std::byte> find(Gpa gpa, std::size_t size) {
    const GpaRange whole = *GpaRange::create({kBuffer}, kBufferSize);
    const auto wanted = GpaRange::create(gpa, size);
    if (!wanted || !whole.contains(*wanted)) return {};
    return std::span(bytes_).subspan(gpa.value - kBuffer, size);
  }
  std::mutex mutex_;
  std::vector<std::byte> bytes_ = std::vector<std::byte>(kBufferSize);
};

/// A quote generation service that answers one request with given bytes.
class OneShotService {
 public:
  OneShotService() {
    std::string directory = (std::filesystem::temp_directory_path() / "qgs-XXXXXX").string();
    directory_ = mkdtemp(directory.data());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path(), address.sun_path);
    listener_.reset(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    CHECK(listen(listener_.get(), 1) == 0);
  }
  ~OneShotService() {
    if (thread_.joinable()) thread_.join();
    std::filesystem::remove_all(directory_);
  }
  std::string path() const { return directory_ + "/qgs.socket"; }
  void answer(std::vector<std::byte> reply) {
    thread_ = std::thread([this, reply = std::move(reply)] {
      const UniqueFd client(accept(listener_.get(), nullptr, nullptr));
      request.resize(4 + 24 + kReportSize);
      CHECK(recv(client.get(), request.data(), request.size(), MSG_WAITALL) ==
            static_cast<ssize_t>(request.size()));
      CHECK(send(client.get(), reply.data(), reply.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(reply.size()));
    });
  }
  std::vector<std::byte> request;

 private:
  std::string directory_;
  UniqueFd listener_;
  std::thread thread_;
};

/// A GET_QUOTE_RESP, spelt out: big-endian size, then version 1.1, type, size, error, id size, quote size,
/// quote.
std::vector<std::byte> response(const std::string& quote, std::uint32_t error) {
  const auto size = static_cast<std::uint32_t>(24 + quote.size());
  std::vector<std::byte> bytes(4 + size);
  const std::span all(bytes);
  bytes[2] = static_cast<std::byte>(size >> 8);
  bytes[3] = static_cast<std::byte>(size & 0xFF);
  store_le<std::uint16_t>(all, 4, 1);
  store_le<std::uint16_t>(all, 6, 1);
  store_le<std::uint32_t>(all, 8, 1);
  store_le<std::uint32_t>(all, 12, size);
  store_le<std::uint32_t>(all, 16, error);
  store_le<std::uint32_t>(all, 20, 0);
  store_le<std::uint32_t>(all, 24, static_cast<std::uint32_t>(quote.size()));
  std::ranges::transform(quote, bytes.begin() + 28,
                         [](char letter) { return static_cast<std::byte>(letter); });
  return bytes;
}

class TdVmcallsTest : public testing::Test {
 protected:
  void SetUp() override {
    capabilities_.user_tdvmcallinfo_1_r11 = 0x2;
    memory_.set<std::uint64_t>(0, 1);
    memory_.set<std::uint32_t>(16, kReportSize);
    memory_.set<std::uint8_t>(24, 0xAB);
  }
  void make(std::optional<std::string> socket) {
    calls_.emplace(memory_, capabilities_, std::move(socket),
                   [this](const MsiMessage& message) { interrupt_.set_value(message); });
  }
  std::uint64_t get_quote(std::uint64_t gpa = kBuffer, std::uint64_t size = kBufferSize) {
    kvm::kvm_run run{};
    run.tdx.nr = kGetQuote;
    run.tdx.get_quote = {kPreset, gpa, size};
    calls_->td_vmcall(run, 0);
    return run.tdx.get_quote.ret;
  }
  std::uint64_t setup_event_notify(std::uint64_t vector, std::uint32_t vcpu) {
    kvm::kvm_run run{};
    run.tdx.nr = kSetupEventNotifyInterrupt;
    run.tdx.setup_event_notify = {kPreset, vector};
    calls_->td_vmcall(run, vcpu);
    return run.tdx.setup_event_notify.ret;
  }
  std::uint64_t status() { return memory_.field<std::uint64_t>(8); }

  BufferMemory memory_;
  TdxCapabilities capabilities_;
  std::promise<MsiMessage> interrupt_;
  std::optional<TdVmcalls> calls_;
};

TEST_F(TdVmcallsTest, TellsWhichSubFunctionsThereAre) {
  capabilities_.user_tdvmcallinfo_1_r11 = 0xFF;
  capabilities_.kernel_tdvmcallinfo_1_r11 = 0x100;
  make({});
  kvm::kvm_run run{};
  run.tdx.nr = kGetTdVmCallInfo;
  run.tdx.get_tdvmcall_info = {kPreset, 1, 0, 0, 0, 0};
  calls_->td_vmcall(run, 0);
  EXPECT_EQ(run.tdx.get_tdvmcall_info.ret, 0U);
  EXPECT_EQ(run.tdx.get_tdvmcall_info.r11, 0x102U);
  EXPECT_EQ(run.tdx.get_tdvmcall_info.r12, 0U);
}

TEST_F(TdVmcallsTest, LeavesKvmsAnswerToUnknownCalls) {
  make({});
  kvm::kvm_run run{};
  run.tdx.nr = 0x10005;
  run.tdx.unknown.ret = kPreset;
  calls_->td_vmcall(run, 0);
  EXPECT_EQ(run.tdx.unknown.ret, kPreset);
}

TEST_F(TdVmcallsTest, TakesOnlyVectorsThatAreNotExceptions) {
  make({});
  EXPECT_EQ(setup_event_notify(31, 0), kInvalidOperand);
  EXPECT_EQ(setup_event_notify(256, 0), kInvalidOperand);
  EXPECT_EQ(setup_event_notify(32, 0), 0U);
}

TEST_F(TdVmcallsTest, AnswersAtOnceThatThereIsNoQuoteService) {
  make({});
  EXPECT_EQ(get_quote(), 0U);
  EXPECT_EQ(status(), kServiceUnavailable);
  EXPECT_EQ(memory_.field<std::uint32_t>(20), 0U);
}

TEST_F(TdVmcallsTest, RefusesQuoteBuffersAsTheGhciSays) {
  make({});
  EXPECT_EQ(get_quote(kBuffer, 0), kInvalidOperand);
  EXPECT_EQ(get_quote(kBuffer, 0x21000), kInvalidOperand);
  EXPECT_EQ(get_quote(kBuffer + 8), kAlignError);
  EXPECT_EQ(get_quote(kBuffer, 0x1800), kAlignError);
  EXPECT_EQ(get_quote(0x90000), kInvalidOperand);
  EXPECT_EQ(status(), 0U);
}

TEST_F(TdVmcallsTest, RefusesQuoteHeadersAsTheGhciSays) {
  make({});
  memory_.set<std::uint32_t>(16, kBufferSize - 23);
  EXPECT_EQ(get_quote(), kInvalidOperand);
  memory_.set<std::uint32_t>(16, kReportSize);
  memory_.set<std::uint64_t>(0, 2);
  EXPECT_EQ(get_quote(), kInvalidOperand);
  memory_.set<std::uint64_t>(0, 1);
  memory_.set<std::uint64_t>(8, ~0ULL);
  EXPECT_EQ(get_quote(), kInvalidOperand);
}

TEST_F(TdVmcallsTest, RefusesABufferThatIsNotWhollyShared) {
  make({});
  memory_.set<std::uint32_t>(16, kBufferSize);
  EXPECT_EQ(get_quote(kBuffer, 2 * kBufferSize), kInvalidOperand);
}

TEST_F(TdVmcallsTest, BringsTheServicesQuoteAndInterruptsTheVcpuThatAsked) {
  OneShotService service;
  service.answer(response("the quote", 0));
  make(service.path());
  EXPECT_EQ(setup_event_notify(0x50, 0x123), 0U);
  EXPECT_EQ(get_quote(), 0U);
  EXPECT_EQ(interrupt_.get_future().get(), (MsiMessage{0xFEE23020, 0x50}));
  EXPECT_EQ(status(), 0U);
  EXPECT_EQ(memory_.field<std::uint32_t>(20), 9U);
  EXPECT_EQ(memory_.field<std::uint8_t>(24), static_cast<std::uint8_t>('t'));
  EXPECT_EQ(service.request[3], std::byte{0x18});  // big-endian 24 + 1024
  EXPECT_EQ(service.request[2], std::byte{0x04});
  EXPECT_EQ(service.request[28], std::byte{0xAB});
}

TEST_F(TdVmcallsTest, ReportsAnErrorOfTheService) {
  OneShotService service;
  service.answer(response("", 5));
  make(service.path());
  setup_event_notify(0x50, 0);
  EXPECT_EQ(get_quote(), 0U);
  interrupt_.get_future().wait();
  EXPECT_EQ(status(), kServiceError);
}

TEST_F(TdVmcallsTest, RefusesAQuoteThatDoesNotFitTheBuffer) {
  OneShotService service;
  service.answer(response(std::string(kBufferSize, 'q'), 0));
  make(service.path());
  setup_event_notify(0x50, 0);
  EXPECT_EQ(get_quote(), 0U);
  interrupt_.get_future().wait();
  EXPECT_EQ(status(), kServiceError);
  EXPECT_EQ(memory_.field<std::uint8_t>(24), 0xAB);
}

TEST_F(TdVmcallsTest, ReportsAServiceThatIsNotThere) {
  make("/nonexistent/qgs.socket");
  setup_event_notify(0x50, 0);
  EXPECT_EQ(get_quote(), 0U);
  interrupt_.get_future().wait();
  EXPECT_EQ(status(), kServiceUnavailable);
}

TEST_F(TdVmcallsTest, EndsWhileTheServiceKeepsSilent) {
  OneShotService service;  // listens, never answers
  make(service.path());
  EXPECT_EQ(get_quote(), 0U);
  calls_.reset();
}

}  // namespace
}  // namespace virttdx::test
