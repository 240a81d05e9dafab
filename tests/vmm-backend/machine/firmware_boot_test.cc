// SPDX-License-Identifier: GPL-2.0-or-later
// Debian's stock firmware boots as a TD on the software TDX host.
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "example_td.h"
#include "machine/vm.h"
#include "memory_serial_backend.h"
#include "softhost/soft_host.h"

namespace virttdx {
namespace {

constexpr auto kFirmware = "/usr/share/ovmf/OVMF.fd";
// Several hundred times what the guest needs to its prompt: ends a boot that makes no progress.
constexpr std::uint64_t kVcpuTimeLimitNs = 300'000'000'000;

struct FirmwareBoot : testing::Test {
  void SetUp() override {
    if (!std::filesystem::exists(kFirmware)) GTEST_SKIP() << kFirmware << " is absent: install ovmf";
    auto config = test::example_td(*host);
    ASSERT_TRUE(config) << config.error().message();
    change(*config);
    auto created =
        Vm::create(*config, {.kernel = *host,
                             .serials = {{0, &console}},
                             .on_event = [this](const MonitorEvent& event) { events.push_back(event); },
                             .host_mrtd = [this](int fd) { return host->mrtd(fd); }});
    ASSERT_TRUE(created) << created.error().message();
    vm = std::move(*created);
    const auto started = vm->start();
    ASSERT_TRUE(started) << started.error().message();
  }
  virtual void change(VmConfig& /*config*/) {}
  /// Position behind `text` in the output from `start` on, or npos when the guest ended or used up its limit.
  std::size_t wait_for(std::string_view text, std::size_t start) {
    return console.wait_for(text, start, [this] {
      const MonitorStatus status = vm->status();
      return status.state == VmState::Stopped ||
             (!status.vcpu_time_ns.empty() && status.vcpu_time_ns[0] > kVcpuTimeLimitNs);
    });
  }
  /// Position behind the shell's prompt. Ends the wait for startup.nsh with a key: ESC would take two seconds
  /// to be told from a sequence.
  std::size_t wait_for_prompt(std::size_t start) {
    const std::size_t countdown = wait_for("seconds to skip", start);
    if (countdown == std::string::npos) return countdown;
    console.type(" ");
    return wait_for("Shell>", countdown);
  }

  std::unique_ptr<softhost::SoftHost> host = softhost::create_soft_host();
  test::MemorySerialBackend console;
  std::vector<MonitorEvent> events;
  std::unique_ptr<Vm> vm;
};

TEST_F(FirmwareBoot, ReachesAShellThatAnswersVer) {
  const std::size_t prompt = wait_for_prompt(0);
  ASSERT_NE(prompt, std::string::npos) << vm->status().message << "\n" << console.output();
  console.type("ver\r");
  EXPECT_NE(wait_for("UEFI Interactive Shell v", prompt), std::string::npos) << console.output();

  const auto measurements = vm->measurements();
  ASSERT_TRUE(measurements) << measurements.error().message();
  EXPECT_EQ(measurements->host_mrtd, measurements->mrtd);
}

TEST_F(FirmwareBoot, BootsAgainAfterAResetAndPowersOff) {
  const std::size_t prompt = wait_for_prompt(0);
  ASSERT_NE(prompt, std::string::npos) << vm->status().message << "\n" << console.output();
  console.type("reset -c\r");
  const std::size_t second_prompt = wait_for_prompt(prompt);
  ASSERT_NE(second_prompt, std::string::npos) << vm->status().message << "\n" << console.output();
  EXPECT_EQ(vm->status().recreated, 1U);
  console.type("reset -s\r");
  wait_for("text that no guest prints", second_prompt);  // returns when the TD has ended
  EXPECT_EQ(vm->status().state, VmState::Stopped);
  EXPECT_EQ(vm->status().stop_reason, StopReason::GuestShutdown);
}

struct Size {
  std::uint32_t vcpus;
  std::uint64_t mebibytes;
};

struct FirmwareBootOfSize : FirmwareBoot, testing::WithParamInterface<Size> {
  void change(VmConfig& config) override {
    config.vcpu_count = GetParam().vcpus;
    config.memory_bytes = GetParam().mebibytes << 20;
  }
};

// The firmware waits in SEC until as many vCPUs have arrived as TDG.VP.INFO tells.
TEST_P(FirmwareBootOfSize, ReachesTheShellWithAllVcpus) {
  ASSERT_NE(wait_for_prompt(0), std::string::npos) << vm->status().message << "\n" << console.output();
  const auto times = vm->status().vcpu_time_ns;
  ASSERT_EQ(times.size(), GetParam().vcpus);
  for (const std::uint64_t time : times) EXPECT_GT(time, 0U);
}

INSTANTIATE_TEST_SUITE_P(Sizes, FirmwareBootOfSize,
                         testing::Values(Size{1, 256}, Size{2, 1024}, Size{2, 8192}, Size{8, 512},
                                         Size{8, 8192}),
                         [](const auto& instance) {
                           return std::to_string(instance.param.vcpus) + "VcpusAnd" +
                                  std::to_string(instance.param.mebibytes) + "MiB";
                         });

}  // namespace
}  // namespace virttdx
