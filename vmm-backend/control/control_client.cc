// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/control_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

#include "control/control_wire.h"
#include "control/descriptor_passing.h"

namespace virttdx {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadSize = 64 << 10;
// A monitor that stops reading must not make the client grow.
constexpr std::size_t kUnsentMaximum = kControlMessageMaximum;

// `full`: the code when the listener's queue has no room.
Error connect_error(const std::filesystem::path& path, Error::Code full) {
  if (errno == EAGAIN) return {full, fmt::format("monitor at '{}' accepts no connection", path.string())};
  return Error::from_errno(errno, fmt::format("cannot connect to the monitor at '{}'", path.string()));
}

Result<UniqueFd> connected_socket(const std::filesystem::path& path, std::chrono::milliseconds timeout) {
  const auto address = TRY(control_wire::socket_address(path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno(errno, "cannot create a socket");
  // connect() of a Unix socket waits for room in the listener's queue only; this bounds it.
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const timeval limit{seconds.count(), std::chrono::microseconds(timeout - seconds).count()};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  // SAFETY: sockaddr_un is how AF_UNIX reads a sockaddr.
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return tl::unexpected(connect_error(path, Error::Code::TimedOut));
  if (::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0)
    return fail_errno(errno, "cannot make the connection to '{}' non-blocking", path.string());
  return socket;
}

}  // namespace

Result<ControlClient> ControlClient::begin(const std::filesystem::path& socket) {
  const auto address = TRY(control_wire::socket_address(socket));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno(errno, "cannot create a socket");
  // SAFETY: sockaddr_un is how AF_UNIX reads a sockaddr.
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return tl::unexpected(connect_error(socket, Error::Code::Busy));
  return ControlClient(std::move(fd));
}

Result<bool> ControlClient::greeted() {
  TRY(read_available());
  if (const auto line = take_line()) {
    TRY(control_wire::check_greeting(*line));
    return true;
  }
  if (closed_) return fail(Error::Code::WrongState, "the monitor closed the connection without a greeting");
  return false;
}

Result<ControlClient> ControlClient::connect(const std::filesystem::path& socket,
                                             std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  ControlClient client(TRY(connected_socket(socket, timeout)));
  while (true) {
    if (const auto line = client.take_line()) {
      TRY(control_wire::check_greeting(*line));
      return client;
    }
    if (client.closed_)
      return fail(Error::Code::WrongState, "monitor at '{}' closed the connection without a greeting",
                  socket.string());
    TRY(client.wait_readable(deadline));
    TRY(client.read_available());
  }
}

Result<std::uint64_t> ControlClient::send(std::string_view command, const nlohmann::json& arguments,
                                          std::vector<UniqueFd> descriptors) {
  const std::uint64_t id = next_id_++;
  const auto count = static_cast<unsigned>(descriptors.size());
  std::string line = control_wire::command_line({id, std::string(command), arguments, count});
  if (unsent_ + line.size() > kUnsentMaximum)
    return fail(Error::Code::Busy, "monitor does not read its commands: {} bytes wait already", unsent_);
  unsent_ += line.size();
  output_.push_back({std::move(line), std::move(descriptors)});
  TRY(send_available());
  return id;
}

Result<std::vector<ControlMessage>> ControlClient::receive() {
  TRY(send_available());
  if (!closed_) TRY(read_available());
  auto messages = std::exchange(kept_, {});
  auto arrived = TRY(parse_lines());
  std::move(arrived.begin(), arrived.end(), std::back_inserter(messages));
  if (messages.empty() && closed_)
    return fail(Error::Code::WrongState, "monitor closed the control connection");
  return messages;
}

Result<ControlReply> ControlClient::call(std::string_view command, const nlohmann::json& arguments,
                                         std::chrono::milliseconds timeout,
                                         std::vector<UniqueFd> descriptors) {
  const auto deadline = Clock::now() + timeout;
  const auto id = TRY(send(command, arguments, std::move(descriptors)));
  std::vector<ControlMessage> others = std::exchange(kept_, {});
  auto reply = wait_for_reply(id, deadline, others);
  kept_ = std::move(others);
  if (!reply) return tl::unexpected<Error>(std::move(reply).error().with_context(command));
  return reply;
}

Result<ControlReply> ControlClient::wait_for_reply(std::uint64_t id, Clock::time_point deadline,
                                                   std::vector<ControlMessage>& others) {
  while (true) {
    std::optional<ControlReply> reply;
    auto messages = TRY(receive());
    for (auto& message : messages) {
      auto* const candidate = std::get_if<ControlReply>(&message);
      if (candidate != nullptr && candidate->id == id)
        reply = std::move(*candidate);
      else
        others.push_back(std::move(message));
    }
    if (reply) return *std::move(reply);
    TRY(wait_readable(deadline));
  }
}

Result<> ControlClient::wait_readable(Clock::time_point deadline) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{socket_.get(), static_cast<short>(output_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    const int ready = ::poll(&entry, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno(errno, "cannot wait for the monitor");
    if (ready == 0 && Clock::now() >= deadline)
      return fail(Error::Code::TimedOut, "monitor did not answer in time");
  }
}

Result<> ControlClient::send_available() {
  while (!output_.empty()) {
    auto& [text, descriptors] = output_.front();
    const ssize_t count = send_with_descriptors(socket_.get(), text, descriptors);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return {};
    // What the monitor said before it closed is still to be read: receive() reports the end.
    if (count < 0 && errno == EPIPE) {
      output_.clear();
      return {};
    }
    if (count < 0) return fail_errno(errno, "cannot send to the monitor");
    descriptors.clear();  // they went with the first byte
    text.erase(0, static_cast<std::size_t>(count));
    unsent_ -= static_cast<std::size_t>(count);
    if (text.empty()) output_.pop_front();
  }
  return {};
}

Result<> ControlClient::read_available() {
  while (input_.size() <= 2 * kControlMessageMaximum) {
    std::array<char, kReadSize> buffer;
    const ssize_t count = receive_with_descriptors(socket_.get(), buffer, received_fds_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return {};
    if (count <= 0) {
      closed_ = count == 0 || errno == ECONNRESET;
      if (closed_) return {};
      return fail_errno(errno, "cannot read from the monitor");
    }
    input_.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return {};
}

std::optional<std::string> ControlClient::take_line() {
  const auto end = input_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = input_.substr(0, end);
  input_.erase(0, end + 1);
  return line;
}

Result<std::vector<ControlMessage>> ControlClient::parse_lines() {
  std::vector<ControlMessage> messages;
  while (const auto line = take_line()) {
    auto incoming = TRY(control_wire::parse_incoming(*line));
    if (incoming.is_event) {
      messages.emplace_back(std::move(incoming.event));
      continue;
    }
    ControlReply reply{incoming.id, std::move(incoming.result), {}};
    if (incoming.has_descriptor) {
      if (received_fds_.empty())
        return fail(Error::Code::InvalidData, "monitor's reply {} came without its descriptor", reply.id);
      reply.fd = std::move(received_fds_.front());
      received_fds_.erase(received_fds_.begin());
    }
    messages.emplace_back(std::move(reply));
  }
  if (input_.size() > kControlMessageMaximum)
    return fail(Error::Code::InvalidData, "monitor sent a line longer than {} bytes", kControlMessageMaximum);
  return messages;
}

}  // namespace virttdx
