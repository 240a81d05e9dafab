// SPDX-License-Identifier: GPL-2.0-or-later
// What the host is called: as libvirt's daemons say it, with its domain where the name alone does not have
// it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "process/worker_threads.h"
#include "support/result.h"

namespace virttdx::driver {

/// The host's own `name`, or where that has no domain and is not localhost, what `canonical` makes of it -
/// but not localhost, which says less.
using CanonicalName = std::function<std::optional<std::string>(const std::string&)>;
std::string best_host_name(const std::string& name, const CanonicalName& canonical);

/// Asked off the event loop's thread: a resolver may wait for its servers.
class HostName {
 public:
  using Handler = std::function<void(const Result<std::string>&)>;
  /// Those who ask at the same time get the same answer.
  void ask(Handler handler);

 private:
  std::vector<Handler> waiting_;
  WorkerThreads thread_{1};
};

}  // namespace virttdx::driver
