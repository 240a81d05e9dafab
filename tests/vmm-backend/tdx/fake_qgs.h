// SPDX-License-Identifier: GPL-2.0-or-later
// A quote generation service for tests: answers as it is told, or misbehaves. Its bytes are spelled out here,
// not made by the code under test. Layout: qgs_msg_lib of Intel's quote generation service.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/byte_order.h"
#include "support/unique_fd.h"
#include "vmm_backend/qgs_address.h"

namespace virttdx::test {

class FakeQgs {
 public:
  using Bytes = std::vector<std::byte>;
  /// What is sent for the request of this number (0, 1...), and whether the connection ends after it.
  struct Reply {
    Bytes bytes;
    bool close = false;
  };
  using Behaviour = std::function<Reply(unsigned request)>;

  explicit FakeQgs(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
    std::string directory = (std::filesystem::temp_directory_path() / "qgs-XXXXXX").string();
    directory_ = mkdtemp(directory.data());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path(), address.sun_path);
    listener_.reset(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    CHECK(listen(listener_.get(), 16) == 0);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FakeQgs() {
    release();
    shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (const auto& connection : connections_) shutdown(connection.get(), SHUT_RDWR);
    for (auto& thread : threads_) thread.join();
    std::filesystem::remove_all(directory_);
  }

  std::string path() const { return directory_ + "/qgs.socket"; }
  qgs::Address address() const { return qgs::UnixAddress{path()}; }
  /// Requests are received but get no reply until release().
  void hold() { set_held(true); }
  void release() { set_held(false); }
  /// Returns when so many requests have been received.
  void wait_for_requests(unsigned count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return requests_.size() >= count; });
  }
  Bytes request(std::size_t number) {
    const std::lock_guard lock(mutex_);
    return requests_.at(number);
  }
  std::size_t connection_count() {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

  /// GET_QUOTE_RESP: big-endian size; version 1.1, type 1, size, error; size of the id (0), of the quote,
  /// quote.
  static Bytes response(const std::string& quote, std::uint32_t error = 0) {
    const auto size = static_cast<std::uint32_t>(24 + quote.size());
    Bytes bytes(4 + size);
    const std::span all(bytes);
    bytes[2] = static_cast<std::byte>(size >> 8);
    bytes[3] = static_cast<std::byte>(size & 0xFF);
    store_le<std::uint16_t>(all, 4, 1);
    store_le<std::uint16_t>(all, 6, 1);
    store_le<std::uint32_t>(all, 8, 1);
    store_le<std::uint32_t>(all, 12, size);
    store_le<std::uint32_t>(all, 16, error);
    store_le<std::uint32_t>(all, 24, static_cast<std::uint32_t>(quote.size()));
    std::ranges::transform(quote, bytes.begin() + 28,
                           [](char letter) { return static_cast<std::byte>(letter); });
    return bytes;
  }
  static Behaviour respond(const std::string& quote, std::uint32_t error = 0) {
    return [bytes = response(quote, error)](unsigned) { return Reply{bytes, false}; };
  }
  static Behaviour send_and_close(Bytes bytes) {
    return [bytes = std::move(bytes)](unsigned) { return Reply{bytes, true}; };
  }

 private:
  static constexpr std::size_t kRequestSize = 4 + 24 + 1024;

  void set_held(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void accept_all() {
    while (true) {
      UniqueFd client(accept(listener_.get(), nullptr, nullptr));
      if (!client) return;
      const std::lock_guard lock(mutex_);
      const int fd = client.get();
      connections_.push_back(std::move(client));
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    Bytes request(kRequestSize);
    while (recv(fd, request.data(), request.size(), MSG_WAITALL) == static_cast<ssize_t>(request.size())) {
      const auto reply = behaviour_(took(request));
      (void)send(fd, reply.bytes.data(), reply.bytes.size(), MSG_NOSIGNAL);
      if (reply.close) shutdown(fd, SHUT_RDWR);
    }
  }
  unsigned took(const Bytes& request) {
    std::unique_lock lock(mutex_);
    requests_.push_back(request);
    const auto number = static_cast<unsigned>(requests_.size() - 1);
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    return number;
  }

  Behaviour behaviour_;
  std::string directory_;
  UniqueFd listener_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::vector<Bytes> requests_;
  std::vector<UniqueFd> connections_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace virttdx::test
