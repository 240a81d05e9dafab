// SPDX-License-Identifier: GPL-2.0-or-later
// One job a domain: what changes it takes its turn, as in libvirt.
#pragma once

#include <QTimer>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "process/deferred_delete.h"
#include "support/result.h"

namespace virttdx::driver {

/// The jobs of one domain, in the order in which they came. On the event loop's thread.
class JobQueue {
 public:
  /// Held by the job that runs; the next one begins when the last copy is gone.
  using Turn = std::shared_ptr<void>;
  /// Gets its turn, or TimedOut with libvirt's words.
  using Work = std::function<void(Result<Turn>)>;

  /// `kind`: what is waited for, for the error of who waits too long.
  explicit JobQueue(std::string_view kind) : kind_(kind) {}
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  /// Runs `work` at once when no job runs, else when it is its turn, for which it waits no longer than
  /// `patience`. `name` says to others who holds the domain.
  void run(std::string_view name, std::chrono::milliseconds patience, Work work);
  /// The job that runs, and for how long it has.
  struct Holder {
    std::string name;
    std::chrono::steady_clock::time_point since;
  };
  const std::optional<Holder>& holder() const { return holder_; }

 private:
  struct Waiting {
    std::string name;
    Work work;
    std::chrono::steady_clock::time_point until;
  };
  void begin(const std::string& name, const Work& work);
  void end();
  void begin_next();
  void fail_late();
  void watch_first();

  const std::string kind_;
  std::optional<Holder> holder_;
  std::deque<Waiting> waiting_;
  DeferredDelete<QTimer> late_;
  std::shared_ptr<JobQueue*> self_ = std::make_shared<JobQueue*>(this);  ///< turns may outlive the queue
};

}  // namespace virttdx::driver
