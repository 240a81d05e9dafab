// SPDX-License-Identifier: GPL-2.0-or-later
// What clients read of a domain in its messages (virDomainGetMessages), and the daemon's log beside it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/domain_record.h"
#include "domain_xml/plan.h"

namespace virttdx::driver {

/// One message a finding, in their order; of very many the first ones, and how many more there are.
std::vector<std::string> messages_of(const std::vector<domain_xml::Finding>& findings);

/// The same in the log, by severity.
void log_findings(std::string_view domain, const std::vector<domain_xml::Finding>& findings);

/// Adds a message to a running domain and logs it as a warning. What happens again and again is kept and
/// logged once, and never more is kept than a client can be sent.
void add_message(DomainRecord& record, std::string message);

/// Logs it as an error, each time, and adds it to the messages as add_message() does.
void add_error(DomainRecord& record, std::string message);

}  // namespace virttdx::driver
