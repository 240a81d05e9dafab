// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "backends/worker.h"
#include "devices/virtio_vsock/vsock_backend.h"
#include "support/unique_fd.h"

namespace virttdx {

/// A connected Unix stream socket. All of it on the worker's thread; the worker outlives it.
class UnixStream final : public VsockStream {
 public:
  /// `greeting` of accepted(): whether the program waits for "OK PORT\n".
  static Result<std::unique_ptr<UnixStream>> create(UniqueFd socket, Worker& worker, bool greeting);
  ~UnixStream() override;
  UnixStream(const UnixStream&) = delete;
  UnixStream& operator=(const UnixStream&) = delete;

  void accepted(std::uint32_t host_port) override;
  std::optional<std::size_t> write(std::span<const std::byte> bytes) override;
  std::optional<std::size_t> read(std::span<std::byte> into) override;
  bool is_gone() override;
  void end_writing() override;

 private:
  UnixStream(UniqueFd socket, Worker& worker, bool greeting)
      : socket_(std::move(socket)), worker_(worker), greets_(greeting) {}
  void note(std::uint32_t events);

  UniqueFd socket_;
  Worker& worker_;
  const bool greets_;
  EventLoop::Watch watch_;
  // What epoll has said since the last time that the socket was not ready.
  bool readable_ = true, writable_ = true;
};

}  // namespace virttdx
