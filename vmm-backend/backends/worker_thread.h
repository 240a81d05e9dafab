// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "control/event_loop.h"
#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// A thread with an event loop and a doorbell: works on a set of queues. Any thread, but for what loop()
/// says.
class WorkerThread {
 public:
  /// `name`: of the thread, at most 15 bytes are seen. `on_doorbell` is called on the thread whenever the
  /// doorbell rang.
  static Result<std::unique_ptr<WorkerThread>> create(const std::string& name,
                                                      std::function<void()> on_doorbell);
  /// Ends the thread.
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  int doorbell() const { return doorbell_.get(); }
  /// To add descriptors on the thread itself, or before start().
  EventLoop& loop() { return *loop_; }
  void start();
  /// Runs `task` on the thread and waits for it. Not from the thread itself.
  void run(const std::function<void()>& task);

 private:
  WorkerThread(std::string name, std::function<void()> on_doorbell)
      : name_(std::move(name)), on_doorbell_(std::move(on_doorbell)) {}
  void drain_doorbell();

  const std::string name_;
  const std::function<void()> on_doorbell_;
  UniqueFd doorbell_;
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;
};

}  // namespace virttdx
