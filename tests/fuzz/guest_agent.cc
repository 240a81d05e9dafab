// SPDX-License-Identifier: GPL-2.0-or-later
// A guest agent that has shown that it is there and then sends any bytes: the call ends, once.
#include <sys/socket.h>
#include <unistd.h>

#include <QCoreApplication>
#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "process/guest_agent.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virttdx;
  static int argument_count = 0;
  static QCoreApplication application(argument_count, nullptr);
  std::array<int, 2> ends{};
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
  const UniqueFd guest(ends[1]);
  int answers = 0;
  driver::DeferredDelete<driver::GuestAgentCall> call(new driver::GuestAgentCall(
      UniqueFd(ends[0]), {.name = "guest-get-time"}, [&](const Result<nlohmann::json>&) { ++answers; }));
  std::string request(4096, '\0');
  const ssize_t got = read(guest.get(), request.data(), request.size());
  CHECK(got > 1);
  const auto sync = nlohmann::json::parse(request.begin() + 1, request.begin() + got);
  std::string answer = nlohmann::json({{"return", sync["arguments"]["id"]}}).dump() + '\n';
  answer.append(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 65536));
  CHECK(write(guest.get(), answer.data(), answer.size()) == static_cast<ssize_t>(answer.size()));
  shutdown(guest.get(), SHUT_WR);
  while (answers == 0) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 100);
  CHECK(answers == 1);
  call.reset();
  QCoreApplication::processEvents();
  return 0;
}
