// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libvirt/libvirt.h>

#include <vector>

#include "api/session.h"

namespace virttdx::driver::api {

/// Every flag of virConnectListAllDomains.
inline constexpr unsigned kFilterFlags = (VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT << 1) - 1;

/// The domains that the filter flags select, in order of names.
std::vector<RecordPtr> select_domains(Session& session, unsigned flags);

}  // namespace virttdx::driver::api
