// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "backends/worker.h"
#include "devices/virtio_console/port_backend.h"
#include "support/unique_fd.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// A channel on a Unix stream socket: bound and served to one client after the other, or connected once. The
/// guest waits for a client that does not read. Its functions: the worker's thread.
class SocketPort final : public PortBackend {
 public:
  /// Before the worker starts; it outlives the port. Binding replaces a socket that nobody listens on any
  /// more.
  static Result<std::unique_ptr<SocketPort>> create(const ConsolePortConfig& config, Worker& worker);
  ~SocketPort() override;
  SocketPort(const SocketPort&) = delete;
  SocketPort& operator=(const SocketPort&) = delete;

  std::size_t write(std::span<const std::byte> bytes) override;
  std::size_t read(std::span<std::byte> into) override;
  bool is_connected() const override { return static_cast<bool>(client_); }

 private:
  SocketPort(const ConsolePortConfig& config, Worker& worker)
      : id_(config.id), path_(config.path.value_or("")), worker_(worker) {}
  Result<> listen();
  Result<> connect();
  Result<> serve(UniqueFd client);
  void accept();
  void disconnect();

  const std::string id_, path_;
  Worker& worker_;
  UniqueFd listener_;
  UniqueFd client_;
  EventLoop::Watch client_watch_;
};

}  // namespace virttdx
