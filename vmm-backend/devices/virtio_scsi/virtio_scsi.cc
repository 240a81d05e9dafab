// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_scsi/virtio_scsi.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "devices/scsi/big_endian.h"
#include "devices/virtio/chain_bytes.h"
#include "devices/virtio/virtio_spec.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace virtio_scsi_spec;

namespace {

constexpr std::uint16_t kQueueSize = 128;
constexpr std::uint32_t kSegMax = kQueueSize - 2;
constexpr std::uint32_t kMaxSectors = 0xFFFF;
constexpr std::uint64_t kReadMaximum = kMaxSectors * 512ULL;
constexpr std::uint16_t kMaxTarget = 255;
constexpr std::uint32_t kMaxLun = 16383;
// What a driver may make of sense and CDB size.
constexpr std::uint32_t kSizeMaximum = 256;

// The first `size` bytes of `buffers`, which keep the rest.
std::vector<iovec> split_off(std::vector<iovec>& buffers, std::size_t size) {
  std::vector<iovec> head;
  std::size_t left = size;
  for (const iovec& buffer : buffers) {
    if (left == 0) break;
    head.push_back({buffer.iov_base, std::min(buffer.iov_len, left)});
    left -= head.back().iov_len;
  }
  drop_bytes(buffers, size);
  return head;
}

// A drive that is becoming ready is asked again; a medium that cannot be read is not.
ScsiSense sense_of_read(int error) {
  using namespace scsi_spec;
  if (error == ETIMEDOUT) return {kKeyNotReady, kCodeNotReady, kQualifierBecomingReady};
  return {kKeyMediumError, kCodeUnrecoveredRead, 0};
}

// `buffers`, no longer than `size`.
std::vector<iovec> cut(std::vector<iovec> buffers, std::uint64_t size) { return split_off(buffers, size); }

}  // namespace

VirtioScsi::VirtioScsi(QueueWorker& worker, std::uint16_t request_queues, std::vector<ScsiUnitParts> units)
    : worker_(worker), request_queues_(request_queues) {
  for (auto& parts : units) {
    ScsiCdrom drive(*parts.tray, {.serial = parts.serial});
    units_.push_back({std::move(parts), std::move(drive)});
  }
}

std::uint16_t VirtioScsi::type() const { return virtio_spec::kDeviceScsiHost; }

std::vector<std::uint16_t> VirtioScsi::queue_sizes() const {
  return std::vector<std::uint16_t>(kQueueRequest + request_queues_, kQueueSize);
}

void VirtioScsi::read_config(std::size_t offset, std::span<std::byte> data) {
  std::array<std::byte, kConfigSize> config{};
  store_le<std::uint32_t>(config, kConfigQueues, request_queues_);
  store_le<std::uint32_t>(config, kConfigSegMax, kSegMax);
  store_le<std::uint32_t>(config, kConfigMaxSectors, kMaxSectors);
  store_le<std::uint32_t>(config, kConfigCommandsPerLun, kQueueSize);
  store_le<std::uint32_t>(config, kConfigEventInfoSize, 16);
  store_le<std::uint32_t>(config, kConfigSenseSize, sense_size_);
  store_le<std::uint32_t>(config, kConfigCdbSize, cdb_size_);
  store_le<std::uint16_t>(config, kConfigMaxTarget, kMaxTarget);
  store_le<std::uint32_t>(config, kConfigMaxLun, kMaxLun);
  read_structure(config, offset, data);
}

// 5.6.4: a driver may write both before it is ready.
void VirtioScsi::write_config(std::size_t offset, std::span<const std::byte> data) {
  if (data.size() != sizeof(std::uint32_t) || !session_.queues.empty()) return;
  const auto value = std::min(load_le<std::uint32_t>(data, 0), kSizeMaximum);
  if (offset == kConfigSenseSize) sense_size_ = value;
  if (offset == kConfigCdbSize) cdb_size_ = value;
}

void VirtioScsi::start(const VirtioSession& session) {
  session_ = session;
  broken_ = false;
  is_stopping_ = false;
  for (const Unit& unit : units_) unit.parts.tray->start_anew();
  worker_.set_task([this] { serve(); });
}

