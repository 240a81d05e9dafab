// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_vhost_user.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "devices/virtio/chain_bytes.h"
#include "devices/virtio_blk/virtio_blk_spec.h"
#include "support/byte_order.h"

namespace virttdx::test {

using namespace vhost_user_spec;
using namespace virtio_blk_spec;

FakeVhostUser::FakeVhostUser(std::size_t capacity, Behaviour behaviour)
    : disk(capacity, 'x'), behaviour_(std::move(behaviour)), end_(::eventfd(0, EFD_CLOEXEC)) {
  std::array<int, 2> pair{};
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  ours_.reset(pair[0]);
  theirs_.reset(pair[1]);
  thread_ = std::thread([this] { run(); });
}

FakeVhostUser::~FakeVhostUser() { die(); }

void FakeVhostUser::die() {
  if (!thread_.joinable()) return;
  ::eventfd_write(end_.get(), 1);
  thread_.join();
}

void FakeVhostUser::run() {
  while (true) {
    std::vector<pollfd> ready = {{end_.get(), POLLIN, 0}, {ours_.get(), POLLIN, 0}};
    std::vector<Queue*> watched;
    for (auto& [index, queue] : queues_) {
      if (!queue.is_running) continue;
      ready.push_back({queue.kick.get(), POLLIN, 0});
      watched.push_back(&queue);
    }
    ::poll(ready.data(), ready.size(), -1);
    if (ready[0].revents != 0) break;
    for (std::size_t i = 0; i < watched.size(); ++i)
      if (ready[i + 2].revents != 0) serve(*watched[i]);
    if (ready[1].revents != 0 && !serve_message()) break;
  }
  ours_.reset();
}

bool FakeVhostUser::serve_message() {
  std::array<std::byte, 4096> buffer{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kRegionsMaximum)> control{};
  iovec place{buffer.data(), kMessageHeaderSize};
  msghdr message{};
  message.msg_iov = &place;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(ours_.get(), &message, MSG_CMSG_CLOEXEC) != static_cast<ssize_t>(kMessageHeaderSize))
    return false;
  std::vector<UniqueFd> fds;
  if (const cmsghdr* const header = CMSG_FIRSTHDR(&message)) {
    std::vector<int> numbers((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(numbers.data(), CMSG_DATA(header), numbers.size() * sizeof(int));
    for (const int number : numbers) fds.emplace_back(number);
  }
  const auto size = load_le<std::uint32_t>(buffer, kMessagePayloadSize);
  const auto flags = load_le<std::uint32_t>(buffer, kMessageFlags);
  const auto request = static_cast<Request>(load_le<std::uint32_t>(buffer, 0));
  if (size > 0 && ::recv(ours_.get(), buffer.data(), size, MSG_WAITALL) != size) return false;
  if (request == behaviour_.ends_at) return false;
  if (request == behaviour_.answers_badly_at) {
    reply(request, std::array<std::byte, 3>());
    return true;
  }
  const bool has_replied = dispatch(request, std::span(buffer).first(size), fds);
  if ((flags & kFlagNeedReply) != 0 && !has_replied) reply_number(request, 0);
  return true;
}

bool FakeVhostUser::dispatch(Request request, std::span<const std::byte> payload,
                             std::vector<UniqueFd>& fds) {
  switch (request) {
    case Request::GetFeatures:
      reply_number(request, behaviour_.features);
      return true;
    case Request::GetProtocolFeatures:
      reply_number(request, behaviour_.protocol_features);
      return true;
    case Request::GetQueueNum:
      reply_number(request, behaviour_.queues);
      return true;
    case Request::GetConfig:
      reply_config(payload);
      return true;
    case Request::GetVringBase: {
      auto& queue = queues_[load_le<std::uint32_t>(payload, 0)];
      queue.is_running = false;
      std::array<std::byte, kVringStateSize> state{};
      std::ranges::copy(payload, state.begin());
      store_le<std::uint32_t>(state, 4, load_le<std::uint16_t>(queue.used, 2));
      reply(request, state);
      return true;
    }
    case Request::SetFeatures:
      accepted_features = load_le<std::uint64_t>(payload, 0);
      return false;
    case Request::SetMemTable:
      set_memory(payload, fds);
      return false;
    case Request::SetVringNum:
      queues_[load_le<std::uint32_t>(payload, 0)].place.size =
          static_cast<std::uint16_t>(load_le<std::uint32_t>(payload, 4));
      return false;
    case Request::SetVringAddr:
      set_address(payload);
      return false;
    case Request::SetVringCall:
      queues_[load_le<std::uint32_t>(payload, 0)].call = std::move(fds.at(0));
      return false;
    case Request::SetVringKick:
      queues_[load_le<std::uint32_t>(payload, 0)].kick = std::move(fds.at(0));
      return false;
    case Request::SetVringEnable:
      enable(load_le<std::uint32_t>(payload, 0));
      return false;
    default:
      return false;
  }
}

// What stays in the table stays mapped: rings go on where they stopped.
void FakeVhostUser::set_memory(std::span<const std::byte> payload, std::vector<UniqueFd>& fds) {
  std::vector<Memory::Region> regions;
  memory_files = fds.size();
  for (std::size_t i = 0; i < fds.size(); ++i) {
    const auto region = payload.subspan(kRegionsHeader + i * kRegionSize, kRegionSize);
    struct stat status {};
    CHECK(::fstat(fds[i].get(), &status) == 0);
    regions.push_back(memory_.take(status.st_ino, load_le<std::uint64_t>(region, 0)));
    if (!regions.back().bytes.empty()) continue;
    const auto size = load_le<std::uint64_t>(region, 8);
    void* const address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i].get(),
                                 static_cast<off_t>(load_le<std::uint64_t>(region, 24)));
    CHECK(address != MAP_FAILED);
    regions.back().bytes = std::span(static_cast<std::byte*>(address), size);
  }
  memory_.clear();
  memory_.regions = std::move(regions);
}

