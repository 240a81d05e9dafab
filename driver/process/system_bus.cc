// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/system_bus.h"

#include <poll.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "support/log.h"

namespace virttdx::driver {
namespace {

tl::unexpected<Error> error_of(const sd_bus_error& error) {
  if (sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY) != 0 ||
      sd_bus_error_has_name(&error, SD_BUS_ERROR_TIMEOUT) != 0)
    return fail(Error::Code::TimedOut, "no answer");
  return fail(Error::Code::System, "{}: {}", error.name, error.message == nullptr ? "" : error.message);
}

// In milliseconds, rounded up.
std::chrono::milliseconds time_until(std::uint64_t deadline) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
  const std::uint64_t left = deadline > microseconds ? (deadline - microseconds + 999) / 1000 : 0;
  return std::chrono::milliseconds(std::min<std::uint64_t>(left, 3'600'000));
}

}  // namespace

void UnrefBusMessage::operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }

Result<> check_bus(int result, std::string_view what) {
  if (result < 0) return fail_errno(-result, "{}", what);
  return {};
}

void SystemBus::Notifiers::stop() {
  readable.setEnabled(false);
  writable.setEnabled(false);
  timeout.stop();
}

SystemBus::~SystemBus() {
  if (bus_ != nullptr) sd_bus_close_unref(bus_);
}

Result<> SystemBus::connect() {
  if (bus_ != nullptr) return {};
  TRY(check_bus(sd_bus_open_system(&bus_), "connect to the system bus"));
  notifiers_.reset(new Notifiers(sd_bus_get_fd(bus_)));
  auto* const made = notifiers_.get();
  QObject::connect(&made->readable, &QSocketNotifier::activated, &made->readable, [this] { process(); });
  QObject::connect(&made->writable, &QSocketNotifier::activated, &made->writable, [this] { process(); });
  QObject::connect(&made->timeout, &QTimer::timeout, &made->timeout, [this] { process(); });
  made->timeout.setSingleShot(true);
  return {};
}

Result<BusMessage> SystemBus::new_call(const BusMethod& method) {
  TRY(connect());
  sd_bus_message* made = nullptr;
  TRY(check_bus(sd_bus_message_new_method_call(bus_, &made, method.service, method.object, method.interface,
                                               method.name),
                "make a call on the system bus"));
  return BusMessage(made);
}

// Also a call that cannot be sent is answered from the event loop.
void SystemBus::call(const BusMessage& message, std::chrono::microseconds patience, Handler handler) {
  Call& call = calls_.emplace_back(Call{this, std::move(handler)});
  const auto callback = [](sd_bus_message* reply, void* data, sd_bus_error*) {
    return answered(reply, data);
  };
  const auto sent = bus_ == nullptr ? -ENOTCONN
                                    : sd_bus_call_async(bus_, nullptr, message.get(), callback, &call,
                                                        static_cast<std::uint64_t>(patience.count()));
  if (sent >= 0) return wait();
  QTimer::singleShot(0, [handler = std::move(call.handler), sent] {
    handler(tl::unexpected(check_bus(sent, "send a call on the system bus").error()));
  });
  calls_.pop_back();
}

Result<> SystemBus::listen(const BusMethod& signal, std::function<void(sd_bus_message*)> heard) {
  TRY(connect());
  auto& listener = listeners_.emplace_back(std::move(heard));
  const auto callback = [](sd_bus_message* message, void* data, sd_bus_error*) {
    (*static_cast<std::function<void(sd_bus_message*)>*>(data))(message);
    return 0;
  };
  TRY(check_bus(sd_bus_match_signal_async(bus_, nullptr, signal.service, signal.object, signal.interface,
                                          signal.name, callback, nullptr, &listener),
                "listen on the system bus"));
  wait();
  return {};
}

int SystemBus::answered(sd_bus_message* message, void* data) {
  auto& call = *static_cast<Call*>(data);
  const sd_bus_error* error = sd_bus_message_get_error(message);
  call.bus->finish(call, error == nullptr ? Result<sd_bus_message*>(message) : error_of(*error));
  return 0;
}

void SystemBus::finish(Call& call, const Result<sd_bus_message*>& answer) {
  const Handler handler = std::move(call.handler);
  calls_.remove_if([&](const Call& other) { return &other == &call; });
  handler(answer);
}

void SystemBus::process() {
  int more = 0;
  do more = bus_ == nullptr ? 0 : sd_bus_process(bus_, nullptr);
  while (more > 0);
  if (more < 0) return disconnect(std::strerror(-more));
  if (bus_ != nullptr) wait();
}

void SystemBus::wait() {
  const int events = sd_bus_get_events(bus_);
  std::uint64_t deadline = UINT64_MAX;
  if (events < 0 || sd_bus_get_timeout(bus_, &deadline) < 0) return disconnect("the system bus is gone");
  notifiers_.get()->writable.setEnabled((events & POLLOUT) != 0);
  if (deadline == UINT64_MAX) return notifiers_.get()->timeout.stop();
  notifiers_.get()->timeout.start(time_until(deadline));
}

// Who hears of it may call again, on a new connection.
void SystemBus::disconnect(const std::string& reason) {
  notifiers_.reset();
  sd_bus_close_unref(std::exchange(bus_, nullptr));
  listeners_.clear();
  for (auto& call : std::exchange(calls_, {}))
    QTimer::singleShot(0, [handler = std::move(call.handler), reason] {
      handler(fail(Error::Code::System, "the system bus ended the connection: {}", reason));
    });
  if (disconnected_) disconnected_();
}

}  // namespace virttdx::driver
