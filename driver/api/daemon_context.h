// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

#include "access/polkit.h"
#include "api/auto_destroy.h"
#include "config/daemon_config.h"
#include "config/directories.h"
#include "domain/domain_service.h"
#include "domain/image_read.h"
#include "domain/image_size.h"
#include "host/host_name.h"

namespace virttdx::driver {

/// What every session works with. Lives as long as the daemon.
struct DaemonContext {
  DomainService& service;
  const DaemonConfig& config;
  const Directories& directories;
  Polkit& polkit;
  AutoDestroy& auto_destroy;
  HostName& host_name;
  ImageSizes& image_sizes;
  ImageReader& image_reader;
  /// To be called when a client need not authenticate any more: another may be let in.
  std::function<void()> client_authenticated;
};

}  // namespace virttdx::driver
