// SPDX-License-Identifier: GPL-2.0-or-later
// Any devices that the reader can give. To be called inside rc::gen::exec().
#pragma once

#include "domain_xml/domain.h"

namespace virttdx::domain_xml::test {

Devices any_devices();

}  // namespace virttdx::domain_xml::test
