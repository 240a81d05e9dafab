// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>

#include "softhost/kvm/file_table.h"
#include "softhost/kvm/vm.h"

namespace virttdx::softhost {

/// The file behind a descriptor of /dev/kvm.
std::shared_ptr<File> make_system_file(HostParts& host);

}  // namespace virttdx::softhost
