// SPDX-License-Identifier: GPL-2.0-or-later
// What a guest can write into rings, against every virtio device: the device stops, tells the driver and
// works again after a reset; nothing else happens.
#include <gtest/gtest.h>

#include "counted_entropy.h"
#include "devices/virtio_blk/virtio_blk.h"
#include "devices/virtio_console/virtio_console.h"
#include "devices/virtio_net/virtio_net.h"
#include "devices/virtio_scsi/virtio_scsi.h"
#include "devices/virtio_vsock/virtio_vsock.h"
#include "memory_disk.h"
#include "memory_medium.h"
#include "memory_network.h"
#include "memory_port.h"
#include "memory_vsock.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

constexpr std::uint64_t kBuffer = test::VirtioDriver::kBuffers;

/// A device, the queue by which its driver asks, and its back end's thread.
struct Subject {
  virtual ~Subject() = default;
  virtual VirtioDevice& device() = 0;
  virtual std::uint16_t queue() const = 0;
  virtual void pump() = 0;
};

struct Disk final : Subject {
  VirtioDevice& device() override { return blk; }
  std::uint16_t queue() const override { return 0; }
  void pump() override { disk.pump(); }
  static BlockBackend::Properties properties() {
    BlockBackend::Properties properties;
    properties.capacity = 1 << 16;
    return properties;
  }
  test::MemoryDisk disk{properties()};
  VirtioBlk blk{disk};
};

struct Interface final : Subject {
  VirtioDevice& device() override { return net; }
  std::uint16_t queue() const override { return 1; }
  void pump() override { network.queues[0].manual.pump(); }
  test::MemoryNetwork network{1};
  VirtioNet net{network};
};

struct Console final : Subject {
  VirtioDevice& device() override { return console; }
  std::uint16_t queue() const override { return virtio_console_spec::kQueueTransmit0; }
  void pump() override { worker.pump(); }
  test::ManualWorker worker;
  test::MemoryPort port;
  VirtioConsole console{worker, 1, {{0, true, "", &port}}};
};

struct Entropy final : Subject {
  VirtioDevice& device() override { return rng; }
  std::uint16_t queue() const override { return 0; }
  void pump() override { source.manual.pump(); }
  test::CountedEntropy source;
  VirtioRng rng{source};
};

struct Scsi final : Subject {
  VirtioDevice& device() override { return scsi; }
  std::uint16_t queue() const override { return virtio_scsi_spec::kQueueRequest; }
  void pump() override { worker.pump(); }
  test::ManualWorker worker;
  CdromTray tray{std::make_shared<test::MemoryMedium>(2048)};
  VirtioScsi scsi{worker, 1, {{.target = 0, .lun = 0, .tray = &tray, .serial = ""}}};
};

struct Vsock final : Subject {
  VirtioDevice& device() override { return vsock; }
  std::uint16_t queue() const override { return virtio_vsock_spec::kQueueTransmit; }
  void pump() override { host.manual.pump(); }
  test::MemoryVsock host;
  VirtioVsock vsock{host};
};

template <typename Kind>
struct VirtioFault : testing::Test {
  void start() {
    ASSERT_TRUE(driver.start(virtio_spec::kFeatureIndirectDescriptors));
    EXPECT_EQ(driver.status() & virtio_spec::kNeedsReset, 0);
  }
  test::DriverQueue& queue() { return driver.queues[subject.queue()]; }
  /// The driver has written into the ring: the device stops, says so once, and a reset mends it.
  void expect_stop_until_reset() {
    const int told = driver.config_interrupts();
    driver.notify(subject.queue());
    subject.pump();
    EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
    EXPECT_EQ(driver.config_interrupts(), told + 1);
    const auto used = queue().used_index();
    driver.notify(subject.queue());
    subject.pump();
    EXPECT_EQ(queue().used_index(), used) << "it answers while it needs a reset";
    EXPECT_EQ(driver.config_interrupts(), told + 1);
    start();
  }
  Kind subject;
  test::VirtioDriver driver{subject.device()};
};

using Kinds = testing::Types<Disk, Interface, Console, Entropy, Scsi, Vsock>;
TYPED_TEST_SUITE(VirtioFault, Kinds);

TYPED_TEST(VirtioFault, AnIndexThatRunsAhead) {
  this->start();
  this->queue().set_available_index(0x7FFF);
  this->expect_stop_until_reset();
}

TYPED_TEST(VirtioFault, AHeadOutsideTheTable) {
  this->start();
  this->queue().make_available(0xFFFF);
  this->expect_stop_until_reset();
}

TYPED_TEST(VirtioFault, ALoopOfDescriptors) {
  this->start();
  this->queue().write_descriptor(0, {kBuffer, 16}, virtio_spec::kFlagNext, 1);
  this->queue().write_descriptor(1, {kBuffer, 16}, virtio_spec::kFlagNext, 0);
  this->queue().make_available(0);
  this->expect_stop_until_reset();
}

TYPED_TEST(VirtioFault, ALengthBeyondMemory) {
  this->start();
  this->queue().add({{kBuffer, 0xFFFFFFFF}});
  this->expect_stop_until_reset();
}

TYPED_TEST(VirtioFault, AnAddressThatRunsOver) {
  this->start();
  this->queue().add({{0xFFFFFFFFFFFFFFF0, 0x20}});
  this->expect_stop_until_reset();
}

TYPED_TEST(VirtioFault, AnIndirectTableOutsideMemory) {
  this->start();
  this->queue().write_descriptor(0, {0xFFFFFFFFFFFFF000, 32}, virtio_spec::kFlagIndirect, 0);
  this->queue().make_available(0);
  this->expect_stop_until_reset();
}

// The driver goes while requests are there; the next one finds a device as new.
TYPED_TEST(VirtioFault, AResetWithRequestsInTheQueue) {
  this->start();
  for (int i = 0; i < 8; ++i) this->queue().add({{kBuffer, 64}, {kBuffer + 0x1000, 64, true}});
  this->driver.notify(this->subject.queue());
  this->driver.set_status(0);
  this->subject.pump();
  this->start();
  EXPECT_EQ(this->queue().used_index(), 0);
}

}  // namespace
}  // namespace virttdx
