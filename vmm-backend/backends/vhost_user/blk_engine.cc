// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/vhost_user/blk_engine.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>

#include "devices/virtio_blk/virtio_blk_spec.h"
#include "support/byte_order.h"
#include "support/log.h"

namespace virttdx {

using namespace virtio_blk_spec;

namespace {

using Kind = BlockOperation::Kind;

// A token's own bytes: header, range, status.
constexpr std::size_t kRangeOffset = kHeaderSize;
constexpr std::size_t kStatusOffset = kRangeOffset + kSegmentSize;
static_assert(kStatusOffset < DriverQueue::kPrivateBytes);

std::uint32_t type_of(Kind kind) {
  switch (kind) {
    case Kind::Read:
      return kTypeIn;
    case Kind::Write:
      return kTypeOut;
    case Kind::Flush:
      return kTypeFlush;
    case Kind::Discard:
      return kTypeDiscard;
    case Kind::WriteZeroes:
      return kTypeWriteZeroes;
  }
  return kTypeIn;
}

void write_range(std::span<std::byte> own, const BlockOperation& operation) {
  const auto range = own.subspan(kRangeOffset, kSegmentSize);
  store_le<std::uint64_t>(range, 0, operation.offset / kSectorSize);
  store_le<std::uint32_t>(range, kSegmentSectors, static_cast<std::uint32_t>(operation.size / kSectorSize));
  const bool unmaps = operation.kind == Kind::WriteZeroes && operation.may_unmap;
  store_le<std::uint32_t>(range, kSegmentFlags, unmaps ? kSegmentUnmap : 0);
}

int error_of(std::byte status) {
  switch (std::to_integer<std::uint8_t>(status)) {
    case kStatusOk:
      return 0;
    case kStatusUnsupported:
      return EOPNOTSUPP;
    default:
      return EIO;
  }
}

}  // namespace

Result<std::unique_ptr<VhostUserBlkEngine>> VhostUserBlkEngine::create(Parts parts) {
  std::unique_ptr<VhostUserBlkEngine> engine(new VhostUserBlkEngine(std::move(parts)));
  TRY(engine->watch());
  return engine;
}

Result<> VhostUserBlkEngine::watch() {
  kick_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  call_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  event_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!kick_ || !call_ || !event_)
    return fail_errno(errno, "{}: cannot create event descriptors", parts_.name);
  epoll_event on_call{.events = EPOLLIN, .data = {}};
  epoll_event on_end{.events = EPOLLRDHUP, .data = {}};
  if (::epoll_ctl(event_.get(), EPOLL_CTL_ADD, call_.get(), &on_call) != 0 ||
      ::epoll_ctl(event_.get(), EPOLL_CTL_ADD, parts_.socket, &on_end) != 0)
    return fail_errno(errno, "{}: cannot watch its back end", parts_.name);
  is_running_.resize(requests_.size());
  return {};
}

VhostQueue VhostUserBlkEngine::queue() const {
  const DriverQueue& queue = parts_.queue;
  return {.size = queue.size(),
          .descriptors = queue.descriptors(),
          .available = queue.available(),
          .used = queue.used(),
          .kick = kick_.get(),
          .call = call_.get()};
}

void VhostUserBlkEngine::submit(const BlockOperation& operation) {
  requests_[operation.token] = {operation, false};
  is_running_[operation.token] = true;
  ++in_flight_;
  if (is_broken_) return finish(operation.token, EIO);
  // The device told its driver how many there may be.
  if (operation.buffers.size() > parts_.segments) return finish(operation.token, EINVAL);
  pass_on(operation.token);
}

void VhostUserBlkEngine::pass_on(std::uint32_t token) {
  const Request& request = requests_[token];
  const auto own = parts_.queue.private_bytes(token);
  const Kind kind = request.is_flushing ? Kind::Flush : request.operation.kind;
  const bool has_range = kind == Kind::Discard || kind == Kind::WriteZeroes;
  const bool has_sector = kind == Kind::Read || kind == Kind::Write;
  store_le<std::uint32_t>(own, 0, type_of(kind));
  store_le<std::uint32_t>(own, 4, 0);
  store_le<std::uint64_t>(own, kHeaderSector, has_sector ? request.operation.offset / kSectorSize : 0);
  if (has_range) write_range(own, request.operation);
  std::vector<iovec> readable = {{own.data(), kHeaderSize}}, writable;
  if (has_range) readable.push_back({own.data() + kRangeOffset, kSegmentSize});
  if (has_sector) {
    auto& data = kind == Kind::Write ? readable : writable;
    data.insert(data.end(), request.operation.buffers.begin(), request.operation.buffers.end());
  }
  own[kStatusOffset] = std::byte{kStatusIoError};
  writable.push_back({own.data() + kStatusOffset, 1});
  parts_.queue.submit(token, readable, writable);
}

void VhostUserBlkEngine::flush() {
  if (!is_broken_ && parts_.queue.publish()) ::eventfd_write(kick_.get(), 1);
}

void VhostUserBlkEngine::reap(std::vector<BlockCompletion>& done, bool wait) {
  take_used();
  while (wait && done_.empty() && in_flight_ > 0) {
    flush();
    wait_for_event();
    take_used();
  }
  // What is to be made durable goes on: nobody else would pass it on now.
  flush();
  in_flight_ -= done_.size();
  done.insert(done.end(), done_.begin(), done_.end());
  done_.clear();
}

void VhostUserBlkEngine::take_used() {
  eventfd_t count = 0;
  ::eventfd_read(call_.get(), &count);
  if (is_broken_) return;
  while (true) {
    const auto taken = parts_.queue.take();
    if (!taken) return fail_all(taken.error().message());
    if (!*taken) break;
    complete(**taken);
  }
  if (has_hung_up(parts_.socket)) fail_all("it has ended");
}

void VhostUserBlkEngine::complete(std::uint32_t token) {
  Request& request = requests_[token];
  const int error = error_of(parts_.queue.private_bytes(token)[kStatusOffset]);
  const bool is_write = request.operation.kind == Kind::Write || request.operation.kind == Kind::WriteZeroes;
  if (error == 0 && is_write && request.operation.durable && parts_.has_flush && !request.is_flushing) {
    request.is_flushing = true;
    return pass_on(token);
  }
  finish(token, error);
}

void VhostUserBlkEngine::finish(std::uint32_t token, int error) {
  is_running_[token] = false;
  done_.push_back({token, error});
}

void VhostUserBlkEngine::fail_all(std::string_view cause) {
  is_broken_ = true;
  log::error("{}: {}; every request of the TD ends with an error from now on", parts_.name, cause);
  // It would be ready for ever.
  ::epoll_ctl(event_.get(), EPOLL_CTL_DEL, parts_.socket, nullptr);
  for (std::uint32_t token = 0; token < is_running_.size(); ++token)
    if (is_running_[token]) finish(token, EIO);
}

void VhostUserBlkEngine::wait_for_event() const {
  pollfd ready{event_.get(), POLLIN, 0};
  ::poll(&ready, 1, -1);
}

}  // namespace virttdx
