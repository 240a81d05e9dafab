// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_console/virtio_console.h"

#include <algorithm>
#include <utility>

#include "devices/virtio/chain_bytes.h"
#include "devices/virtio/virtio_spec.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace virtio_console_spec;

namespace {

constexpr std::uint16_t kQueueSize = 128;
// Of a port, what a driver can provoke before it takes any: add, console, name, open.
constexpr std::size_t kMessagesAPort = 16;

std::size_t receive_queue(std::uint32_t port) { return port == 0 ? kQueueReceive0 : 2 * port + 2; }
std::size_t transmit_queue(std::uint32_t port) { return port == 0 ? kQueueTransmit0 : 2 * port + 3; }

}  // namespace

VirtioConsole::VirtioConsole(QueueWorker& worker, std::uint32_t maximum_ports,
                             const std::vector<ConsolePortParts>& ports)
    : worker_(worker), maximum_ports_(maximum_ports) {
  for (const ConsolePortParts& parts : ports) {
    CHECK(parts.number < maximum_ports && parts.backend != nullptr);
    ports_.emplace_back().parts = parts;
  }
}

std::uint16_t VirtioConsole::type() const { return virtio_spec::kDeviceConsole; }

std::vector<std::uint16_t> VirtioConsole::queue_sizes() const {
  return std::vector<std::uint16_t>(2 * std::size_t{maximum_ports_} + 2, kQueueSize);
}

void VirtioConsole::read_config(std::size_t offset, std::span<std::byte> data) {
  std::array<std::byte, kConfigSize> config{};
  store_le<std::uint32_t>(config, kConfigMaximumPorts, maximum_ports_);
  read_structure(config, offset, data);
}

void VirtioConsole::start(const VirtioSession& session) {
  session_ = session;
  broken_ = false;
  messages_.clear();
  for (Port& port : ports_) {
    port = Port{.parts = port.parts, .output = {}};
    // Without control messages there is one port, and it is always open.
    port.is_ready = port.guest_is_open = !is_multiport() && port.parts.number == 0;
  }
  worker_.set_task([this] { serve(); });
}

void VirtioConsole::stop() {
  worker_.set_task(nullptr);
  for (Port& port : ports_)
    if (is_multiport() && std::exchange(port.guest_is_open, false)) tell_open(port);
  session_ = {};
}

void VirtioConsole::replace_queue(std::size_t index, Virtqueue* queue) {
  worker_.set_task(nullptr);
  session_.queues.at(index) = queue;
  for (Port& port : ports_)
    if (transmit_queue(port.parts.number) == index) port.is_sending = false;
  worker_.set_task([this] { serve(); });
}

void VirtioConsole::serve() {
  if (broken_) return;
  if (const auto served = serve_queues(); !served) {
    broken_ = true;
    return session_.fail(served.error());
  }
  for (Virtqueue* const queue : session_.queues)
    if (queue != nullptr) queue->signal();
}

Result<> VirtioConsole::serve_queues() {
  if (is_multiport()) {
    TRY(receive_control());
    tell_connections();
    TRY(deliver_control());
  }
  for (Port& port : ports_) {
    TRY(move_output(port));
    TRY(move_input(port));
  }
  return {};
}

Virtqueue* VirtioConsole::queue(std::size_t index) const {
  return index < session_.queues.size() ? session_.queues[index] : nullptr;
}

Result<> VirtioConsole::receive_control() {
  Virtqueue* const control = queue(kQueueControlTransmit);
  if (control == nullptr) return {};
  do {
    control->disable_notification();
    while (TRY(control->pop(chain_))) {
      std::array<std::byte, kControlSize> message{};
      if (take_bytes(chain_.readable, message) != message.size())
        return fail(Error::Code::InvalidData, "a control message has {} bytes", chain_.readable_size);
      control->push(chain_.head, 0);
      TRY(handle_control(message));
    }
  } while (control->enable_notification());
  return {};
}

