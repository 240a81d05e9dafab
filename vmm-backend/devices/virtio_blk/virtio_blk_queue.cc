// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_blk/virtio_blk_queue.h"

#include <algorithm>
#include <optional>

#include "devices/virtio/chain_bytes.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace virtio_blk_spec;

VirtioBlkQueue::VirtioBlkQueue(const Parts& parts) : parts_(parts), requests_(parts.disk.queue_size) {
  for (std::uint32_t token = 0; token < requests_.size(); ++token) free_.push_back(token);
}

void VirtioBlkQueue::on_doorbell() {
  take_requests();
  parts_.queue.signal();
}

void VirtioBlkQueue::on_done(std::span<const BlockCompletion> completions) {
  for (const BlockCompletion& completion : completions)
    finish(completion.token, completion.error == 0 ? kStatusOk : kStatusIoError);
  // There may be requests that found no free token.
  on_doorbell();
}

void VirtioBlkQueue::take_requests() {
  Virtqueue& queue = parts_.queue;
  if (broken_) return;
  do {
    queue.disable_notification();
    while (!free_.empty()) {
      const std::uint32_t token = free_.back();
      const auto popped = queue.pop(requests_[token].chain);
      if (popped && !*popped) break;
      const auto begun = popped ? begin(token) : Result<>(tl::unexpected<Error>(popped.error()));
      if (begun) continue;
      broken_ = true;
      return parts_.session.fail(begun.error());
    }
  } while (queue.enable_notification() && !free_.empty());
}

Result<> VirtioBlkQueue::begin(std::uint32_t token) {
  Request& request = requests_[token];
  std::array<std::byte, kHeaderSize> header{};
  if (take_bytes(request.chain.readable, header) != header.size())
    return fail(Error::Code::InvalidData, "a request of {} bytes has no whole header",
                request.chain.readable_size);
  request.status = take_last_byte(request.chain.writable);
  if (request.status == nullptr)
    return fail(Error::Code::InvalidData, "a request has no place for its status");
  free_.pop_back();
  request.written = 0;
  if (const auto status = dispatch(token, header)) finish(token, *status);
  return {};
}

std::optional<std::uint8_t> VirtioBlkQueue::dispatch(std::uint32_t token, std::span<const std::byte> header) {
  const auto sector = load_le<std::uint64_t>(header, kHeaderSector);
  switch (load_le<std::uint32_t>(header, 0)) {
    case kTypeIn:
      return transfer(token, sector, false);
    case kTypeOut:
      return transfer(token, sector, true);
    case kTypeFlush:
      return flush(token);
    case kTypeGetId:
      return get_id(requests_[token]);
    case kTypeDiscard:
      return change_range(token, BlockOperation::Kind::Discard);
    case kTypeWriteZeroes:
      return change_range(token, BlockOperation::Kind::WriteZeroes);
    default:
      return kStatusUnsupported;
  }
}

bool VirtioBlkQueue::is_inside(std::uint64_t sector, std::uint64_t size) const {
  const std::uint64_t sectors = parts_.block_backend.capacity() / kSectorSize;
  return size % kSectorSize == 0 && sector <= sectors && size / kSectorSize <= sectors - sector;
}

std::optional<std::uint8_t> VirtioBlkQueue::transfer(std::uint32_t token, std::uint64_t sector,
                                                     bool is_write) {
  Request& request = requests_[token];
  // The header and the status are not data.
  const std::uint64_t size =
      is_write ? request.chain.readable_size - kHeaderSize : request.chain.writable_size - 1;
  if (!is_inside(sector, size) || (is_write && parts_.disk.read_only)) return kStatusIoError;
  if (size == 0) return kStatusOk;
  if (!is_write) request.written = static_cast<std::uint32_t>(size);
  parts_.backend.submit({.kind = is_write ? BlockOperation::Kind::Write : BlockOperation::Kind::Read,
                         .durable = is_write && !parts_.writeback,
                         .offset = sector * kSectorSize,
                         .size = size,
                         .buffers = is_write ? request.chain.readable : request.chain.writable,
                         .token = token});
  return std::nullopt;
}

std::optional<std::uint8_t> VirtioBlkQueue::flush(std::uint32_t token) {
  parts_.backend.submit({.kind = BlockOperation::Kind::Flush, .token = token});
  return std::nullopt;
}

std::optional<std::uint8_t> VirtioBlkQueue::change_range(std::uint32_t token, BlockOperation::Kind kind) {
  Request& request = requests_[token];
  std::array<std::byte, kSegmentSize> segment{};
  const bool offered = kind == BlockOperation::Kind::Discard ? parts_.disk.discard : parts_.disk.write_zeroes;
  if (parts_.disk.read_only || !offered) return kStatusUnsupported;
  if (request.chain.readable_size != kHeaderSize + kSegmentSize) return kStatusIoError;
  take_bytes(request.chain.readable, segment);
  const auto sector = load_le<std::uint64_t>(segment, 0);
  const std::uint64_t size = load_le<std::uint32_t>(segment, kSegmentSectors) * kSectorSize;
  const auto flags = load_le<std::uint32_t>(segment, kSegmentFlags);
  // 5.2.6.2: unknown flags, and unmap in a discard, are unsupported.
  const bool is_zeroes = kind == BlockOperation::Kind::WriteZeroes;
  if ((flags & ~(is_zeroes ? kSegmentUnmap : 0)) != 0) return kStatusUnsupported;
  if (!is_inside(sector, size)) return kStatusIoError;
  if (size == 0) return kStatusOk;
  parts_.backend.submit({.kind = kind,
                         .durable = !parts_.writeback,
                         .may_unmap = parts_.disk.discard && (flags & kSegmentUnmap) != 0,
                         .offset = sector * kSectorSize,
                         .size = size,
                         .token = token});
  return std::nullopt;
}

std::uint8_t VirtioBlkQueue::get_id(Request& request) {
  if (request.chain.writable_size < kIdSize + 1) return kStatusIoError;
  std::array<std::byte, kIdSize> id{};
  std::ranges::copy(
      std::as_bytes(std::span(parts_.disk.serial).first(std::min(parts_.disk.serial.size(), kIdSize))),
      id.begin());
  request.written = static_cast<std::uint32_t>(put_bytes(request.chain.writable, id));
  return kStatusOk;
}

void VirtioBlkQueue::finish(std::uint32_t token, std::uint8_t status) {
  Request& request = requests_[token];
  *request.status = std::byte{status};
  parts_.queue.push(request.chain.head, status == kStatusOk ? request.written + 1 : 1);
  free_.push_back(token);
}

}  // namespace virttdx
