// SPDX-License-Identifier: GPL-2.0-or-later
// Any definition that the reader can give.
#pragma once

#include <rapidcheck.h>

#include "domain_xml/domain.h"

namespace virttdx::domain_xml::test {

rc::Gen<Domain> any_domain();

}  // namespace virttdx::domain_xml::test
