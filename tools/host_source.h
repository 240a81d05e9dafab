// SPDX-License-Identifier: GPL-2.0-or-later
// Where a host's capabilities come from: a monitor on this machine, or a record of another host.
#pragma once

#include <QString>

#include "support/result.h"
#include "vmm_backend/host_capabilities.h"

namespace virttdx::tools {

/// The virttdx-vmm to ask: the environment's (VIRTTDX_VMM), the build tree's, the installed one.
QString monitor_program();

/// `host` is "kvm" or "soft" (asked of a monitor), the path of a file that `virt-tdx host --save` wrote (it
/// has a '/' or ends in .json), or the name of a profile that comes with virttdx. Errors: NotFound and
/// InvalidArgument for the file or name, InvalidData for its content, System for the monitor.
Result<HostCapabilities> host_from(const QString& host);

}  // namespace virttdx::tools
