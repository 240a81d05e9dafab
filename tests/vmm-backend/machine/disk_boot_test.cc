// SPDX-License-Identifier: GPL-2.0-or-later
// Debian's stock firmware as a TD reads and writes a FAT disk with its own virtio driver.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "backends/host_backends.h"
#include "example_td.h"
#include "machine/vm.h"
#include "memory_serial_backend.h"
#include "softhost/soft_host.h"

namespace virttdx {
namespace {

constexpr auto kFirmware = "/usr/share/ovmf/OVMF.fd";
constexpr auto kText = "read from a virtio disk";
// The firmware runs it by itself.
constexpr auto kStartup = "fs0:\r\ntype hello.txt\r\ncp hello.txt copy.txt\r\nreset -s\r\n";
// Several hundred times what the guest needs: ends a boot that makes no progress.
constexpr std::uint64_t kVcpuTimeLimitNs = 300'000'000'000;

/// The output of a command, or nothing when it failed.
std::optional<std::string> output_of(const std::string& command) {
  std::string output;
  FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> part{};
  while (pipe != nullptr && std::fgets(part.data(), part.size(), pipe) != nullptr) output += part.data();
  return pipe != nullptr && ::pclose(pipe) == 0 ? std::optional(output) : std::nullopt;
}

struct DiskBoot : testing::TestWithParam<PciAddress> {
  void SetUp() override {
    if (!std::filesystem::exists(kFirmware)) GTEST_SKIP() << kFirmware << " is absent: install ovmf";
    if (!output_of("mformat --version")) GTEST_SKIP() << "mformat is absent: install mtools";
    directory = std::filesystem::temp_directory_path() / ("disk-boot-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory);
    image = directory / "fat.img";
    write_file("hello.txt", kText);
    write_file("startup.nsh", kStartup);
    ASSERT_TRUE(output_of("mformat -C -T 32768 -i " + image.string() + " ::"));
    ASSERT_TRUE(output_of("mcopy -i " + image.string() + " " + (directory / "hello.txt").string() + " " +
                          (directory / "startup.nsh").string() + " ::"));
  }
  void TearDown() override { std::filesystem::remove_all(directory); }
  void write_file(const std::string& name, const std::string& text) {
    std::ofstream(directory / name) << text;
  }

  Result<VmConfig> config() {
    auto config = test::example_td(*host);
    if (!config) return config;
    if (GetParam().bus != 0) {
      auto& port = config->devices.root_ports.emplace_back();
      port.id = "pci.1";
      port.address = {0, 2, 0};
      port.bus = GetParam().bus;
    }
    auto& disk = config->devices.disks.emplace_back();
    disk.id = "virtio-disk0";
    disk.target = "vda";
    disk.address = GetParam();
    disk.source.emplace().path = image.string();
    disk.serial = "fat";
    disk.queues = 2;
    return config;
  }
  void wait_for_end() {
    const auto ended = [this] {
      const MonitorStatus status = vm->status();
      return status.state == VmState::Stopped ||
             (!status.vcpu_time_ns.empty() && status.vcpu_time_ns[0] > kVcpuTimeLimitNs);
    };
    const std::size_t countdown = console.wait_for("seconds to skip", 0, ended);
    if (countdown != std::string::npos) console.type(" ");
    console.wait_for("text that no guest prints", 0, ended);
  }

  std::filesystem::path directory, image;
  std::unique_ptr<softhost::SoftHost> host = softhost::create_soft_host();
  test::MemorySerialBackend console;
  std::unique_ptr<EventLoop> loop = EventLoop::create().value();
  std::unique_ptr<HostBackends> devices;
  std::unique_ptr<Vm> vm;
};

TEST_P(DiskBoot, ReadsAndWritesAFatDisk) {
  const auto td = config();
  ASSERT_TRUE(td) << td.error().message();
  auto made = HostBackends::create(td->devices, {.loop = *loop});
  ASSERT_TRUE(made) << made.error().message();
  devices = std::move(*made);
  auto created = Vm::create(*td, {.kernel = *host,
                                  .serials = {{0, &console}},
                                  .devices = devices->by_id(),
                                  .on_event = {},
                                  .host_mrtd = {}});
  ASSERT_TRUE(created) << created.error().message();
  vm = std::move(*created);
  const auto started = vm->start();
  ASSERT_TRUE(started) << started.error().message();
  wait_for_end();
  EXPECT_EQ(vm->status().stop_reason, StopReason::GuestShutdown) << vm->status().message << console.output();
  EXPECT_NE(console.output().find(kText), std::string::npos) << console.output();
  EXPECT_EQ(output_of("mtype -i " + image.string() + " ::copy.txt"), kText) << console.output();
  const DiskStatistics statistics = devices->statistics().disks.at(0);
  EXPECT_GT(statistics.read_requests, 0U);
  EXPECT_GT(statistics.write_bytes, 0U);
  EXPECT_EQ(statistics.errors, 0U);
}

INSTANTIATE_TEST_SUITE_P(AtTheRootComplexAndBehindAPort, DiskBoot,
                         testing::Values(PciAddress{0, 3, 0}, PciAddress{1, 0, 0}));

}  // namespace
}  // namespace virttdx
