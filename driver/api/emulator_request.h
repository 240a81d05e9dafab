// SPDX-License-Identifier: GPL-2.0-or-later
// What a client says of the emulator whose capabilities or CPU it asks for.
#pragma once

#include "api/handlers.h"

namespace virttdx::driver::api {

/// A remote_string that names nothing else than `value`.
bool is_absent_or(remote_string text, std::string_view value);

/// Refuses what this host's monitor is not. Null stands for the host's own, as in libvirt.
Answer check_emulator(const HostAccess& host, remote_string emulator, remote_string arch,
                      remote_string virt_type);

}  // namespace virttdx::driver::api
