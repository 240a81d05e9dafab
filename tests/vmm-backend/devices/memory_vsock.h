// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <string>

#include "devices/virtio_vsock/vsock_backend.h"
#include "manual_worker.h"

namespace virttdx::test {

/// A connection whose host's program is the test.
struct MemoryConnection {
  std::string written, input;
  std::size_t room = SIZE_MAX;
  std::uint32_t host_port = 0;  ///< that accepted() told
  bool reads = true;            ///< the program still does
  bool ended = false;           ///< behind `input` there is no more
  bool guest_ended = false;
  bool closed = false;  ///< by the device
};

struct MemoryStream final : VsockStream {
  explicit MemoryStream(std::shared_ptr<MemoryConnection> of) : connection(std::move(of)) {}
  ~MemoryStream() override { connection->closed = true; }
  void accepted(std::uint32_t host_port) override { connection->host_port = host_port; }
  std::optional<std::size_t> write(std::span<const std::byte> bytes) override {
    if (!connection->reads) return std::nullopt;
    const std::size_t count = std::min(bytes.size(), connection->room);
    connection->written.append(reinterpret_cast<const char*>(bytes.data()), count);
    connection->room -= count;
    return count;
  }
  std::optional<std::size_t> read(std::span<std::byte> into) override {
    auto& input = connection->input;
    if (input.empty() && connection->ended) return std::nullopt;
    const std::size_t count = std::min(into.size(), input.size());
    std::memcpy(into.data(), input.data(), count);
    input.erase(0, count);
    return count;
  }
  bool is_gone() override { return !connection->reads; }
  void end_writing() override { connection->guest_ended = true; }
  std::shared_ptr<MemoryConnection> connection;
};

/// A host where programs listen on some ports.
struct MemoryVsock final : VsockBackend {
  QueueWorker& worker() override { return manual; }
  std::uint32_t guest_cid() const override { return 3; }
  std::unique_ptr<VsockStream> connect(std::uint32_t port) override {
    if (!listening.contains(port)) return nullptr;
    return std::make_unique<MemoryStream>(connections.emplace_back(std::make_shared<MemoryConnection>()));
  }
  std::optional<Incoming> accept() override {
    if (wanted.empty()) return std::nullopt;
    const auto port = wanted.front();
    wanted.pop_front();
    return Incoming{
        port, std::make_unique<MemoryStream>(connections.emplace_back(std::make_shared<MemoryConnection>()))};
  }
  ManualWorker manual;
  std::set<std::uint32_t> listening;
  std::deque<std::uint32_t> wanted;  ///< ports of the guest
  std::vector<std::shared_ptr<MemoryConnection>> connections;
};

}  // namespace virttdx::test
