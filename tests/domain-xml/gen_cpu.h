// SPDX-License-Identifier: GPL-2.0-or-later
// Any <cpu> that names features and models of libvirt's.
#pragma once

#include <string>
#include <vector>

#include "domain_xml/domain.h"

namespace virttdx::domain_xml::test {

/// Every mode; a model has one of `checks`. Each feature has a line of its own, by which its findings tell
/// it. Only within rc::check().
Cpu any_cpu(const std::vector<std::string>& checks);

}  // namespace virttdx::domain_xml::test
