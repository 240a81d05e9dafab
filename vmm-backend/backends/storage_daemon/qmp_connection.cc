// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/storage_daemon/qmp_connection.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>

namespace virttdx {
namespace {

using nlohmann::json;

constexpr timeval kPatience{5, 0};
// No answer to what is asked here is nearly as long.
constexpr std::size_t kMessageMaximum = 1 << 16;

std::string reason_of(const json& error) {
  const bool is_given = error.is_object() && error.contains("desc") && error["desc"].is_string();
  return is_given ? error["desc"].get<std::string>() : "no reason given";
}

}  // namespace

Result<json> QmpConnection::execute(std::string_view command, const json& arguments) {
  if (!socket_) return fail(Error::Code::System, "the storage daemon has no monitor");
  if (!is_greeted_) TRY(greet());
  TRY(send({{"execute", command}, {"arguments", arguments}}));
  return receive_answer(command);
}

Result<> QmpConnection::greet() {
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
    ::setsockopt(socket_.get(), SOL_SOCKET, option, &kPatience, sizeof kPatience);
  const json greeting = TRY(receive());
  if (!greeting.contains("QMP"))
    return fail(Error::Code::InvalidData, "the storage daemon's monitor does not speak QMP");
  TRY(send({{"execute", "qmp_capabilities"}}));
  TRY(receive_answer("qmp_capabilities"));
  is_greeted_ = true;
  return {};
}

Result<> QmpConnection::send(const json& message) {
  const std::string text = message.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return fail_errno(errno, "cannot write to the storage daemon's monitor");
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

// One message a line.
Result<json> QmpConnection::receive() {
  std::size_t end = 0;
  while ((end = received_.find('\n')) == std::string::npos) {
    std::array<char, 4096> chunk{};
    const ssize_t count = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, "no answer of the storage daemon's monitor");
    received_.append(chunk.data(), static_cast<std::size_t>(count));
    if (count == 0 || received_.size() > kMessageMaximum)
      return fail(Error::Code::InvalidData, "the storage daemon's monitor {}",
                  count == 0 ? "is gone" : "sends no end of a line");
  }
  json message = json::parse(received_.substr(0, end), nullptr, false);
  received_.erase(0, end + 1);
  if (!message.is_object())
    return fail(Error::Code::InvalidData, "the storage daemon's monitor sends what is no JSON object");
  return message;
}

// Events come in between.
Result<json> QmpConnection::receive_answer(std::string_view command) {
  while (true) {
    json message = TRY(receive());
    if (message.contains("return")) return message["return"];
    if (message.contains("error"))
      return fail(Error::Code::System, "the storage daemon's {}: {}", command, reason_of(message["error"]));
  }
}

}  // namespace virttdx
