// SPDX-License-Identifier: GPL-2.0-or-later
// Which of its vCPUs a guest uses, by its agent. The TD has all of them all the time.
#pragma once

#include "api/handlers.h"

namespace virttdx::driver::api {

/// How many are in use.
void count_guest_vcpus(Session& session, const RecordPtr& record,
                       const Deferred<remote_domain_get_vcpus_flags_ret>& reply);
/// Has the guest take into or out of use as many as it needs to use `count`.
void set_guest_vcpu_count(Session& session, const RecordPtr& record, std::uint32_t count,
                          const Deferred<void>& reply);

}  // namespace virttdx::driver::api