void FakeVhostUser::set_address(std::span<const std::byte> payload) {
  Queue& queue = queues_[load_le<std::uint32_t>(payload, 0)];
  queue.place.descriptors = {load_le<std::uint64_t>(payload, 8)};
  queue.place.used = {load_le<std::uint64_t>(payload, 16)};
  queue.place.available = {load_le<std::uint64_t>(payload, 24)};
  queue.place.indirect = true;
  queue.used = memory_.map(queue.place.used, 4 + queue.place.size * 8U + 2);
}

void FakeVhostUser::enable(std::uint32_t index) {
  Queue& queue = queues_[index];
  queue.is_running = true;
  if (queue.ring) return;
  queue.ring = std::make_unique<Virtqueue>(std::move(
      *Virtqueue::create(memory_, queue.place, [&queue] { ::eventfd_write(queue.call.get(), 1); })));
}

void FakeVhostUser::reply(Request request, std::span<const std::byte> payload) {
  std::vector<std::byte> message(kMessageHeaderSize);
  store_le<std::uint32_t>(message, 0, static_cast<std::uint32_t>(request));
  store_le<std::uint32_t>(message, kMessageFlags, kVersion | kFlagReply);
  store_le<std::uint32_t>(message, kMessagePayloadSize, static_cast<std::uint32_t>(payload.size()));
  message.insert(message.end(), payload.begin(), payload.end());
  ::send(ours_.get(), message.data(), message.size(), MSG_NOSIGNAL);
}

void FakeVhostUser::reply_number(Request request, std::uint64_t value) {
  std::array<std::byte, 8> payload{};
  store_le<std::uint64_t>(payload, 0, value);
  reply(request, payload);
}

void FakeVhostUser::reply_config(std::span<const std::byte> payload) {
  std::vector<std::byte> answer(payload.begin(), payload.end());
  const auto config = std::span(answer).subspan(kConfigHeader);
  store_le<std::uint64_t>(config, kConfigCapacity, disk.size() / kSectorSize);
  store_le<std::uint32_t>(config, kConfigSegMax, behaviour_.segments);
  store_le<std::uint32_t>(config, kConfigDiscardMaximumSectors, 64);
  store_le<std::uint32_t>(config, kConfigZeroesMaximumSectors, 32);
  reply(Request::GetConfig, answer);
}

void FakeVhostUser::serve(Queue& queue) {
  eventfd_t kicks = 0;
  ::eventfd_read(queue.kick.get(), &kicks);
  if (behaviour_.is_stuck) return;
  if (behaviour_.gives_back_nonsense) {
    queue.ring->push(999, 0);
    return queue.ring->signal();
  }
  DescriptorChain chain;
  while (*queue.ring->pop(chain)) {
    const auto head = chain.head;
    serve_request(chain);
    queue.ring->push(head, 0);
  }
  queue.ring->signal();
}

void FakeVhostUser::serve_request(DescriptorChain& chain) {
  std::array<std::byte, kHeaderSize> header{};
  take_bytes(chain.readable, header);
  *take_last_byte(chain.writable) = std::byte{behaviour_.status};
  const auto type = load_le<std::uint32_t>(header, 0);
  const auto offset = load_le<std::uint64_t>(header, kHeaderSector) * kSectorSize;
  types.push_back(type);
  const auto bytes = std::as_writable_bytes(std::span(disk)).subspan(offset);
  if (type == kTypeIn) put_bytes(chain.writable, bytes);
  if (type == kTypeOut) take_bytes(chain.readable, bytes);
  if (type != kTypeWriteZeroes) return;
  std::array<std::byte, kSegmentSize> range{};
  take_bytes(chain.readable, range);
  std::fill_n(disk.begin() + static_cast<std::ptrdiff_t>(load_le<std::uint64_t>(range, 0) * kSectorSize),
              load_le<std::uint32_t>(range, kSegmentSectors) * kSectorSize, '\0');
}

FakeVhostUser::Memory::Region FakeVhostUser::Memory::take(ino_t file, std::uint64_t address) {
  for (Region& region : regions)
    if (region.file == file && region.address == address)
      return {file, address, std::exchange(region.bytes, {})};
  return {file, address, {}};
}

void FakeVhostUser::Memory::clear() {
  for (const Region& region : regions)
    if (!region.bytes.empty()) ::munmap(region.bytes.data(), region.bytes.size());
  regions.clear();
}

bool FakeVhostUser::Memory::read(Gpa gpa, std::span<std::byte> into) {
  const auto bytes = map(gpa, into.size());
  std::ranges::copy(bytes, into.begin());
  return !bytes.empty();
}

bool FakeVhostUser::Memory::write(Gpa gpa, std::span<const std::byte> bytes) {
  const auto into = map(gpa, bytes.size());
  if (!into.empty()) std::ranges::copy(bytes, into.begin());
  return !into.empty();
}

std::span<std::byte> FakeVhostUser::Memory::map(Gpa gpa, std::size_t size) {
  for (const Region& region : regions)
    if (gpa.value >= region.address && gpa.value + size <= region.address + region.bytes.size())
      return region.bytes.subspan(gpa.value - region.address, size);
  return {};
}

}  // namespace virttdx::test
