// SPDX-License-Identifier: GPL-2.0-or-later
// The host's side of a socket device on Unix sockets, as Firecracker and Cloud Hypervisor have it: programs
// of the host reach a port of the guest through one socket, and listen for the guest on sockets beside it.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <string>

#include "backends/worker.h"
#include "devices/virtio_vsock/vsock_backend.h"
#include "support/unique_fd.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// Listens at a path. A client sends "CONNECT PORT\n"; when the guest has taken the connection
/// it reads "OK HOST_PORT\n", and what follows is the stream; else it reads the end. The guest's connection
/// to port N of the host goes to the socket at that path + "_N".
class UnixVsock final : public VsockBackend {
 public:
  /// Clients that have not said their port, or whose connection waits for the device.
  static constexpr std::size_t kWaitingMaximum = 64;
  /// Binding replaces a socket that nobody listens on any more. Errors name the device and the path.
  static Result<std::unique_ptr<UnixVsock>> create(const VsockConfig& config, const std::string& path);
  ~UnixVsock() override;
  UnixVsock(const UnixVsock&) = delete;
  UnixVsock& operator=(const UnixVsock&) = delete;

  QueueWorker& worker() override { return *worker_; }
  std::uint32_t guest_cid() const override { return guest_cid_; }
  std::unique_ptr<VsockStream> connect(std::uint32_t port) override;
  std::optional<Incoming> accept() override;

 private:
  struct Client {
    UniqueFd socket;
    std::string line;  ///< what it said until now
    EventLoop::Watch watch;
  };
  struct Waiting {
    std::uint32_t guest_port = 0;
    UniqueFd socket;
  };
  UnixVsock(const VsockConfig& config, std::string path);
  Result<> listen();
  void take_client();
  void hear(std::list<Client>::iterator client);
  void forget(std::list<Client>::iterator client);

  const std::string id_, path_;
  const std::uint32_t guest_cid_;
  UniqueFd listener_;
  std::list<Client> clients_;
  std::deque<Waiting> waiting_;
  std::unique_ptr<Worker> worker_;  // last: its thread uses what stands above
};

}  // namespace virttdx
