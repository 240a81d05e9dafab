// SPDX-License-Identifier: GPL-2.0-or-later
// What the monitor tells a TDVF through fw_cfg.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "devices/fw_cfg/fw_cfg.h"
#include "firmware/acpi/acpi_files.h"
#include "support/result.h"
#include "vmm_backend/gpa.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

struct FirmwareInputs {
  std::string_view uuid;  ///< RFC 9562 text form
  std::span<const GpaRange> ram;
  const AcpiInputs& acpi;
  const SmbiosConfig& smbios;
  const CpuidEntries& cpuid;  ///< of vCPUs
  const DeviceConfigs& devices;
};

/// Signature, interface id, UUID, RAM size, vCPU counts, and the files etc/e820, etc/system-states those of
/// the ACPI tables, of SMBIOS and of the boot order (where devices have one), with their directory. Errors:
/// InvalidArgument for a malformed UUID or more than 65535 vCPUs.
Result<FwCfgItems> fw_cfg_contents(const FirmwareInputs& inputs);

/// Adds `files` (name to content) and their directory, in the order of their names. Errors: InvalidArgument
/// for a name of 56 bytes or more.
Result<> add_fw_cfg_files(FwCfgItems& items, const std::map<std::string, std::vector<std::byte>>& files);

}  // namespace virttdx
