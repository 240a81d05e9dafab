// SPDX-License-Identifier: GPL-2.0-or-later
// A vhost-user-blk back end in this process, over a disk in memory; it can be told to misbehave.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "backends/vhost_user/vhost_user_spec.h"
#include "bus/dma.h"
#include "devices/virtio/virtqueue.h"
#include "support/unique_fd.h"

namespace virttdx::test {

class FakeVhostUser {
 public:
  using Request = vhost_user_spec::Request;
  struct Behaviour {
    std::uint64_t features = ~0ULL;  ///< that it offers
    std::uint64_t protocol_features = ~0ULL;
    std::uint64_t queues = 4;
    std::uint32_t segments = 126;
    std::optional<Request> ends_at{};           ///< hangs up instead of serving this message
    std::optional<Request> answers_badly_at{};  ///< with a reply of another size
    bool gives_back_nonsense = false;           ///< used entries that nobody made available
    bool is_stuck = false;                      ///< serves no request of its queues
    std::uint8_t status = 0;                    ///< of every request
  };
  FakeVhostUser(std::size_t capacity, Behaviour behaviour);
  ~FakeVhostUser();

  /// The front-end's end.
  UniqueFd take_socket() { return std::move(theirs_); }
  /// As a process that is killed.
  void die();

  std::vector<char> disk;
  std::vector<std::uint32_t> types;                  ///< of requests, in order; read after the last is done
  std::atomic<std::size_t> memory_files = 0;         ///< of the last SET_MEM_TABLE
  std::atomic<std::uint64_t> accepted_features = 0;  ///< of SET_FEATURES

 private:
  /// What SET_MEM_TABLE brought.
  struct Memory final : DmaMemory {
    struct Region {
      ino_t file;
      std::uint64_t address;
      std::span<std::byte> bytes;
    };
    ~Memory() override { clear(); }
    void clear();
    /// The mapping of that file at that address, which leaves this table; no bytes when it is not there.
    Region take(ino_t file, std::uint64_t address);
    bool read(Gpa gpa, std::span<std::byte> into) override;
    bool write(Gpa gpa, std::span<const std::byte> bytes) override;
    std::span<std::byte> map(Gpa gpa, std::size_t size) override;
    std::vector<Region> regions;
  };
  struct Queue {
    VirtqueuePlace place{};
    UniqueFd kick, call;
    std::unique_ptr<Virtqueue> ring;
    bool is_running = false;
    std::span<std::byte> used;
  };
  void run();
  bool serve_message();
  bool dispatch(Request request, std::span<const std::byte> payload, std::vector<UniqueFd>& fds);
  void set_memory(std::span<const std::byte> payload, std::vector<UniqueFd>& fds);
  void set_address(std::span<const std::byte> payload);
  void enable(std::uint32_t index);
  void reply(Request request, std::span<const std::byte> payload);
  void reply_number(Request request, std::uint64_t value);
  void reply_config(std::span<const std::byte> payload);
  void serve(Queue& queue);
  void serve_request(DescriptorChain& chain);

  const Behaviour behaviour_;
  UniqueFd ours_, theirs_, end_;
  Memory memory_;
  std::map<std::uint32_t, Queue> queues_;
  std::thread thread_;
};

}  // namespace virttdx::test
