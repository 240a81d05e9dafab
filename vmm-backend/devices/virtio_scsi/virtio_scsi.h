// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "devices/scsi/scsi_cdrom.h"
#include "devices/virtio/queue_worker.h"
#include "devices/virtio/virtio_device.h"
#include "devices/virtio_scsi/virtio_scsi_spec.h"

namespace virttdx {

/// A CD-ROM drive on a controller.
struct ScsiUnitParts {
  std::uint8_t target = 0;
  std::uint16_t lun = 0;      ///< below 16384
  CdromTray* tray = nullptr;  ///< outlives the device
  std::string serial;
};

/// A virtio SCSI host with CD-ROM drives. Requests are carried out one after the other, on the worker's
/// thread, so that task management finds nothing to abort. Not emulated: events (no unit is plugged while it
/// runs, and drives are asked for their media), protection information, other units than CD-ROM drives.
class VirtioScsi final : public VirtioDevice {
 public:
  /// `worker` outlives it. `request_queues`: at least 1.
  VirtioScsi(QueueWorker& worker, std::uint16_t request_queues, std::vector<ScsiUnitParts> units);
  ~VirtioScsi() override { stop(); }

  std::uint16_t type() const override;
  std::uint16_t pci_class() const override { return virtio_scsi_spec::kPciClass; }
  std::uint64_t features() const override { return 0; }
  std::vector<std::uint16_t> queue_sizes() const override;
  void read_config(std::size_t offset, std::span<std::byte> data) override;
  void write_config(std::size_t offset, std::span<const std::byte> data) override;
  int doorbell(std::size_t) const override { return worker_.doorbell(); }
  void start(const VirtioSession& session) override;
  void stop() override;

 private:
  struct Unit {
    ScsiUnitParts parts;
    ScsiCdrom drive;
  };
  /// Where a request goes.
  struct Place {
    std::uint8_t target = 0;
    std::uint16_t lun = 0;
  };
  /// What a driver is told of its request.
  struct Response {
    std::uint8_t response = virtio_scsi_spec::kOk;
    std::uint8_t status = 0;
    std::uint32_t residual = 0;
    std::vector<std::byte> sense;
    std::uint32_t written = 0;  ///< bytes of data in the driver's buffers
  };
  // On the worker's thread.
  void serve();
  Result<> serve_queues();
  Result<> serve_control_request(Virtqueue& queue);
  Result<> serve_request(Virtqueue& queue);
  Response carry_out(const std::optional<Place>& place, std::span<const std::byte> cdb);
  Response read_medium(const ScsiResult::Range& range);
  ScsiResult execute_for_target(const Place& place, std::span<const std::byte> cdb) const;
  ScsiResult report_luns(std::uint8_t target, std::span<const std::byte> cdb) const;
  Unit* find(const Place& place);
  bool has_target(std::uint8_t target) const;
  static std::optional<Place> place_of(std::span<const std::byte> lun);

  QueueWorker& worker_;
  const std::uint16_t request_queues_;
  std::vector<Unit> units_;
  VirtioSession session_;
  DescriptorChain chain_;  ///< at hand; of a request, its data only once header and response are taken
  std::uint32_t sense_size_ = virtio_scsi_spec::kSenseSizeAtReset;
  std::uint32_t cdb_size_ = virtio_scsi_spec::kCdbSizeAtReset;
  bool broken_ = false;
  std::atomic<bool> is_stopping_ = false;  ///< somebody waits for the task's end
};

}  // namespace virttdx