Result<> VirtioConsole::handle_control(std::span<const std::byte> message) {
  const auto number = load_le<std::uint32_t>(message, 0);
  const auto event = load_le<std::uint16_t>(message, kControlEvent);
  const bool value = load_le<std::uint16_t>(message, kControlValue) != 0;
  if (messages_.size() > kMessagesAPort * (ports_.size() + 1))
    return fail(Error::Code::InvalidData, "the driver takes no control messages, {} wait", messages_.size());
  if (event == kDeviceReady && value) announce_ports();
  const auto port =
      std::ranges::find_if(ports_, [&](const Port& candidate) { return candidate.parts.number == number; });
  if (port == ports_.end()) return {};
  if (event == kPortReady && value) describe_port(*port);
  if (event == kPortOpen && std::exchange(port->guest_is_open, value) != value) tell_open(*port);
  return {};
}

void VirtioConsole::tell_open(const Port& port) {
  if (port.parts.on_guest_open) port.parts.on_guest_open(port.guest_is_open);
}

void VirtioConsole::announce_ports() {
  for (const Port& port : ports_) send_control(port, kPortAdd, 1);
}

void VirtioConsole::describe_port(Port& port) {
  port.is_ready = true;
  port.told_connected = false;
  if (port.parts.is_console) send_control(port, kConsolePort, 1);
  if (!port.parts.name.empty()) send_control(port, kPortName, 1, port.parts.name);
}

void VirtioConsole::tell_connections() {
  for (Port& port : ports_) {
    const bool connected = port.parts.backend->is_connected();
    if (!port.is_ready || connected == port.told_connected) continue;
    port.told_connected = connected;
    send_control(port, kPortOpen, connected ? 1 : 0);
  }
}

void VirtioConsole::send_control(const Port& port, std::uint16_t event, std::uint16_t value,
                                 std::string_view text) {
  std::vector<std::byte> message(kControlSize);
  store_le<std::uint32_t>(message, 0, port.parts.number);
  store_le<std::uint16_t>(message, kControlEvent, event);
  store_le<std::uint16_t>(message, kControlValue, value);
  const auto bytes = std::as_bytes(std::span(text));
  message.insert(message.end(), bytes.begin(), bytes.end());
  messages_.push_back(std::move(message));
}

Result<> VirtioConsole::deliver_control() {
  Virtqueue* const control = queue(kQueueControlReceive);
  if (control == nullptr) return {};
  while (!messages_.empty()) {
    if (!TRY(control->pop_or_ask(chain_))) return {};
    if (chain_.writable_size < messages_.front().size())
      return fail(Error::Code::InvalidData, "a buffer of {} bytes cannot take a control message of {}",
                  chain_.writable_size, messages_.front().size());
    const std::size_t put = put_bytes(chain_.writable, messages_.front());
    control->push(chain_.head, static_cast<std::uint32_t>(put));
    messages_.pop_front();
  }
  return {};
}

Result<> VirtioConsole::move_output(Port& port) {
  Virtqueue* const transmit = queue(transmit_queue(port.parts.number));
  if (transmit == nullptr) return {};
  if (port.is_sending && !write_output(port)) return {};
  do {
    transmit->disable_notification();
    while (TRY(transmit->pop(port.output)))
      if (!write_output(port)) return {};
  } while (transmit->enable_notification());
  return {};
}

// Whether the chain at hand has gone whole.
bool VirtioConsole::write_output(Port& port) {
  auto& buffers = port.output.readable;
  port.is_sending = true;
  while (!buffers.empty()) {
    // SAFETY: guest memory, passed on without being looked at.
    const std::span bytes(static_cast<const std::byte*>(buffers.front().iov_base), buffers.front().iov_len);
    const std::size_t taken = port.parts.backend->write(bytes);
    drop_bytes(buffers, taken);
    if (taken < bytes.size()) return false;
  }
  port.is_sending = false;
  queue(transmit_queue(port.parts.number))->push(port.output.head, 0);
  return true;
}

Result<> VirtioConsole::move_input(Port& port) {
  Virtqueue* const receive = queue(receive_queue(port.parts.number));
  if (receive == nullptr || !port.guest_is_open) return {};
  while (TRY(receive->pop_or_ask(chain_))) {
    if (chain_.writable.empty()) return fail(Error::Code::InvalidData, "a buffer for input is not writable");
    const iovec& buffer = chain_.writable.front();
    const std::size_t count =
        port.parts.backend->read({static_cast<std::byte*>(buffer.iov_base), buffer.iov_len});
    if (count == 0) {
      receive->unpop();
      return {};
    }
    receive->push(chain_.head, static_cast<std::uint32_t>(count));
  }
  return {};
}

}  // namespace virttdx
