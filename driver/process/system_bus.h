// SPDX-License-Identifier: GPL-2.0-or-later
// The system bus on the event loop: methods are called and signals heard without waiting.
#pragma once

#include <QSocketNotifier>
#include <QTimer>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "process/deferred_delete.h"
#include "support/result.h"

struct sd_bus;
struct sd_bus_message;

namespace virttdx::driver {

struct UnrefBusMessage {
  void operator()(sd_bus_message* message) const;
};
using BusMessage = std::unique_ptr<sd_bus_message, UnrefBusMessage>;

struct BusMethod {
  const char *service, *object, *interface, *name;
};

/// What a call of libsystemd returned: below 0 is an errno, `what` was being done.
Result<> check_bus(int result, std::string_view what);

/// Used on the event loop's thread only. Connects at the first call, and again after the bus went away.
class SystemBus {
 public:
  /// A message is the handler's for as long as it runs. Errors: TimedOut; System (no bus, no such service, an
  /// error that it answered, which is named).
  using Handler = std::function<void(Result<sd_bus_message*>)>;

  SystemBus() = default;
  SystemBus(const SystemBus&) = delete;
  SystemBus& operator=(const SystemBus&) = delete;
  ~SystemBus();

  /// To be filled with the arguments of `method`.
  Result<BusMessage> new_call(const BusMethod& method);
  /// `handler` is called once, from the event loop.
  void call(const BusMessage& message, std::chrono::microseconds patience, Handler handler);
  /// `heard` gets each such signal from now on, until the bus goes away.
  Result<> listen(const BusMethod& signal, std::function<void(sd_bus_message*)> heard);
  /// Called when the bus has gone away, after the handlers of all calls.
  void on_disconnect(std::function<void()> handler) { disconnected_ = std::move(handler); }

 private:
  struct Call {
    SystemBus* bus;
    Handler handler;
  };
  struct Notifiers {
    QSocketNotifier readable, writable;
    QTimer timeout;
    explicit Notifiers(int fd) : readable(fd, QSocketNotifier::Read), writable(fd, QSocketNotifier::Write) {}
    void stop();
  };

  Result<> connect();
  static int answered(sd_bus_message* message, void* call);
  void finish(Call& call, const Result<sd_bus_message*>& answer);
  void process();
  void wait();
  void disconnect(const std::string& reason);

  sd_bus* bus_ = nullptr;
  DeferredDelete<Notifiers> notifiers_;
  std::list<Call> calls_;
  std::list<std::function<void(sd_bus_message*)>> listeners_;
  std::function<void()> disconnected_;
};

}  // namespace virttdx::driver
