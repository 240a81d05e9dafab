// SPDX-License-Identifier: GPL-2.0-or-later
// One function a table; acpi_files() puts them together.
#pragma once

#include <cstddef>
#include <vector>

#include "firmware/acpi/acpi_files.h"

namespace virttdx {

std::vector<std::byte> build_facs();
std::vector<std::byte> build_dsdt(const AcpiInputs& inputs);
/// X_FIRMWARE_CTRL and X_DSDT are left 0.
std::vector<std::byte> build_fadt(const AcpiInputs& inputs);
std::vector<std::byte> build_madt(const AcpiInputs& inputs);
std::vector<std::byte> build_mcfg(const AcpiInputs& inputs);
/// Of nodes that there are.
std::vector<std::byte> build_srat(const AcpiInputs& inputs);
/// Of nodes with distances.
std::vector<std::byte> build_slit(const AcpiInputs& inputs);

}  // namespace virttdx
