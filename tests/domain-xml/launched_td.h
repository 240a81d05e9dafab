// SPDX-License-Identifier: GPL-2.0-or-later
// What tests that launch planned TDs share.
#pragma once

#include <string>

#include "domain_xml/domain.h"
#include "tdx/td_vm.h"

namespace virttdx::domain_xml::test {

/// Takes the features away that a plan for `host` has errors about. Only within rc::check().
void remove_refused(Domain& domain, const HostCapabilities& host);

/// A line a bit that is not as predict_cpuid() says; empty: none.
std::string wrong_bits(const TdVm& td, const VmConfig& config);

}  // namespace virttdx::domain_xml::test
