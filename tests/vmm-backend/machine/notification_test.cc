// SPDX-License-Identifier: GPL-2.0-or-later
// A guest asks for a quote, goes to sleep and is woken by the interrupt that it asked for when the quote is
// there: TDVMCALL<GetQuote> and <SetupEventNotifyInterrupt> from the guest's instructions to the quote
// service and back.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "fake_qgs.h"
#include "long_mode.h"
#include "machine/vm.h"
#include "memory_serial_backend.h"
#include "softhost/soft_host.h"
#include "support/file.h"
#include "td_program.h"
#include "tdvf_image.h"
#include "tdx/capabilities.h"
#include "vmm_backend/td_prediction.h"
#include "vmm_backend/td_report_spec.h"

namespace virttdx {
namespace {

using softhost::Program;

// Linear addresses are GPAs, and 1 GiB higher their SHARED aliases.
constexpr std::uint64_t kSharedBit = 1ULL << 47;
constexpr std::uint32_t kSharedWindow = 0x40000000;
constexpr std::uint32_t kPage = 0x6000, kReportData = 0x6100, kReport = 0x6400, kBuffer = 0x100000;
constexpr std::uint32_t kStatus = kSharedWindow + kBuffer + 8;
constexpr std::uint64_t kHlt = 12, kWrmsr = 32, kMapGpa = 0x10001, kGetQuote = 0x10002, kSetup = 0x10004;
constexpr std::uint64_t kSpurious = 0x80F, kApicOn = 0x1FF, kVector = 0x40;

/// 'F': the answer came while the request was in flight; 'I': so did the interrupt; 'Q': the quote is there.
Program asks_for_a_quote() {
  return Program()
      .accept(kPage, 0)
      .vmcall(kMapGpa, kSharedBit | kBuffer, 0x1000)
      .make_report(kReport, kReportData)
      .copy(kReport, kSharedWindow + kBuffer + 24, 1024)
      .store_number(kSharedWindow + kBuffer, 1)
      .store_number(kSharedWindow + kBuffer + 16, 1024)
      .vmcall(kWrmsr, kSpurious, kApicOn)
      .vmcall(kSetup, kVector)
      .vmcall(kGetQuote, kSharedBit | kBuffer, 0x1000)
      .print_if(kStatus, -1, 'F')
      .vmcall(kHlt)
      .wait_for_interrupt()
      .print('I')
      .print_if(kStatus, 0, 'Q')
      .spin();
}

/// Goes to 64-bit mode and runs the program.
test::TdvfImage image_with(const Program& program) {
  constexpr std::size_t kBody = 0x1160;
  test::TdvfImage image;
  test::enter_64_bit_mode(image);
  image.put<std::uint16_t>(0x1130, 0xFFF);  // IDTR: only vector 0x40's gate, at 0xfffff900, is used
  image.put<std::uint64_t>(0x1132, 0xFFFFF500);
  image.put_bytes(0x1140, {
                              0xB8, 0x10, 0x00, 0x00, 0x00,              // mov $0x10, %eax
                              0x8E, 0xD0,                                // mov %eax, %ss
                              0xBC, 0x00, 0xD0, 0x80, 0x00,              // mov $0x80d000, %esp
                              0x0F, 0x01, 0x1D, 0xDD, 0xFF, 0xFF, 0xFF,  // lidt 0xfffff130(%rip)
                              0xE9, 0x08, 0x00, 0x00, 0x00,              // jmp body
                          });
  std::size_t at = kBody;
  for (const std::byte byte : program.code()) image.put_bytes(at++, {static_cast<int>(byte)});
  EXPECT_LT(at, 0x1900U);
  image.put<std::uint64_t>(0x1900, 0xFFFF'8E00'0008'FA00);
  image.put<std::uint64_t>(0x1908, 0);
  image.put_bytes(0x1A00, {
                              0x50, 0x51, 0x52,                                // push %rax, %rcx, %rdx
                              0xB9, 0x0B, 0x08, 0x00, 0x00,                    // mov $0x80b, %ecx (EOI)
                              0x31, 0xC0, 0x31, 0xD2,                          // xor %eax, %eax; %edx, %edx
                              0x0F, 0x30,                                      // wrmsr
                              0x48, 0xFF, 0x04, 0x25, 0x80, 0x60, 0x00, 0x00,  // incq 0x6080
                              0x5A, 0x59, 0x58,                                // pop %rdx, %rcx, %rax
                              0x48, 0xCF,                                      // iretq
                          });
  return image.put_bytes(0x1FF0, {0xE9, 0x0B, 0xF0, 0xFF, 0xFF});  // jmp 0xfffff000
}

class Notification : public testing::Test {
 protected:
  void SetUp() override {
    const auto image = image_with(asks_for_a_quote()).bytes();
    const std::string_view content(reinterpret_cast<const char*>(image.data()), image.size());
    ASSERT_TRUE(write_file_atomically(firmware_, content, 0600));
    VmConfig& config = config_;
    config.name = "test";
    config.uuid = "00112233-4455-6677-8899-aabbccddeeff";
    config.host = HostKind::Soft;
    config.memory_bytes = 64ULL << 20;
    config.firmware_path = firmware_;
    config.serials.resize(1);
    config.td.cpuid = {{0x80000008, 0, false, 48U << 16, 0, 0, 0}};
    config.td.vcpu_cpuid = read_host_capabilities(*host_, HostKind::Soft).supported_cpuid;
    for (CpuidEntry& entry : config.td.vcpu_cpuid)
      if (entry.function == 1) entry.ecx |= 1U << 21 | 1U << 31;  // x2APIC, hypervisor
    config.td.quote_service_socket = service_.path();
    config.td.quote_wait_ms = 0;
    auto created = Vm::create(config, {.kernel = *host_,
                                       .serials = {{0, &console_}},
                                       .on_event = [](const MonitorEvent&) {},
                                       .host_mrtd = [this](int fd) { return host_->mrtd(fd); }});
    ASSERT_TRUE(created) << created.error().message();
    vm_ = std::move(*created);
  }
  void TearDown() override {
    vm_.reset();
    std::filesystem::remove(firmware_);
  }
  std::string wait_for(std::string_view text) {
    console_.wait_for(text, 0, [this] { return vm_->status().state == VmState::Stopped; });
    return console_.output();
  }

  test::FakeQgs service_{test::FakeQgs::respond("a quote")};
  std::unique_ptr<softhost::SoftHost> host_ = softhost::create_soft_host();
  const std::string firmware_ = testing::TempDir() + "notification_test." + std::to_string(getpid()) + ".fd";
  VmConfig config_;
  test::MemorySerialBackend console_;
  std::unique_ptr<Vm> vm_;
};

TEST_F(Notification, WakesTheGuestWhenItsQuoteIsThere) {
  service_.hold();
  ASSERT_TRUE(vm_->start());
  EXPECT_EQ(wait_for("F"), "F");
  service_.wait_for_requests(1);
  EXPECT_EQ(console_.output(), "F");
  service_.release();
  EXPECT_EQ(wait_for("Q"), "FIQ") << vm_->status().message;
}

// What `virt-tdx measure` says of a definition before there is a TD.
TEST_F(Notification, ShowsTheServiceTheReportThatWasPredicted) {
  constexpr std::size_t kRequestHeader = 4 + 24;
  ASSERT_TRUE(vm_->start());
  service_.wait_for_requests(1);
  const auto tdvf = load_tdvf(firmware_);
  ASSERT_TRUE(tdvf) << tdvf.error().message();
  const auto predicted = predict_td(config_.td, *tdvf);
  ASSERT_TRUE(predicted) << predicted.error().message();
  const test::FakeQgs::Bytes request = service_.request(0);
  const auto reported = [&](std::size_t offset) {
    Measurement value;
    std::memcpy(value.data(), request.data() + kRequestHeader + offset, value.size());
    return value;
  };
  EXPECT_EQ(reported(tdx::report::kTeeInfoHash), predicted->td_info_hash);
  EXPECT_EQ(reported(tdx::report::kMrtd), predicted->mrtd);
  EXPECT_EQ(reported(tdx::report::kRtmr0), Measurement());
}

}  // namespace
}  // namespace virttdx