void VirtioScsi::stop() {
  is_stopping_ = true;
  worker_.set_task(nullptr);
  session_ = {};
  sense_size_ = kSenseSizeAtReset;
  cdb_size_ = kCdbSizeAtReset;
}

void VirtioScsi::serve() {
  if (broken_) return;
  if (const auto served = serve_queues(); !served) {
    broken_ = true;
    return session_.fail(served.error());
  }
  for (Virtqueue* const queue : session_.queues)
    if (queue != nullptr) queue->signal();
}

// The event queue's buffers stay with the device: there are no events.
Result<> VirtioScsi::serve_queues() {
  for (std::size_t i = 0; i < session_.queues.size(); ++i) {
    Virtqueue* const queue = session_.queues[i];
    if (queue == nullptr || i == kQueueEvent) continue;
    do {
      queue->disable_notification();
      // A slow medium is read once more at most, not for every request that waits.
      while (!is_stopping_ && TRY(queue->pop(chain_)))
        TRY(i == kQueueControl ? serve_control_request(*queue) : serve_request(*queue));
      if (is_stopping_) return {};
    } while (queue->enable_notification());
  }
  return {};
}

Result<> VirtioScsi::serve_control_request(Virtqueue& queue) {
  std::array<std::byte, kTaskManagementSize> request{};
  const std::size_t size = take_bytes(chain_.readable, request);
  const auto type = load_le<std::uint32_t>(request, 0);
  const bool is_task = type == kTypeTaskManagement;
  const bool is_query = type == kTypeAsynchronousQuery || type == kTypeAsynchronousSubscribe;
  std::array<std::byte, kAsynchronousResponseSize> response{};
  const std::size_t answer_size = is_task ? 1 : response.size();
  if ((!is_task && !is_query) || size < (is_task ? kTaskManagementSize : kAsynchronousSize) ||
      chain_.writable_size < answer_size)
    return fail(Error::Code::InvalidData, "a control request of type {} has {} bytes and room for {}", type,
                size, chain_.writable_size);
  const auto place =
      place_of(std::span(request).subspan(is_task ? kTaskManagementLun : kAsynchronousLun, kLunSize));
  const bool exists = place && (find(*place) != nullptr || (is_task && has_target(place->target)));
  response.at(answer_size - 1) = std::byte{exists ? kFunctionComplete : kIncorrectLun};
  queue.push(chain_.head,
             static_cast<std::uint32_t>(put_bytes(chain_.writable, std::span(response).first(answer_size))));
  return {};
}

Result<> VirtioScsi::serve_request(Virtqueue& queue) {
  std::vector<std::byte> request(kRequestCdb + cdb_size_);
  const std::size_t response_size = kResponseHeader + sense_size_;
  if (take_bytes(chain_.readable, request) != request.size() || chain_.writable_size < response_size)
    return fail(Error::Code::InvalidData, "a request of {} bytes with room for {} has no whole header",
                chain_.readable_size, chain_.writable_size);
  const auto response_room = split_off(chain_.writable, response_size);
  chain_.writable_size -= response_size;
  const auto done = carry_out(place_of(std::span(request).first(kLunSize)),
                              std::span<const std::byte>(request).subspan(kRequestCdb));
  std::vector<std::byte> response(response_size);
  const std::size_t sense = std::min<std::size_t>(done.sense.size(), sense_size_);
  store_le<std::uint32_t>(response, kResponseSenseLength, static_cast<std::uint32_t>(sense));
  store_le<std::uint32_t>(response, kResponseResidual, done.residual);
  response[kResponseStatus] = std::byte{done.status};
  response[kResponseResponse] = std::byte{done.response};
  std::copy_n(done.sense.begin(), sense, response.begin() + kResponseHeader);
  put_bytes(response_room, response);
  queue.push(chain_.head, static_cast<std::uint32_t>(response_size) + done.written);
  return {};
}

