// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "backends/interface_counters.h"
#include "backends/network_device.h"
#include "backends/worker.h"
#include "support/log.h"

namespace virttdx {
namespace {

using namespace virtio_net_spec;

constexpr std::size_t kLengthSize = 4;
constexpr std::size_t kFrameMaximum = kPacketMaximum - kHeaderSize;
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLET;

class StreamQueue final : public PacketQueue {
 public:
  StreamQueue(UniqueFd socket, InterfaceCounters& counters, NetworkLink& link, std::string id)
      : socket_(std::move(socket)),
        counters_(counters),
        link_(link),
        id_(std::move(id)),
        input_(kLengthSize + kFrameMaximum) {}

  Result<> start() {
    worker_ = TRY(Worker::create(id_));
    TRY(worker_->loop().add(socket_.get(), kEvents, [this](std::uint32_t) { worker_->run_task(); }));
    worker_->start();
    return {};
  }
  QueueWorker& worker() override { return *worker_; }
  Sent send(std::span<const iovec> packet, std::size_t size) override;
  std::size_t receive(std::span<std::byte> into) override;
  void count_drop() override { counters_.count_received_drop(); }

 private:
  bool send_rest();
  void copy_frame(std::span<const iovec> packet);
  void disconnect(const char* cause);
  std::size_t frame_size() const;
  void read_input();

  UniqueFd socket_;
  InterfaceCounters& counters_;
  NetworkLink& link_;
  const std::string id_;
  bool is_connected_ = true;
  std::vector<std::byte> output_;  ///< a frame with its length
  std::size_t output_sent_ = 0;    ///< of output_; a stream takes what it has room for
  std::vector<std::byte> input_;
  std::size_t input_size_ = 0;
  std::unique_ptr<Worker> worker_;  // last: its thread uses what stands above
};

PacketQueue::Sent StreamQueue::send(std::span<const iovec> packet, std::size_t size) {
  if (!is_connected_) {
    counters_.count_sent_drop();
    return Sent::Dropped;
  }
  // The rest of the frame before goes first: a frame counts as sent once its first bytes have gone.
  if (output_sent_ < output_.size() && !send_rest()) return Sent::Later;
  output_.resize(kLengthSize + size - kHeaderSize);
  output_sent_ = 0;
  copy_frame(packet);
  counters_.count_sent(size);
  send_rest();
  return Sent::Yes;
}

// Without the virtio-net header; guest memory is read once.
void StreamQueue::copy_frame(std::span<const iovec> packet) {
  const std::uint32_t length = htonl(static_cast<std::uint32_t>(output_.size() - kLengthSize));
  std::memcpy(output_.data(), &length, kLengthSize);
  std::size_t skip = kHeaderSize;
  std::size_t at = kLengthSize;
  for (const iovec& buffer : packet) {
    const std::size_t skipped = std::min(skip, buffer.iov_len);
    skip -= skipped;
    const std::size_t count = std::min(buffer.iov_len - skipped, output_.size() - at);
    std::memcpy(output_.data() + at, static_cast<const std::byte*>(buffer.iov_base) + skipped, count);
    at += count;
  }
}

bool StreamQueue::send_rest() {
  while (output_sent_ < output_.size()) {
    const ssize_t count =
        ::send(socket_.get(), output_.data() + output_sent_, output_.size() - output_sent_, MSG_NOSIGNAL);
    if (count > 0) {
      output_sent_ += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      return false;
    } else if (errno != EINTR) {
      disconnect(std::strerror(errno));
      return true;
    }
  }
  return true;
}

std::size_t StreamQueue::receive(std::span<std::byte> into) {
  if (output_sent_ < output_.size()) send_rest();
  read_input();
  const std::size_t size = frame_size();
  if (size == 0 || input_size_ < kLengthSize + size) return 0;
  std::memset(into.data(), 0, kHeaderSize);
  std::memcpy(into.data() + kHeaderSize, input_.data() + kLengthSize, size);
  input_size_ -= kLengthSize + size;
  std::memmove(input_.data(), input_.data() + kLengthSize + size, input_size_);
  counters_.count_received(kHeaderSize + size);
  return kHeaderSize + size;
}

// 0: not known yet.
std::size_t StreamQueue::frame_size() const {
  if (input_size_ < kLengthSize) return 0;
  std::uint32_t length = 0;
  std::memcpy(&length, input_.data(), kLengthSize);
  return ntohl(length);
}

void StreamQueue::read_input() {
  while (is_connected_ && input_size_ < input_.size()) {
    const std::size_t size = frame_size();
    if (input_size_ >= kLengthSize && (size == 0 || size > kFrameMaximum)) {
      counters_.count_received_error();
      return disconnect("its peer sent a frame of an impossible length");
    }
    if (size != 0 && input_size_ >= kLengthSize + size) return;
    const ssize_t count = ::recv(socket_.get(), input_.data() + input_size_, input_.size() - input_size_, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return disconnect(count == 0 ? "its peer has gone" : std::strerror(errno));
    input_size_ += static_cast<std::size_t>(count);
  }
}

void StreamQueue::disconnect(const char* cause) {
  is_connected_ = false;
  output_sent_ = output_.size();
  input_size_ = 0;
  ::shutdown(socket_.get(), SHUT_RDWR);
  log::warning("interface '{}' has lost its connection: {}; its link is down until the TD is started anew",
               id_, cause);
  link_.cut();
}

class StreamDevice final : public NetworkDevice {
 public:
  StreamDevice(std::string id, Properties properties, UniqueFd socket)
      : id_(std::move(id)), properties_(properties), queue_(std::move(socket), counters_, link(), id_) {}
  Result<> start() { return queue_.start(); }
  const Properties& properties() const override { return properties_; }
  std::size_t queue_pairs() const override { return 1; }
  PacketQueue& queue(std::size_t) override { return queue_; }
  void set_offloads(std::uint64_t) override {}
  void set_active_pairs(std::size_t) override {}
  InterfaceStatistics statistics() const override {
    InterfaceStatistics statistics = counters_.snapshot();
    statistics.id = id_;
    return statistics;
  }

 private:
  const std::string id_;
  const Properties properties_;
  InterfaceCounters counters_;
  StreamQueue queue_;
};

}  // namespace

Result<std::unique_ptr<NetworkDevice>> create_stream_device(const NetworkInterfaceConfig& config,
                                                            int socket) {
  UniqueFd owned(socket);
  if (config.queue_pairs != 1)
    return fail(Error::Code::ConfigUnsupported, "interface '{}': user networking has 1 queue pair, not {}",
                config.id, config.queue_pairs);
  auto device = std::make_unique<StreamDevice>(config.id, TRY(network_properties(config)), std::move(owned));
  TRY(device->start());
  return device;
}

}  // namespace virttdx
