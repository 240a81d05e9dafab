// SPDX-License-Identifier: GPL-2.0-or-later
// Debian 13's stock cloud kernel boots as a TD on the software TDX host, to user space and back.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "example_td.h"
#include "machine/vm.h"
#include "memory_serial_backend.h"
#include "softhost/soft_host.h"

namespace virttdx {
namespace {

namespace fs = std::filesystem;

constexpr auto kFirmware = "/usr/share/ovmf/OVMF.fd";
// Many times what the guest needs: ends a boot that makes no progress.
constexpr std::uint64_t kVcpuTimeLimitNs = 600'000'000'000;
// tests/guest/fetch: the archive cannot be had.
constexpr int kCannotBeHad = 77;

fs::path source(const char* below) { return fs::path(VIRTTDX_SOURCE) / "tests/guest" / below; }

fs::path guest_directory() {
  if (const char* given = std::getenv("VIRTTDX_GUEST_CACHE")) return given;
  if (const char* cache = std::getenv("XDG_CACHE_HOME")) return fs::path(cache) / "virttdx/guest";
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr ? home : "/var/tmp") / ".cache/virttdx/guest";
}

int run_program(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

/// Its parameter: how many vCPUs.
struct LinuxBoot : testing::TestWithParam<std::uint32_t> {
  void SetUp() override {
    if (!fs::exists(kFirmware)) GTEST_SKIP() << kFirmware << " is absent: install ovmf";
    const fs::path files = guest_directory();
    const int fetched = run_program(quoted(source("fetch")) + " " + quoted(files));
    if (fetched == kCannotBeHad) GTEST_SKIP() << "Debian 13's kernel cannot be fetched to " << files;
    ASSERT_EQ(fetched, 0);
    initrd = fs::temp_directory_path() / ("virttdx-initrd-" + std::to_string(getpid()));
    ASSERT_EQ(run_program("python3 " + quoted(source("make_initrd.py")) + " " + quoted(files / "root") + " " +
                          quoted(source("init.sh")) + " " + quoted(initrd)),
              0);
    auto config = test::example_td(*host);
    ASSERT_TRUE(config) << config.error().message();
    config->vcpu_count = GetParam();
    config->kernel = {(files / "vmlinuz").string(), initrd.string(), "console=ttyS0,115200 panic=-1"};
    auto created = Vm::create(*config, {.kernel = *host,
                                        .serials = {{0, &console}},
                                        .on_event = [](const MonitorEvent&) {},
                                        .host_mrtd = [this](int fd) { return host->mrtd(fd); }});
    ASSERT_TRUE(created) << created.error().message();
    vm = std::move(*created);
    const auto started = vm->start();
    ASSERT_TRUE(started) << started.error().message();
  }
  void TearDown() override {
    vm.reset();
    std::error_code ignored;
    fs::remove(initrd, ignored);
  }
  /// Runs the guest to its end; false when its first vCPU used up its limit.
  bool run_to_its_end() {
    console.wait_for("text that no guest prints", 0, [this] {
      const MonitorStatus status = vm->status();
      return status.state == VmState::Stopped ||
             (!status.vcpu_time_ns.empty() && status.vcpu_time_ns[0] > kVcpuTimeLimitNs);
    });
    return vm->status().state == VmState::Stopped;
  }
  /// What init.sh said after "guest: NAME", a line each.
  std::vector<std::string> said(const std::string& name) const {
    std::vector<std::string> found;
    std::istringstream lines(console.output());
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      const std::string prefix = "guest: " + name;
      const std::size_t at = line.find(prefix);
      if (at != std::string::npos) found.push_back(line.substr(at + prefix.size()));
    }
    return found;
  }

  std::unique_ptr<softhost::SoftHost> host = softhost::create_soft_host();
  test::MemorySerialBackend console;
  std::unique_ptr<Vm> vm;
  fs::path initrd;
};

TEST_P(LinuxBoot, ReachesUserSpaceRunsProgramsAndPowersOff) {
  const auto measurements = vm->measurements();
  ASSERT_TRUE(measurements) << measurements.error().message();
  EXPECT_EQ(measurements->host_mrtd, measurements->mrtd);
  ASSERT_TRUE(run_to_its_end()) << console.output();
  EXPECT_EQ(vm->status().stop_reason, StopReason::GuestShutdown) << console.output();
  ASSERT_EQ(said("end").size(), 1U) << console.output();
  EXPECT_EQ(said("dmesg").size(), 1U) << "no 'tdx: Guest detected'\n" << console.output();

  // What the TDX module fixes to 1, and what this processor has not.
  const std::string flags = " " + said("flags").at(0) + " ";
  for (const char* fixed :
       {"fsgsbase",   "xsave",   "xsaveopt",  "xsavec",   "xgetbv1", "xsaves",    "rdrand",
        "rdseed",     "invpcid", "movbe",     "sha_ni",   "movdiri", "movdir64b", "clwb",
        "clflushopt", "aes",     "pclmulqdq", "smep",     "smap",    "pcid",      "bmi1",
        "bmi2",       "adx",     "x2apic",    "tdx_guest"})
    EXPECT_NE(flags.find(" " + std::string(fixed) + " "), std::string::npos) << fixed << " of" << flags;
  for (const char* absent : {"avx", "waitpkg", "rdpid", "pku", "monitor"})
    EXPECT_EQ(flags.find(" " + std::string(absent) + " "), std::string::npos) << absent << " of" << flags;

  // Results of programs, as they are on any Linux.
  EXPECT_EQ(said("numfmt"), std::vector<std::string>{" 118M"});
  EXPECT_EQ(said("seq"), std::vector<std::string>{" 250.0"});
  EXPECT_EQ(said("sha256"),
            std::vector<std::string>{" 2daeb1f36095b44b318410b3f4e8b5d989dcc7bb023d1426c492dab0a3053e74"});
  EXPECT_EQ(said("gzip"), std::vector<std::string>{" 96995b58d4cbf6aaa9041b4f00c7f6ae"});
  EXPECT_EQ(said("awk"), std::vector<std::string>{" 71500.000000"});
  EXPECT_EQ(said("forks"), std::vector<std::string>{" 50"});
  EXPECT_EQ(said("signal"), std::vector<std::string>{" 143"});
  EXPECT_EQ(said("processors"), std::vector<std::string>{" " + std::to_string(GetParam())});
  EXPECT_TRUE(said("error").empty()) << console.output();
}

// Other vCPUs wait in the firmware's mailbox until the kernel wakes them.
INSTANTIATE_TEST_SUITE_P(Vcpus, LinuxBoot, testing::Values(1, 2, 4));

}  // namespace
}  // namespace virttdx
