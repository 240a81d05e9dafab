// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "devices/virtio/queue_worker.h"
#include "devices/virtio/virtio_device.h"
#include "devices/virtio_console/port_backend.h"
#include "devices/virtio_console/virtio_console_spec.h"

namespace virttdx {

/// A port that a VirtioConsole has from its start on.
struct ConsolePortParts {
  std::uint32_t number = 0;
  bool is_console = false;  ///< else a channel
  std::string name;         ///< empty: none
  PortBackend* backend = nullptr;
  /// The driver opened or closed the port, or left it open when it reset the device. Must not wait.
  std::function<void(bool is_open)> on_guest_open = {};
};

/// A virtio console with named ports. Input for a port waits in its back end until the guest has opened it.
/// Not emulated: terminal size, emergency write, adding and removing ports.
class VirtioConsole final : public VirtioDevice {
 public:
  /// Port numbers are below `maximum_ports`, each once. References and back ends outlive it.
  VirtioConsole(QueueWorker& worker, std::uint32_t maximum_ports, const std::vector<ConsolePortParts>& ports);
  ~VirtioConsole() override { stop(); }

  std::uint16_t type() const override;
  std::uint16_t pci_class() const override { return virtio_console_spec::kPciClass; }
  std::uint64_t features() const override { return virtio_console_spec::kFeatureMultiport; }
  std::vector<std::uint16_t> queue_sizes() const override;
  void read_config(std::size_t offset, std::span<std::byte> data) override;
  int doorbell(std::size_t) const override { return worker_.doorbell(); }
  void start(const VirtioSession& session) override;
  void stop() override;
  bool resets_queues() const override { return true; }
  void replace_queue(std::size_t index, Virtqueue* queue) override;

 private:
  struct Port {
    ConsolePortParts parts;
    bool is_ready = false;  ///< the driver knows it
    bool guest_is_open = false;
    bool told_connected = false;  ///< what the driver believes of the back end
    bool is_sending = false;      ///< output is left in `output`
    DescriptorChain output;
  };
  // On the worker's thread.
  void serve();
  Result<> serve_queues();
  Result<> receive_control();
  Result<> handle_control(std::span<const std::byte> message);
  static void tell_open(const Port& port);
  void announce_ports();
  void describe_port(Port& port);
  void tell_connections();
  void send_control(const Port& port, std::uint16_t event, std::uint16_t value, std::string_view text = {});
  Result<> deliver_control();
  Result<> move_output(Port& port);
  Result<> move_input(Port& port);
  bool write_output(Port& port);
  Virtqueue* queue(std::size_t index) const;
  bool is_multiport() const { return session_.has(virtio_console_spec::kFeatureMultiport); }

  QueueWorker& worker_;
  const std::uint32_t maximum_ports_;
  std::vector<Port> ports_;                      ///< the worker's while started
  std::deque<std::vector<std::byte>> messages_;  ///< for the driver, in order
  VirtioSession session_;
  DescriptorChain chain_;
  bool broken_ = false;
};

}  // namespace virttdx
