// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/validation.h"

namespace virttdx {
namespace {

constexpr std::size_t kAddressMaximum = 45;  // INET6_ADDRSTRLEN, less its NUL
constexpr std::size_t kInterfaceNameMaximum = 15;

Result<> check_range(const std::string& field, const PortForward::Range& range) {
  const std::uint32_t end = range.end.value_or(range.start);
  if (range.start == 0 || end < range.start)
    return fail(Error::Code::InvalidArgument, "{}: no ports are {} to {}", field, range.start, end);
  if (range.to && (*range.to == 0 || *range.to + (end - range.start) > 0xFFFF))
    return fail(Error::Code::InvalidArgument, "{}: ports {} to {} do not fit behind port {}", field,
                range.start, end, *range.to);
  return {};
}

Result<> check_forward(const std::string& field, const PortForward& forward) {
  TRY(check_optional_text(field + ": address", forward.address, kAddressMaximum));
  TRY(check_optional_text(field + ": device", forward.device, kInterfaceNameMaximum));
  if (forward.device && !forward.address)
    return fail(Error::Code::InvalidArgument, "{}: device '{}' stands without an address", field,
                *forward.device);
  for (const auto& range : forward.ranges) TRY(check_range(field + ": ranges", range));
  return {};
}

}  // namespace

Result<> validate_user_network(const std::string& field, const NetworkInterfaceConfig& interface) {
  if (interface.addresses.empty() && interface.port_forwards.empty()) return {};
  if (interface.backend != NetworkBackend::Passt)
    return fail(Error::Code::InvalidArgument, "{}: addresses and port_forwards need backend passt", field);
  for (const auto& address : interface.addresses) {
    TRY(check_text(field + ": addresses", address.address, kAddressMaximum));
    if (address.prefix && (*address.prefix == 0 || *address.prefix > 32))
      return fail(Error::Code::InvalidArgument, "{}: addresses: prefix {} is not one of 1 to 32", field,
                  *address.prefix);
  }
  for (const auto& forward : interface.port_forwards) TRY(check_forward(field + ": port_forwards", forward));
  return {};
}

}  // namespace virttdx
