// SPDX-License-Identifier: GPL-2.0-or-later
// What a TD sees of every TDCALL leaf, TDVMCALL and #VE source, reported from inside of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <sstream>

#include "expected_lines.h"
#include "machine/vm.h"
#include "memory_serial_backend.h"
#include "payload_image.h"
#include "payload_lists.h"
#include "softhost/soft_host.h"
#include "support/file.h"
#include "tdx/capabilities.h"
#include "vmm_backend/td_prediction.h"

namespace virttdx {
namespace {

using test::ExpectedLine;
using test::ExpectedLines;
using testing::HasSubstr;

constexpr std::uint32_t kTscKhz = 2'000'000, kTscUnitKhz = 25'000;
constexpr std::uint64_t kSeptVeDisable = 1ULL << 28;

Measurement extended_once_by_payload() {
  constexpr std::uint64_t kElement = 0x0102030405060708;  // rtmr_data
  std::array<std::byte, 2 * sizeof(Measurement)> both{};
  for (std::size_t at = sizeof(Measurement); at < both.size(); at += sizeof(kElement))
    std::memcpy(both.data() + at, &kElement, sizeof(kElement));
  Measurement digest;
  SHA384(reinterpret_cast<const unsigned char*>(both.data()), both.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

class Payload : public testing::Test {
 protected:
  void SetUp() override {
    const auto payload = read_file(VIRTTDX_PAYLOAD, 1U << 20);
    ASSERT_TRUE(payload) << payload.error().message();
    const auto image = test::payload_image(*payload);
    ASSERT_FALSE(image.empty()) << "the payload has " << payload->size() << " bytes, more than its room";
    const std::string_view content(reinterpret_cast<const char*>(image.data()), image.size());
    ASSERT_TRUE(write_file_atomically(firmware_, content, 0600));
    config_.name = "payload";
    config_.uuid = "00112233-4455-6677-8899-aabbccddeeff";
    config_.host = HostKind::Soft;
    config_.memory_bytes = 64ULL << 20;
    config_.firmware_path = firmware_;
    config_.serials.resize(1);
    config_.td.attributes = 0;
    config_.td.tsc_khz = kTscKhz;
    config_.td.mr_config_id.fill(std::byte{0xA5});
    config_.td.cpuid = {{0x80000008, 0, false, 48U << 16, 0, 0, 0}};
    config_.td.vcpu_cpuid = read_host_capabilities(*host_, HostKind::Soft).supported_cpuid;
    for (CpuidEntry& entry : config_.td.vcpu_cpuid)
      if (entry.function == 1) entry.ecx |= 1U << 21 | 1U << 31;  // x2APIC, hypervisor
  }
  void TearDown() override {
    vm_.reset();
    std::filesystem::remove(firmware_);
  }
  /// Until the TD has ended; what it printed.
  std::vector<std::string> run() {
    auto created = Vm::create(
        config_, {.kernel = *host_, .serials = {{0, &console_}}, .on_event = {}, .host_mrtd = [this](int fd) {
                    return host_->mrtd(fd);
                  }});
    EXPECT_TRUE(created) << created.error().message();
    if (!created) return {};
    vm_ = std::move(*created);
    const auto started = vm_->start();
    EXPECT_TRUE(started) << started.error().message();
    console_.wait_for(std::string(1, '\0'), 0, [this] { return vm_->status().state == VmState::Stopped; });
    std::vector<std::string> lines;
    std::istringstream output(console_.output());
    for (std::string line; std::getline(output, line);) lines.push_back(line);
    return lines;
  }
  test::PayloadTd payload_td() const {
    const auto tdvf = load_tdvf(firmware_);
    EXPECT_TRUE(tdvf) << tdvf.error().message();
    const auto predicted = predict_td(config_.td, *tdvf);
    EXPECT_TRUE(predicted) << predicted.error().message();
    return {predicted->mrtd, config_.td.mr_config_id, extended_once_by_payload(), kTscKhz / kTscUnitKhz};
  }
  ExpectedLines expected() const {
    const test::PayloadTd td = payload_td();
    ExpectedLines all;
    for (const auto& part : {test::expected_tdcall_leaves(td), test::expected_td_vmcalls(),
                             test::expected_ve_sources(td), test::expected_reduced_ve()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }

  std::unique_ptr<softhost::SoftHost> host_ = softhost::create_soft_host();
  const std::string firmware_ = testing::TempDir() + "payload_test." + std::to_string(getpid()) + ".fd";
  VmConfig config_;
  test::MemorySerialBackend console_;
  std::unique_ptr<Vm> vm_;
};

TEST_F(Payload, SeesWhatTheSpecificationsSay) {
  const auto seen = run();
  const ExpectedLines wanted = expected();
  for (std::size_t i = 0; i < std::min(seen.size(), wanted.size()); ++i)
    EXPECT_EQ(seen[i], wanted[i].name + " " + wanted[i].text);
  EXPECT_EQ(seen.size(), wanted.size()) << vm_->status().message;
  EXPECT_EQ(vm_->status().message, "guest reports fatal error 0x99: \"all good!\", data at 0x123000");
}

TEST_F(Payload, EndsAtAPageThatItHasNotAcceptedWhenItMayNotTakeAVe) {
  config_.td.attributes = kSeptVeDisable;
  const auto seen = run();
  EXPECT_EQ(seen, std::vector<std::string>{"SEPT_VE_DISABLE TDG.VP.INFO rdx=0x10000000"});
  EXPECT_EQ(vm_->status().stop_reason, StopReason::Crashed);
  EXPECT_THAT(vm_->status().message, HasSubstr("KVM_RUN"));
}

std::string_view first_word(std::string_view name) { return name.substr(0, name.find(' ')); }

bool has_line(const ExpectedLines& lines, std::string_view entry,
              const std::function<bool(const ExpectedLine&)>& condition) {
  return std::ranges::any_of(
      lines, [&](const auto& line) { return first_word(line.name) == entry && condition(line); });
}
bool any(const ExpectedLine&) { return true; }
bool begins(const ExpectedLine& line, const char* text) { return line.text.starts_with(text); }

TEST_F(Payload, HasALineForEachEntryOfItsLists) {
  const ExpectedLines lines = expected();
  for (const char* const name : test::kTdcallLeaves) EXPECT_TRUE(has_line(lines, name, any)) << name;
  for (const char* const name : test::kTdVmcalls) EXPECT_TRUE(has_line(lines, name, any)) << name;
  for (const char* const name : test::kVeSources) EXPECT_TRUE(has_line(lines, name, any)) << name;
}

TEST_F(Payload, HasASuccessAndARefusalOfEachCallThatHasBoth) {
  const ExpectedLines lines = expected();
  for (const char* const name : test::kModelledLeaves) {
    EXPECT_TRUE(has_line(lines, name, [](const auto& line) { return begins(line, "rax=0x0"); })) << name;
    EXPECT_TRUE(has_line(lines, name, [](const auto& line) { return begins(line, "rax=0xc0000"); })) << name;
  }
  for (const char* const name : test::kRefusingTdVmcalls) {
    EXPECT_TRUE(has_line(lines, name, [](const auto& line) { return begins(line, "r10=0x0"); })) << name;
    EXPECT_TRUE(has_line(lines, name, [](const auto& line) { return begins(line, "r10=0x8"); })) << name;
  }
}

}  // namespace
}  // namespace virttdx
