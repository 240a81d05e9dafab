// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_rng/virtio_rng.h"

#include <algorithm>
#include <array>

#include "devices/virtio/chain_bytes.h"
#include "devices/virtio/virtio_spec.h"

namespace virttdx {
namespace {

// What one request gets at most: a guest cannot keep the worker busy with one buffer.
constexpr std::size_t kRequestMaximum = 4096;

}  // namespace

std::uint16_t VirtioRng::type() const { return virtio_spec::kDeviceEntropy; }

void VirtioRng::read_config(std::size_t, std::span<std::byte> data) {
  std::fill(data.begin(), data.end(), std::byte{0});
}

void VirtioRng::start(const VirtioSession& session) {
  session_ = session;
  broken_ = false;
  if (session_.queues.at(0) != nullptr) source_.worker().set_task([this] { serve(); });
}

void VirtioRng::stop() {
  source_.worker().set_task(nullptr);
  session_ = {};
}

void VirtioRng::replace_queue(std::size_t index, Virtqueue* queue) {
  source_.worker().set_task(nullptr);
  session_.queues.at(index) = queue;
  if (queue != nullptr) source_.worker().set_task([this] { serve(); });
}

void VirtioRng::serve() {
  if (broken_) return;
  Virtqueue& queue = *session_.queues[0];
  if (const auto filled = fill_buffers(queue); !filled) {
    broken_ = true;
    return session_.fail(filled.error());
  }
  queue.signal();
}

Result<> VirtioRng::fill_buffers(Virtqueue& queue) {
  do {
    queue.disable_notification();
    while (TRY(queue.pop(chain_))) {
      if (chain_.writable_size == 0)
        return fail(Error::Code::InvalidData, "a request for entropy has no buffer to write");
      if (fill()) continue;
      queue.unpop();
      return {};
    }
  } while (queue.enable_notification());
  return {};
}

bool VirtioRng::fill() {
  std::array<std::byte, kRequestMaximum> bytes;
  const auto wanted = std::min<std::uint64_t>(chain_.writable_size, bytes.size());
  const std::size_t count = source_.read(std::span(bytes).first(wanted));
  if (count == 0) return false;
  put_bytes(chain_.writable, std::span<const std::byte>(bytes).first(count));
  session_.queues[0]->push(chain_.head, static_cast<std::uint32_t>(count));
  return true;
}

}  // namespace virttdx
