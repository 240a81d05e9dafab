// SPDX-License-Identifier: GPL-2.0-or-later
// Values of secrets (passphrases, keys of storage clusters), asked of the host's secret daemon. Calls block.
#pragma once

#include <string_view>

#include "host/host_objects.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

/// The value, in a pipe whose other end is closed: it can be read once, and is in no file and in no memory
/// that is swapped out. ConfigUnsupported: no daemon, no such secret, one without a value, or a private one
/// that the daemon does not give to us.
Result<UniqueFd> read_secret(const ObjectDaemons& daemons, const SecretRequest& request);

/// The same for a value that is known: at most what pipe(7) lets this user put into one.
Result<UniqueFd> put_in_pipe(std::string_view value);

}  // namespace virttdx::driver
