// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/messages.h"

#include <algorithm>
#include <array>

#include "support/log.h"

namespace virttdx::driver {
namespace {

// libvirt's protocol carries 2048 messages of a domain: half for findings, the rest for what happens.
constexpr std::size_t kMessagesMaximum = 2048;
constexpr std::size_t kFindingsMaximum = kMessagesMaximum / 2;

// In the order of Severity.
constexpr std::array kPriorities = {log::Priority::Info, log::Priority::Warning, log::Priority::Error};

std::size_t shown_count(const std::vector<domain_xml::Finding>& findings) {
  return std::min(findings.size(), kFindingsMaximum - 1);
}

bool is_new(const DomainRecord& record, const std::string& message) {
  const auto& messages = record.live->messages;
  return messages.size() < kMessagesMaximum && std::ranges::find(messages, message) == messages.end();
}

std::string rest_of(std::size_t count) { return fmt::format("and {} more findings", count); }

}  // namespace

std::vector<std::string> messages_of(const std::vector<domain_xml::Finding>& findings) {
  const std::size_t shown = shown_count(findings);
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < shown; ++i) messages.push_back(domain_xml::to_string(findings[i]));
  if (shown < findings.size()) messages.push_back(rest_of(findings.size() - shown));
  return messages;
}

void log_findings(std::string_view domain, const std::vector<domain_xml::Finding>& findings) {
  const std::size_t shown = shown_count(findings);
  for (std::size_t i = 0; i < shown; ++i)
    log::write(kPriorities.at(static_cast<std::size_t>(findings[i].severity)),
               fmt::format("domain '{}': {}", domain, domain_xml::to_string(findings[i])));
  if (shown < findings.size()) log::warning("domain '{}': {}", domain, rest_of(findings.size() - shown));
}

void add_message(DomainRecord& record, std::string message) {
  if (!is_new(record, message)) return;
  log::warning("domain '{}': {}", record.name, message);
  record.live->messages.push_back(std::move(message));
}

void add_error(DomainRecord& record, std::string message) {
  log::error("domain '{}': {}", record.name, message);
  if (is_new(record, message)) record.live->messages.push_back(std::move(message));
}

}  // namespace virttdx::driver
