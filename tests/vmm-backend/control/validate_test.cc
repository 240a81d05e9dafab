// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <functional>

#include "vmm_backend/vm_config.h"

namespace virttdx {
namespace {

VmConfig good() {
  VmConfig config;
  config.name = "td";
  config.uuid = "6c2b1a2e-93a5-4b2e-8e0f-1d2c3b4a5f60";
  config.memory_bytes = 256 << 20;
  config.firmware_path = "/usr/share/ovmf/OVMF.fd";
  config.td.cpuid = {{.function = 0x80000008, .eax = 48 << 16}};
  return config;
}

SerialConfig serial(std::uint8_t port) {
  SerialConfig config;
  config.port = port;
  return config;
}

std::string refusal(const std::function<void(VmConfig&)>& change) {
  auto config = good();
  change(config);
  const auto valid = validate(config);
  return valid ? "" : valid.error().message();
}

TEST(Validate, AcceptsTheSmallestTd) { EXPECT_TRUE(validate(good())); }

TEST(Validate, RefusesMemoryThatIsNoMultipleOf2MiBOrTooSmall) {
  EXPECT_EQ(refusal([](VmConfig& c) { c.memory_bytes += 4096; }),
            "/memory_bytes: 268439552 is not a multiple of 2 MiB");
  EXPECT_EQ(refusal([](VmConfig& c) { c.memory_bytes = (16ULL << 40) + (2 << 20); }),
            "/memory_bytes: 17592188141568 is outside 64 MiB to 16 TiB");
  EXPECT_EQ(refusal([](VmConfig& c) { c.memory_bytes = 62 << 20; }),
            "/memory_bytes: 65011712 is outside 64 MiB to 16 TiB");
}

TEST(Validate, RefusesHugePagesThatDoNotFillTheMemory) {
  EXPECT_EQ(refusal([](VmConfig& c) { c.shared_page_bytes = 65536; }),
            "/shared_page_bytes: 65536 is neither 2 MiB nor 1 GiB");
  EXPECT_EQ(refusal([](VmConfig& c) { c.shared_page_bytes = 1 << 30; }),
            "/shared_page_bytes: memory of 268435456 bytes is no multiple of pages of 1073741824 bytes");
}

TEST(Validate, RefusesToPreserveATdThatHasNotCrashed) {
  EXPECT_EQ(refusal([](VmConfig& c) { c.on_reset = ResetAction::Preserve; }),
            "preserve is for /on_crash only");
}

TEST(Validate, RefusesNoVcpu) {
  EXPECT_EQ(refusal([](VmConfig& c) { c.vcpu_count = 0; }), "/vcpu_count: 0 is outside 1 to 4096");
}

TEST(Validate, TakesNumaNodesThatHaveEverythingOnce) {
  auto config = good();
  config.vcpu_count = 2;
  config.numa_nodes = {{64 << 20, {1}, {10, 20}}, {192 << 20, {0}, {20, 10}}};
  EXPECT_TRUE(validate(config));
}

TEST(Validate, RefusesNumaNodesThatLeaveOrRepeatSomething) {
  EXPECT_EQ(refusal([](VmConfig& c) {
              c.numa_nodes = {{256 << 20, {}, {}}};
            }),
            "/numa_nodes: vCPU 0 is in no node");
  EXPECT_EQ(refusal([](VmConfig& c) {
              c.numa_nodes = {{256 << 20, {0, 0}, {}}};
            }),
            "/numa_nodes: vCPU 0 stands twice");
  EXPECT_EQ(refusal([](VmConfig& c) {
              c.numa_nodes = {{256 << 20, {0, 1}, {}}};
            }),
            "/numa_nodes: vCPU 1 does not exist, there are 1");
  EXPECT_EQ(refusal([](VmConfig& c) {
              c.numa_nodes = {{254 << 20, {0}, {}}};
            }),
            "/numa_nodes: they have 266338304 bytes, and the TD 268435456");
  EXPECT_EQ(refusal([](VmConfig& c) {
              c.numa_nodes = {{(256 << 20) - 4096, {0}, {}}, {4096, {}, {}}};
            }),
            "/numa_nodes: memory of 268431360 bytes is not a multiple of 2 MiB");
}

TEST(Validate, TakesVcpuIdsThatRiseFromZero) {
  const auto refusal_of = [](std::vector<std::uint32_t> ids) {
    return refusal([&](VmConfig& c) {
      c.vcpu_count = 3;
      c.vcpu_ids = std::move(ids);
    });
  };
  EXPECT_EQ(refusal_of({0, 1, 4095}), "");
  EXPECT_EQ(refusal_of({0, 1}), "/vcpu_ids: 2 ids for 3 vCPUs");
  for (const auto& ids : {std::vector<std::uint32_t>{0, 2, 2}, {0, 2, 1}, {1, 2, 3}, {0, 1, 4096}})
    EXPECT_EQ(refusal_of(ids), "/vcpu_ids: they do not rise from 0 to 4095 at most");
}

TEST(Validate, RefusesDistancesThatAreNone) {
  EXPECT_EQ(refusal([](VmConfig& c) {
              c.numa_nodes = {{128 << 20, {0}, {10}}, {128 << 20, {}, {10}}};
            }),
            "/numa_nodes: node 0 has 1 distances instead of 2");
  EXPECT_EQ(refusal([](VmConfig& c) {
              c.numa_nodes = {{128 << 20, {0}, {10, 10}}, {128 << 20, {}, {20, 10}}};
            }),
            "/numa_nodes: distance 10 of node 0 to node 1: 10 to itself, 11 to 255 to others");
}

TEST(Validate, RefusesAUuidThatIsNone) {
  EXPECT_NE(refusal([](VmConfig& c) { c.uuid = "6c2b1a2e"; }).find("/uuid: '6c2b1a2e'"), std::string::npos);
}

TEST(Validate, RefusesPathsWithANulByte) {
  EXPECT_EQ(refusal([](VmConfig& c) { c.firmware_path = std::string("a\0b", 3); }),
            "/firmware_path contains a NUL byte");
}

TEST(Validate, RefusesASerialPortTwiceOrBeyondCom4) {
  EXPECT_EQ(refusal([](VmConfig& c) { c.serials = {serial(4)}; }), "/serials: port 4 is outside 0 to 3");
  EXPECT_EQ(refusal([](VmConfig& c) {
              c.serials = {serial(1), serial(1)};
            }),
            "/serials: port 1 stands twice");
}

// TDX Module ABI, XFAM: bits 5, 6, 7 all equal and with 2; 11 equals 12; 17 equals 18.
TEST(Validate, RefusesXfamGroupsThatAreNotWhole) {
  EXPECT_NE(refusal([](VmConfig& c) { c.td.xfam = 0x1; }), "");
  EXPECT_NE(refusal([](VmConfig& c) { c.td.xfam = 0x67; }), "");
  EXPECT_NE(refusal([](VmConfig& c) { c.td.xfam = 0xE3; }), "");
  EXPECT_NE(refusal([](VmConfig& c) { c.td.xfam = 0x803; }), "");
  EXPECT_NE(refusal([](VmConfig& c) { c.td.xfam = 0x20003; }), "");
  EXPECT_EQ(refusal([](VmConfig& c) { c.td.xfam = 0x61AE7; }), "");
}

TEST(Validate, RefusesATscBetweenTheModulesUnits) {
  EXPECT_NE(refusal([](VmConfig& c) { c.td.tsc_khz = 2'000'001; }), "");
  EXPECT_EQ(refusal([](VmConfig& c) { c.td.tsc_khz = 2'000'000; }), "");
}

TEST(Validate, RefusesAGuestPhysicalAddressWidthOtherThan48Or52) {
  EXPECT_EQ(refusal([](VmConfig& c) { c.td.cpuid.at(0).eax = 46 << 16; }),
            "/td/cpuid: 0x80000008.EAX[23:16] is 46; TDX allows 48 or 52");
  EXPECT_NE(refusal([](VmConfig& c) { c.td.cpuid.clear(); }), "");
}

TEST(Validate, RefusesACpuidLeafTwice) {
  EXPECT_EQ(refusal([](VmConfig& c) {
              c.td.vcpu_cpuid = {{.function = 7}, {.function = 7}};
            }),
            "/td/vcpu_cpuid: leaf 0x7 sub-leaf 0x0 stands twice");
}

}  // namespace
}  // namespace virttdx
