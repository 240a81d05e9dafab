// SPDX-License-Identifier: GPL-2.0-or-later
// Resource descriptors of _CRS (ACPI 6.5, section 6.4). Each has the same size whatever its numbers are.
#pragma once

#include <initializer_list>

#include "firmware/acpi/aml.h"
#include "vmm_backend/gpa.h"

namespace virttdx::aml {

/// The value of _CRS: descriptors with their end tag, as a buffer.
Bytes resource_template(std::initializer_list<Bytes> descriptors);

/// `count` ports from `base` on, consumed.
Bytes io_ports(std::uint16_t base, std::uint8_t count);
/// An edge-triggered ISA interrupt, consumed.
Bytes isa_interrupt(unsigned number);
/// Memory below 4 GiB, consumed.
Bytes memory_32_fixed(const GpaRange& range);

/// What a bridge passes on: first to last, inclusive.
Bytes bus_numbers(std::uint16_t first, std::uint16_t last);
Bytes io_window(std::uint16_t first, std::uint16_t last);
/// Not empty.
Bytes memory_window_32(const GpaRange& range);
Bytes memory_window_64(const GpaRange& range);

}  // namespace virttdx::aml
