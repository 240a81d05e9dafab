// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "support/result.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// Their numbers in the daemon.
struct DaemonDescriptors {
  int listener = -1;  ///< the listening socket
  int monitor = -1;   ///< a connected stream socket, for QMP
  /// What DiskSourceConfig's files hold, for those it names.
  int access_secret = -1, luks_passphrase = -1, cookies = -1;
};

/// What the daemon calls the disk that it exports.
inline constexpr auto kStorageDaemonNode = "format";

/// The words behind "qemu-storage-daemon" that make it serve one disk by vhost-user-blk
/// (qemu-storage-daemon(1), qemu-qmp-ref(7)). No secret is among them: the daemon reads it from a descriptor.
/// Errors name the disk: a source that no block driver of QEMU fits.
Result<std::vector<std::string>> storage_daemon_arguments(const DiskConfig& config,
                                                          const DaemonDescriptors& descriptors);

}  // namespace virttdx
