// SPDX-License-Identifier: GPL-2.0-or-later
// Disks as a guest's agent names them.
#pragma once

#include <nlohmann/json.hpp>

#include "domain_xml/domain.h"

namespace virttdx::driver::api {

/// By a GuestDiskAddress (QEMU's docs/interop/qemu-ga-ref): where the device, or its SCSI controller, is on
/// the PCI bus; else by the serial number. Null: the domain has none such, or the guest does not tell.
const domain_xml::Disk* disk_at(const domain_xml::Domain& domain, const nlohmann::json& address);

}  // namespace virttdx::driver::api
