// SPDX-License-Identifier: GPL-2.0-or-later
// Domains between the wire and the registry.
#pragma once

#include <string>

#include "domain/domain_record.h"
#include "rpc/xdr_codec.h"

namespace virttdx::driver {

remote_nonnull_domain wire_domain(Arena& arena, const std::string& name, const std::string& uuid, int id);
remote_nonnull_domain wire_domain(Arena& arena, const DomainRecord& record);
/// The text form of 16 bytes.
std::string uuid_text(const char (&bytes)[16]);

}  // namespace virttdx::driver
