// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "support/result.h"
#include "vmm_backend/cpuid.h"
#include "vmm_backend/gpa.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// What the tables tell of. Nothing is kept.
struct SmbiosInputs {
  std::string_view uuid;          ///< RFC 9562 text form
  const SmbiosConfig& texts;      ///< empty ones get the machine's own
  std::span<const GpaRange> ram;  ///< at most 256 ranges
  std::uint32_t vcpu_count = 1;
  const CpuidEntries& cpuid;  ///< of vCPUs: signature (leaf 1) and packages (leaf 0xB)
};

/// Contents of etc/smbios/smbios-anchor and etc/smbios/smbios-tables.
struct SmbiosFiles {
  std::vector<std::byte> anchor;
  std::vector<std::byte> tables;
};

inline constexpr const char* kSmbiosAnchorFile = "etc/smbios/smbios-anchor";
inline constexpr const char* kSmbiosTablesFile = "etc/smbios/smbios-tables";

/// Errors: InvalidArgument for a malformed UUID, more than 256 baseboards or 255 OEM strings.
Result<SmbiosFiles> smbios_files(const SmbiosInputs& inputs);

}  // namespace virttdx
