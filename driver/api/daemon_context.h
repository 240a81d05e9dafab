// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "access/polkit.h"
#include "config/daemon_config.h"
#include "config/directories.h"
#include "domain/domain_service.h"

namespace virttdx::driver {

/// What every session works with. Lives as long as the daemon.
struct DaemonContext {
  DomainService& service;
  const DaemonConfig& config;
  const Directories& directories;
  Polkit& polkit;
};

}  // namespace virttdx::driver
