// SPDX-License-Identifier: GPL-2.0-or-later
#include "access/access_question.h"

#include <algorithm>

namespace virttdx::driver {

PolkitQuestion polkit_question(const AccessQuestion& question) {
  PolkitQuestion asked;
  asked.action =
      fmt::format("org.libvirt.api.{}.{}", question.domain ? "domain" : "connect", question.permission);
  std::ranges::replace(asked.action, '_', '-');
  asked.details.emplace_back("connect_driver", kConnectDriver);
  if (!question.domain) return asked;
  asked.details.emplace_back("domain_name", question.domain->name);
  if (!question.domain->uuid.empty()) asked.details.emplace_back("domain_uuid", question.domain->uuid);
  return asked;
}

}  // namespace virttdx::driver
