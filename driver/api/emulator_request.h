// SPDX-License-Identifier: GPL-2.0-or-later
// What a client says of the emulator whose capabilities or CPU it asks for.
#pragma once

#include "api/handlers.h"

namespace virttdx::driver::api {

/// A remote_string that names nothing else than `value`.
bool is_absent_or(remote_string text, std::string_view value);

/// What may be said of the monitor; null stands for the host's own, as in libvirt.
struct EmulatorRequest {
  remote_string emulator = nullptr, arch = nullptr, machine = nullptr, virt_type = nullptr;
};
/// Refuses what this host's monitor is not.
Answer check_emulator(const HostAccess& host, const EmulatorRequest& request);

}  // namespace virttdx::driver::api
