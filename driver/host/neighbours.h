// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace virttdx::driver {

/// IPv4 addresses that the host's ARP table (/proc/net/arp) has for a MAC address.
std::vector<std::string> arp_addresses(std::string_view mac);
/// The same of a table's text.
std::vector<std::string> arp_addresses(std::string_view mac, const std::string& table);

}  // namespace virttdx::driver
