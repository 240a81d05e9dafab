// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "api/session.h"
#include "api/wire_domain.h"

namespace virttdx::driver::api {

/// The record of a domain in arguments. Its uuid decides; the id is the client's memory of the past.
inline Result<RecordPtr> find_record(Session& session, const remote_nonnull_domain& domain) {
  return session.service().domains().find(uuid_text(domain.uuid), domain.name);
}

}  // namespace virttdx::driver::api
