// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "control/json_fields.h"
#include "vmm_backend/cpuid.h"

namespace virttdx {

template <typename Visitor>
void describe(Visitor& visit, CpuidEntry& entry) {
  visit.required("function", hex(entry.function));
  visit.optional("index", hex(entry.index));
  visit.optional("index_significant", entry.index_significant);
  visit.required("eax", hex(entry.eax));
  visit.required("ebx", hex(entry.ebx));
  visit.required("ecx", hex(entry.ecx));
  visit.required("edx", hex(entry.edx));
}

}  // namespace virttdx
