// SPDX-License-Identifier: GPL-2.0-or-later
// Turns bytes into what a hostile driver does to a virtio device.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>

#include "virtio_driver.h"

namespace virttdx::test {

class VirtioPoker {
 public:
  /// `pump` is the back end's thread; `disturb` what comes from outside, by a byte.
  VirtioPoker(std::span<const std::uint8_t> input, std::function<void()> pump,
              std::function<void(std::uint8_t)> disturb)
      : input_(input), pump_(std::move(pump)), disturb_(std::move(disturb)) {}

  void run(VirtioDriver& driver) {
    while (!input_.empty()) {
      step(driver, take<std::uint8_t>());
      pump_();
    }
  }

 private:
  template <typename T>
  T take() {
    T value{};
    const std::size_t size = std::min(sizeof(T), input_.size());
    std::memcpy(&value, input_.data(), size);
    input_ = input_.subspan(size);
    return value;
  }

  void step(VirtioDriver& driver, std::uint8_t what) {
    const auto queue = static_cast<std::uint16_t>(what >> 4);
    switch (what & 7) {
      case 0:
        driver.start(take<std::uint64_t>() & driver.offered_features());
        break;
      case 1:
        return write_memory(driver);
      case 2:
        return add_chain(driver, queue);
      case 3:
        if ((what & 8) != 0) return renew_queue(driver, queue);
        driver.notify(queue);
        break;
      case 4:
        driver.set_common<std::uint32_t>(take<std::uint8_t>() & 0x3C, take<std::uint32_t>());
        break;
      case 5:
        driver.set_device_config<std::uint32_t>(take<std::uint8_t>(), take<std::uint32_t>());
        break;
      case 6:
        driver.set_config<std::uint32_t>(take<std::uint8_t>(), take<std::uint32_t>());
        break;
      default:
        disturb_(take<std::uint8_t>());
    }
  }

  void renew_queue(VirtioDriver& driver, std::uint16_t queue) {
    if (queue >= driver.queues.size()) return;
    driver.set_common<std::uint16_t>(virtio_pci_spec::kQueueSelect, queue);
    driver.set_common<std::uint16_t>(virtio_pci_spec::kQueueReset, 1);
    driver.set_up_queue(queue);
  }

  void write_memory(VirtioDriver& driver) {
    const std::uint64_t address = take<std::uint32_t>() & 0xFFFFF;
    const std::size_t wanted = take<std::uint8_t>();
    const std::size_t size = std::min(wanted, input_.size());
    driver.memory.write({address}, std::as_bytes(input_.first(size)));
    input_ = input_.subspan(size);
  }

  void add_chain(VirtioDriver& driver, std::uint16_t queue) {
    if (queue >= driver.queues.size()) return;
    std::vector<DriverBuffer> buffers;
    for (int count = 1 + take<std::uint8_t>() % 8; count > 0; --count)
      buffers.push_back(
          {take<std::uint32_t>() & 0x1FFFFF, take<std::uint16_t>(), (take<std::uint8_t>() & 1) != 0});
    driver.queues[queue].add(buffers);
    driver.notify(queue);
  }

  std::span<const std::uint8_t> input_;
  const std::function<void()> pump_;
  const std::function<void(std::uint8_t)> disturb_;
};

}  // namespace virttdx::test
