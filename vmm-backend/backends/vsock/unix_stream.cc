// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/vsock/unix_stream.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

namespace virttdx {
namespace {

// Edges: a side that is not ready is looked at again when it has become so.
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

}  // namespace

Result<std::unique_ptr<UnixStream>> UnixStream::create(UniqueFd socket, Worker& worker, bool greeting) {
  std::unique_ptr<UnixStream> stream(new UnixStream(std::move(socket), worker, greeting));
  stream->watch_ = TRY(worker.loop().add(stream->socket_.get(), kEvents,
                                         [raw = stream.get()](std::uint32_t events) { raw->note(events); }));
  return stream;
}

UnixStream::~UnixStream() {
  if (watch_.fd >= 0) worker_.loop().remove(watch_);
}

void UnixStream::note(std::uint32_t events) {
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0) readable_ = true;
  if ((events & ~std::uint32_t{EPOLLIN}) != 0) writable_ = true;
  // May end this stream.
  worker_.run_task();
}

void UnixStream::accepted(std::uint32_t host_port) {
  if (!greets_) return;
  const std::string line = fmt::format("OK {}\n", host_port);
  // Nothing was sent before: there is room, or nobody to read it, as the next write() tells.
  if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) writable_ = true;
}

std::optional<std::size_t> UnixStream::write(std::span<const std::byte> bytes) {
  if (!writable_) return 0;
  const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EINTR) return 0;
  if (errno != EAGAIN) return std::nullopt;
  writable_ = false;
  return 0;
}

std::optional<std::size_t> UnixStream::read(std::span<std::byte> into) {
  if (!readable_) return 0;
  ssize_t count = 0;
  do count = ::recv(socket_.get(), into.data(), into.size(), 0);
  while (count < 0 && errno == EINTR);
  if (count > 0) return static_cast<std::size_t>(count);
  if (count == 0 || errno != EAGAIN) return std::nullopt;
  readable_ = false;
  return 0;
}

bool UnixStream::is_gone() {
  std::byte next{};
  const ssize_t count = ::recv(socket_.get(), &next, sizeof next, MSG_PEEK);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

void UnixStream::end_writing() { ::shutdown(socket_.get(), SHUT_WR); }

}  // namespace virttdx
