// SPDX-License-Identifier: GPL-2.0-or-later
// What in a TD's configuration KVM_TDX_INIT_VM refuses.
#pragma once

#include "tdx/explain/cause_table.h"

namespace virttdx {

struct InitVmInput {
  const TdConfig& td;
  const HostCapabilities& host;
};

/// Adds a cause for each thing that is wrong; `row` has its id and general remedy.
using InitVmCheck = void (*)(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);

/// A cause with a sentence, and a remedy, that tell the values.
TdxCause with_values(const CauseRow& row, std::string sentence, std::string remedy);

/// "CPUID 0x7", "CPUID 0xd sub-leaf 0x1".
std::string leaf_name(const CpuidEntry& entry);

// KVM's own checks.
void check_entry_count(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);
void check_attributes(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);
void check_xfam(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);
void check_guest_phys_bits_given(const InitVmInput& input, const CauseRow& row,
                                 std::vector<TdxCause>& causes);
void check_guest_phys_bits(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);
void check_five_level_ept(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);
void check_withheld_features(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);
void check_entries(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);

// The TDX module's.
void check_module_attributes(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);
void check_module_xfam(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);
void check_module_tsc(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);
void check_module_cpuid(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);
void check_leaf_1f(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes);

}  // namespace virttdx
