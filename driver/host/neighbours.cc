// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/neighbours.h"

#include <strings.h>

#include <sstream>

#include "host/kernel_file.h"

namespace virttdx::driver {

// proc(5): a heading, then "address type flags mac mask device". An entry without a MAC address has none but
// zeroes.
std::vector<std::string> arp_addresses(std::string_view mac, const std::string& table) {
  const std::string wanted(mac);
  std::vector<std::string> addresses;
  std::istringstream lines(table);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string address, type, flags, found;
    if (words >> address >> type >> flags >> found && strcasecmp(found.c_str(), wanted.c_str()) == 0)
      addresses.push_back(address);
  }
  return addresses;
}

std::vector<std::string> arp_addresses(std::string_view mac) {
  return arp_addresses(mac, read_kernel_file("/proc/net/arp"));
}

}  // namespace virttdx::driver