VirtioScsi::Response VirtioScsi::carry_out(const std::optional<Place>& place,
                                           std::span<const std::byte> cdb) {
  if (!place || !has_target(place->target)) return {.response = kBadTarget, .sense = {}};
  Unit* const unit = find(*place);
  const bool is_of_target = unit == nullptr || (!cdb.empty() && cdb[0] == std::byte{scsi_spec::kReportLuns});
  const auto result = is_of_target ? execute_for_target(*place, cdb) : unit->drive.execute(cdb);
  if (result.read) return read_medium(*result.read);
  Response response{.sense = {}};
  if (result.sense) {
    response.status = scsi_spec::kStatusCheckCondition;
    response.sense = result.sense->bytes();
  }
  response.written = static_cast<std::uint32_t>(put_bytes(chain_.writable, result.data));
  if (response.written < result.data.size()) response.response = kOverrun;
  response.residual = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(chain_.writable_size - response.written, 0xFFFFFFFF));
  return response;
}

VirtioScsi::Response VirtioScsi::read_medium(const ScsiResult::Range& range) {
  // Whoever stops the device waits for a read: none is larger than drivers are told.
  const std::uint64_t size = std::min({range.size, chain_.writable_size, kReadMaximum});
  const auto buffers = cut(chain_.writable, size);
  const int error = size > 0 ? range.medium->read(range.offset, buffers) : 0;
  if (error != 0) return {.status = scsi_spec::kStatusCheckCondition, .sense = sense_of_read(error).bytes()};
  return {.response = size < range.size ? kOverrun : kOk,
          .residual =
              static_cast<std::uint32_t>(std::min<std::uint64_t>(chain_.writable_size - size, 0xFFFFFFFF)),
          .sense = {},
          .written = static_cast<std::uint32_t>(size)};
}

// SPC-4 6.4.1: a unit that there is not answers INQUIRY, so that an initiator finds the others.
ScsiResult VirtioScsi::execute_for_target(const Place& place, std::span<const std::byte> cdb) const {
  using namespace scsi_spec;
  const auto operation = cdb.empty() ? kTestUnitReady : std::to_integer<std::uint8_t>(cdb[0]);
  if (operation == kReportLuns && cdb.size() >= 12) return report_luns(place.target, cdb);
  if (operation != kInquiry || cdb.size() < 6) return scsi_error({kKeyIllegalRequest, kCodeUnitNotSupported});
  std::vector<std::byte> data(kInquirySize);
  data[0] = std::byte{kTypeNoUnit};
  data[2] = std::byte{kVersionSpc3};
  data[3] = std::byte{kResponseFormat};
  data[4] = std::byte{kInquirySize - 5};
  return scsi_data(std::move(data), load_be<std::uint16_t>(cdb, 3));
}

ScsiResult VirtioScsi::report_luns(std::uint8_t target, std::span<const std::byte> cdb) const {
  std::vector<std::byte> data(8);
  for (const Unit& unit : units_) {
    if (unit.parts.target != target) continue;
    data.resize(data.size() + kLunSize);
    // Up to 255 the peripheral addressing of SAM-5 4.6.6, above it the flat space.
    const auto lun = static_cast<std::uint16_t>(unit.parts.lun | (unit.parts.lun > 255 ? 0x4000 : 0));
    store_be<std::uint16_t>(data, data.size() - kLunSize, lun);
  }
  store_be<std::uint32_t>(data, 0, static_cast<std::uint32_t>(data.size() - 8));
  return scsi_data(std::move(data), load_be<std::uint32_t>(cdb, 6));
}

VirtioScsi::Unit* VirtioScsi::find(const Place& place) {
  const auto found = std::ranges::find_if(units_, [&](const Unit& unit) {
    return unit.parts.target == place.target && unit.parts.lun == place.lun;
  });
  return found == units_.end() ? nullptr : &*found;
}

bool VirtioScsi::has_target(std::uint8_t target) const {
  return std::ranges::any_of(units_, [&](const Unit& unit) { return unit.parts.target == target; });
}

// 5.6.6.1: the first byte is 1, then target and a LUN of a single level. (SAM-5's well-known units are not
// there: their address begins with 0xC1.)
std::optional<VirtioScsi::Place> VirtioScsi::place_of(std::span<const std::byte> lun) {
  if (lun[0] != std::byte{1}) return std::nullopt;
  const auto number = load_be<std::uint16_t>(lun, 2);
  return Place{std::to_integer<std::uint8_t>(lun[1]), static_cast<std::uint16_t>(number & 0x3FFF)};
}

}  // namespace virttdx
