// SPDX-License-Identifier: GPL-2.0-or-later
// A whole TD on the software TDX host: launched, run, paused, stopped.
#include "tdx/td_vm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "softhost/soft_host.h"
#include "tdvf_image.h"

namespace virttdx::test {
namespace {

constexpr const char* kDebianFirmware = "/usr/share/ovmf/OVMF.fd";
constexpr std::uint32_t kAddressSizes = 0x80000008;

class TdVmTest : public testing::Test {
 protected:
  void SetUp() override {
    host_ = softhost::create_soft_host();
    capabilities_ = read_host_capabilities(*host_, HostKind::Soft);
    ASSERT_TRUE(capabilities_.tdx_supported) << capabilities_.tdx_unsupported_reason;
    config_.memory_bytes = 256ULL << 20;
    config_.td.cpuid = {{kAddressSizes, 0, false, 48U << 16, 0, 0, 0}};
    config_.td.vcpu_cpuid = capabilities_.supported_cpuid;
    for (CpuidEntry& entry : config_.td.vcpu_cpuid)
      if (entry.function == 1) entry.ecx |= 1U << 21 | 1U << 31;
  }
  /// Firmware that does nothing but run: jmp $ at the reset vector.
  static Tdvf endless_loop() { return *parse_tdvf(TdvfImage().put_bytes(0x1FF0, {0xEB, 0xFE}).bytes()); }
  static std::uint64_t cpu_time(const TdVm& td) { return td.vcpu_time_ns().at(0); }
  VcpuThread::StopHandler on_stop() {
    return [this](const VcpuStop& stop) {
      message_ = stop.message;
      EXPECT_FALSE(stopped_.exchange(true));
      stopped_.notify_all();
    };
  }

  std::unique_ptr<softhost::SoftHost> host_;
  HostCapabilities capabilities_;
  VmConfig config_;
  PortBus ports_;
  MmioBus mmio_;
  std::string message_;
  std::atomic<bool> stopped_ = false;
};

TEST_F(TdVmTest, PredictsTheMrtdThatTheHostComputes) {
  if (!std::filesystem::exists(kDebianFirmware)) GTEST_SKIP() << kDebianFirmware << " is not installed";
  const auto td = TdVm::launch(*host_, config_, *load_tdvf(kDebianFirmware));
  ASSERT_TRUE(td) << td.error().message();
  EXPECT_EQ(host_->mrtd((*td)->vm_fd()), (*td)->measurements().mrtd);
  EXPECT_EQ((*td)->measurements().pages_added, 538U);
  EXPECT_EQ((*td)->measurements().pages_measured, 480U);
  EXPECT_EQ((*td)->measurements().gpaw, 48U);
  EXPECT_FALSE((*td)->cpuid().actual.empty());
}

TEST_F(TdVmTest, RunsPausesAndStopsAGuest) {
  const auto td = TdVm::launch(*host_, config_, endless_loop());
  ASSERT_TRUE(td) << td.error().message();
  ASSERT_TRUE((*td)->start(ports_, mmio_, on_stop()));
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t before = cpu_time(**td);
    (*td)->resume();
    while (cpu_time(**td) < before + 1'000'000 && !stopped_) std::this_thread::yield();
    (*td)->pause();
  }
  (*td)->resume();
  (*td)->stop();
  EXPECT_FALSE(stopped_) << message_;
}

TEST_F(TdVmTest, ReportsTheEndOnceThoughEveryVcpuMeetsIt) {
  // ud2 without an IDT: a triple fault on both vCPUs.
  config_.vcpu_count = 2;
  const Tdvf tdvf = *parse_tdvf(TdvfImage().put_bytes(0x1FF0, {0x0F, 0x0B}).bytes());
  const auto td = TdVm::launch(*host_, config_, tdvf);
  ASSERT_TRUE(td) << td.error().message();
  ASSERT_TRUE((*td)->start(ports_, mmio_, on_stop()));
  (*td)->resume();
  stopped_.wait(false);
  (*td)->pause();
  (*td)->stop();
  EXPECT_THAT(message_, testing::HasSubstr("triple fault on vCPU"));
}

TEST_F(TdVmTest, NamesTheValueThatTheHostRefuses) {
  config_.td.xfam |= 1ULL << 63;
  const auto td = TdVm::launch(*host_, config_, endless_loop());
  ASSERT_FALSE(td);
  EXPECT_THAT(td.error().message(),
              testing::HasSubstr("KVM_TDX_INIT_VM: EINVAL because XFAM 0x8000000000000003 has reserved [bit "
                                 "63], which this host does not offer"));
}

TEST_F(TdVmTest, RefusesMemoryThatIsNotAMultipleOf2Mebibytes) {
  config_.memory_bytes += 4096;
  EXPECT_FALSE(TdVm::launch(*host_, config_, endless_loop()));
}

}  // namespace
}  // namespace virttdx::test
