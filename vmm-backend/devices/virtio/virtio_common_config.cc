// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio/virtio_common_config.h"

#include <algorithm>
#include <cstring>

#include "devices/virtio/virtio_pci_spec.h"
#include "devices/virtio/virtio_spec.h"
#include "support/byte_order.h"
#include "support/log.h"

namespace virttdx {

using namespace virtio_pci_spec;
using namespace virtio_spec;

namespace {

constexpr std::uint64_t kRequiredFeatures = kFeatureVersion1 | kFeatureAccessPlatform;
constexpr std::uint64_t kTransportFeatures = kRequiredFeatures | kFeatureIndirectDescriptors;

std::size_t register_size(std::uint64_t offset) {
  if (offset < kConfigVector) return 4;
  if (offset == kDeviceStatus || offset == kConfigGeneration) return 1;
  return offset < kQueueDescriptors || offset >= kQueueNotifyData ? 2 : 4;
}

void replace_half(Gpa& gpa, bool high, std::uint32_t value) {
  constexpr std::uint64_t kLow = 0xFFFFFFFF;
  gpa.value = high ? (gpa.value & kLow) | std::uint64_t{value} << 32 : (gpa.value & ~kLow) | value;
}

}  // namespace

VirtioCommonConfig::VirtioCommonConfig(VirtioDevice& device, Surroundings surroundings)
    : device_(device), surroundings_(std::move(surroundings)), queues_(device.queue_sizes().size()) {
  const auto sizes = device.queue_sizes();
  for (std::size_t i = 0; i < queues_.size(); ++i) queues_[i].maximum_size = sizes[i];
  reset_locked();
}

// 4.1.3.1: a driver accesses each field with its own width, and 64-bit ones as two halves. Other accesses
// read 0 and write nothing.
void VirtioCommonConfig::read(std::uint64_t offset, std::span<std::byte> data) {
  std::fill(data.begin(), data.end(), std::byte{0});
  if (offset >= kCommonSize || offset % register_size(offset) != 0 || data.size() != register_size(offset))
    return;
  const std::lock_guard lock(mutex_);
  const std::uint64_t value = read_register(offset);
  std::memcpy(data.data(), &value, data.size());
}

void VirtioCommonConfig::write(std::uint64_t offset, std::span<const std::byte> data) {
  // OVMF and Linux write the halves; a guest may write all 64 bits of a queue's address at once.
  if (data.size() == 8 && offset >= kQueueDescriptors && offset < kQueueNotifyData && offset % 8 == 0) {
    write(offset, data.first(4));
    return write(offset + 4, data.subspan(4));
  }
  if (offset >= kCommonSize || offset % register_size(offset) != 0 || data.size() != register_size(offset))
    return;
  std::uint32_t value = 0;
  std::memcpy(&value, data.data(), data.size());
  const std::lock_guard lock(mutex_);
  write_register(offset, value);
}

void VirtioCommonConfig::read_device_config(std::uint64_t offset, std::span<std::byte> data) {
  const std::lock_guard lock(mutex_);
  device_.read_config(offset, data);
}

void VirtioCommonConfig::write_device_config(std::uint64_t offset, std::span<const std::byte> data) {
  const std::lock_guard lock(mutex_);
  device_.write_config(offset, data);
}

std::uint64_t VirtioCommonConfig::offered_features() const {
  return device_.features() | kTransportFeatures | (device_.offers_event_index() ? kFeatureEventIndex : 0) |
         (device_.resets_queues() ? kFeatureRingReset : 0);
}

std::uint64_t VirtioCommonConfig::read_register(std::uint64_t offset) const {
  const auto half = [](std::uint64_t features, std::uint32_t select) {
    return select < 2 ? features >> (32 * select) & 0xFFFFFFFF : 0;
  };
  switch (offset) {
    case kDeviceFeatureSelect:
      return device_feature_select_;
    case kDeviceFeature:
      return half(offered_features(), device_feature_select_);
    case kDriverFeatureSelect:
      return driver_feature_select_;
    case kDriverFeature:
      return half(driver_features_, driver_feature_select_);
    case kConfigVector:
      return config_vector_;
    case kQueueCount:
      return queues_.size();
    case kDeviceStatus:
      return status_;
    case kConfigGeneration:
      return generation_;
    case kQueueSelect:
      return queue_select_;
    default:
      return read_queue_register(offset);
  }
}

std::uint64_t VirtioCommonConfig::read_queue_register(std::uint64_t offset) const {
  const Queue* const queue = selected();
  if (queue == nullptr) return 0;  // 4.1.4.3.1: a size of 0 says that there is no such queue
  switch (offset) {
    case kQueueSize:
      return queue->place.size;
    case kQueueVector:
      return queue->vector;
    case kQueueEnable:
      return queue->enabled ? 1 : 0;
    case kQueueNotifyOffset:
      return queue_select_;
    case kQueueDescriptors:
      return queue->place.descriptors.value & 0xFFFFFFFF;
    case kQueueDescriptors + 4:
      return queue->place.descriptors.value >> 32;
    case kQueueAvailable:
      return queue->place.available.value & 0xFFFFFFFF;
    case kQueueAvailable + 4:
      return queue->place.available.value >> 32;
    case kQueueUsed:
      return queue->place.used.value & 0xFFFFFFFF;
    case kQueueUsed + 4:
      return queue->place.used.value >> 32;
    default:
      return 0;
  }
}

void VirtioCommonConfig::write_register(std::uint64_t offset, std::uint32_t value) {
  switch (offset) {
    case kDeviceFeatureSelect:
      device_feature_select_ = value;
      break;
    case kDriverFeatureSelect:
      driver_feature_select_ = value;
      break;
    case kDriverFeature:
      write_driver_feature(value);
      break;
    case kConfigVector:
      config_vector_ = checked_vector(value);
      break;
    case kDeviceStatus:
      write_status(static_cast<std::uint8_t>(value));
      break;
    case kQueueSelect:
      queue_select_ = static_cast<std::uint16_t>(value);
      break;
    default:
      write_queue_register(offset, value);
  }
}

void VirtioCommonConfig::write_driver_feature(std::uint32_t value) {
  if ((status_ & kFeaturesOk) != 0 || driver_feature_select_ > 1) return;
  const unsigned shift = 32 * driver_feature_select_;
  driver_features_ = (driver_features_ & ~(0xFFFFFFFFULL << shift)) | std::uint64_t{value} << shift;
}

void VirtioCommonConfig::write_queue_register(std::uint64_t offset, std::uint32_t value) {
  Queue* const queue = selected();
  if (queue == nullptr) return;
  if (offset == kQueueVector) queue->vector = checked_vector(value);
  if (offset == kQueueReset && value == 1) return reset_queue(*queue);
  if (queue->enabled) return;  // 4.1.4.3.2: a driver changes nothing else then
  switch (offset) {
    // Create() refuses a size that is no power of two.
    case kQueueSize:
      if (value != 0 && value <= queue->maximum_size) queue->place.size = static_cast<std::uint16_t>(value);
      break;
    case kQueueEnable:
      queue->enabled = value == 1;
      if (queue->enabled && can_reset_queues()) enable_running(*queue);
      break;
    case kQueueDescriptors:
      replace_half(queue->place.descriptors, false, value);
      break;
    case kQueueDescriptors + 4:
      replace_half(queue->place.descriptors, true, value);
      break;
    case kQueueAvailable:
      replace_half(queue->place.available, false, value);
      break;
    case kQueueAvailable + 4:
      replace_half(queue->place.available, true, value);
      break;
    case kQueueUsed:
      replace_half(queue->place.used, false, value);
      break;
    case kQueueUsed + 4:
      replace_half(queue->place.used, true, value);
      break;
    default:
      break;
  }
}

void VirtioCommonConfig::write_status(std::uint8_t value) {
  if (value == 0) return reset_locked();
  const std::uint8_t before = status_;
  // 2.1.1: bits are never cleared but by a reset.
  auto added = static_cast<std::uint8_t>(value & ~before & ~kNeedsReset);
  if ((added & kFeaturesOk) != 0 && ((driver_features_ & ~offered_features()) != 0 ||
                                     (driver_features_ & kRequiredFeatures) != kRequiredFeatures))
    added &= static_cast<std::uint8_t>(~(kFeaturesOk | kDriverOk));
  if (((before | added) & kFeaturesOk) == 0) added &= static_cast<std::uint8_t>(~kDriverOk);
  status_ |= added;
  if ((added & kDriverOk) != 0) start();
}

void VirtioCommonConfig::reset() {
  const std::lock_guard lock(mutex_);
  reset_locked();
}

void VirtioCommonConfig::reset_locked() {
  device_.stop();
  driver_features_ = 0;
  device_feature_select_ = driver_feature_select_ = 0;
  queue_select_ = 0;
  config_vector_ = kNoVector;
  for (Queue& queue : queues_) forget(queue);
  status_ = 0;
}

void VirtioCommonConfig::forget(Queue& queue) {
  queue.place = {};
  queue.place.size = queue.maximum_size;
  queue.enabled = false;
  queue.vector = kNoVector;
  queue.running.reset();
}

bool VirtioCommonConfig::can_reset_queues() const {
  return (status_ & kDriverOk) != 0 && (driver_features_ & kFeatureRingReset) != 0;
}

// 4.1.4.3.1: queue_reset reads 1 until it is done, which it is when the write returns.
void VirtioCommonConfig::reset_queue(Queue& queue) {
  if (!can_reset_queues() || !queue.enabled) return;
  if (queue.running != nullptr) device_.replace_queue(queue_select_, nullptr);
  forget(queue);
}

// Not of a device that was never started: its driver may have set it up wrong.
void VirtioCommonConfig::enable_running(Queue& queue) {
  if ((status_ & kNeedsReset) != 0) return;
  if (const auto made = make_queue(queue); !made) return device_failed(made.error());
  device_.replace_queue(queue_select_, queue.running.get());
}

void VirtioCommonConfig::start() {
  if (const auto made = make_queues(); !made) {
    for (Queue& queue : queues_) queue.running.reset();
    return device_failed(made.error());
  }
  device_.start(make_session());
}

Result<> VirtioCommonConfig::make_queues() {
  for (Queue& queue : queues_)
    if (queue.enabled) TRY(make_queue(queue));
  return {};
}

Result<> VirtioCommonConfig::make_queue(Queue& queue) {
  queue.place.event_index = (driver_features_ & kFeatureEventIndex) != 0;
  queue.place.indirect = (driver_features_ & kFeatureIndirectDescriptors) != 0;
  queue.running =
      std::make_unique<Virtqueue>(TRY(Virtqueue::create(surroundings_.memory, queue.place, [this, &queue] {
        surroundings_.raise_vector(queue.vector, kIsrQueue);
      })));
  return {};
}

VirtioSession VirtioCommonConfig::make_session() {
  VirtioSession session{.features = driver_features_,
                        .queues = {},
                        .fail = [this](const Error& error) { device_failed(error); },
                        .configuration_changed = [this] { configuration_changed(); }};
  for (const Queue& queue : queues_) session.queues.push_back(queue.running.get());
  return session;
}

VirtioCommonConfig::Queue* VirtioCommonConfig::selected() {
  return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
}

const VirtioCommonConfig::Queue* VirtioCommonConfig::selected() const {
  return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
}

// 4.1.5.1.2.1: a vector that does not exist reads back as none.
std::uint16_t VirtioCommonConfig::checked_vector(std::uint32_t value) const {
  return value < surroundings_.vectors ? static_cast<std::uint16_t>(value) : kNoVector;
}

void VirtioCommonConfig::device_failed(const Error& error) {
  // A guest must not be able to fill a log: once a device is enough to look for the cause.
  if (told_failure_.exchange(true))
    log::debug("{} needs a reset: {}", surroundings_.name, error.message());
  else
    log::warning("{} needs a reset by its driver: {}", surroundings_.name, error.message());
  status_ |= kNeedsReset;
  configuration_changed();
}

void VirtioCommonConfig::configuration_changed() {
  ++generation_;
  surroundings_.raise_vector(config_vector_, kIsrConfiguration);
}

}  // namespace virttdx
