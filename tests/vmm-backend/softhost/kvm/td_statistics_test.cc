// SPDX-License-Identifier: GPL-2.0-or-later
// What the software host counts of TDs of a few instructions.
#include <algorithm>
#include <map>
#include <thread>

#include "../../kvm/named_counts.h"
#include "micro_td.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kIo = 30, kHalt = 12, kCpuid = 10, kMmio = 48;

class TdStatistics : public MicroTd {
 protected:
  std::map<std::string, std::uint64_t> counted(int fd) {
    const auto statistics = KvmStatistics::open(KernelFd(*host, call(fd, kvm::KVM_GET_STATS_FD)));
    EXPECT_TRUE(statistics);
    return test::named_counts(*statistics);
  }
};

TEST_F(TdStatistics, CountTdVmcallsAsKvmDoes) {
  launch(Program()
             .print('A')
             .vmcall(kIo, 3, 0, 0x510)  // a size that is none is an exit for a port, too
             .vmcall(kCpuid)
             .vmcall(kMmio, 4, 0, kSharedBit48 | 0xB0000000)
             .report());
  while (enter() == 0 && run->exit_reason != kvm::KVM_EXIT_SYSTEM_EVENT) {
  }
  auto counts = counted(vcpu);
  EXPECT_EQ(counts.at("io_exits"), 2U);
  EXPECT_EQ(counts.at("mmio_exits"), 0U);
  EXPECT_GE(counts.at("exits"), 5U);
  EXPECT_EQ(counts.at("hypercalls"), 0U);
}

TEST_F(TdStatistics, CountASleepWhileItLastsAndAfterwards) {
  constexpr std::uint64_t kWriteMsr = 32, kSpuriousVector = 0x80F, kSoftwareEnabled = 0x1FF;
  launch(Program().vmcall(kWriteMsr, kSpuriousVector, kSoftwareEnabled).vmcall(kHalt).print('B').report());
  EXPECT_EQ(counted(vcpu).at("halt_exits"), 0U);
  const int statistics = call(vcpu, kvm::KVM_GET_STATS_FD);
  std::thread waker([&] {
    const auto open = KvmStatistics::open(KernelFd(*host, statistics));
    const auto blocking = std::ranges::find(open->columns(), "blocking", &StatisticColumn::name);
    const auto index = static_cast<std::size_t>(blocking - open->columns().begin());
    while (open->read().value().at(index) == 0) std::this_thread::yield();
    send_msi(0x40);
  });
  enter_until_report();
  waker.join();
  auto counts = counted(vcpu);
  EXPECT_EQ(printed, "B");
  EXPECT_EQ(counts.at("halt_exits"), 1U);
  EXPECT_GT(counts.at("halt_wait_ns"), 0U);
  EXPECT_EQ(counts.at("blocking"), 0U);
}

TEST_F(TdStatistics, CountPagesThatTheGuestMakesKvmAdd) {
  launch(Program().accept(0x100000, 0).accept(0x101000, 0).report());
  const auto before = counted(vm);
  enter_until_report();
  const auto counts = counted(vcpu);
  EXPECT_EQ(counts.at("pf_taken"), 2U);
  EXPECT_EQ(counts.at("pf_fixed"), 2U);
  EXPECT_EQ(counted(vm).at("pages_4k"), before.at("pages_4k") + 2);
}

TEST_F(TdStatistics, AreNoFileThatTakesRequests) {
  launch(Program().report());
  const int fd = call(vcpu, kvm::KVM_GET_STATS_FD);
  EXPECT_EQ(call(fd, kvm::KVM_RUN), -ENOTTY);
  std::byte byte{};
  EXPECT_EQ(host->pread(vcpu, &byte, 1, 0), -EINVAL);
  EXPECT_EQ(host->pread(fd, &byte, 1, 1 << 20), 0);
  EXPECT_EQ(host->close(fd), 0);
  EXPECT_EQ(host->pread(fd, &byte, 1, 0), -EBADF);
}

}  // namespace
}  // namespace virttdx::softhost
