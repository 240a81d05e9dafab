// SPDX-License-Identifier: GPL-2.0-or-later
// Devices of a definition, added, taken away and exchanged one by one as virDomainAttachDevice and its
// siblings do. Errors are in libvirt's words; NotFound: the domain has no such device; Unsupported: a device
// of this kind cannot be changed so; WrongState: it is there already.
#pragma once

#include <string>
#include <string_view>

#include "domain_xml/domain.h"

namespace virttdx::domain_xml {

/// One device: `devices` has nothing but it.
struct DeviceElement {
  std::string name;  ///< of its element: "disk"
  Devices devices;
};

/// Reads the XML of one device, any child of `<devices>` but `<emulator>`. Errors as those of parse_domain().
Result<DeviceElement> parse_device(std::string_view xml);

/// Gives an interface without a MAC address one, so that it has the same wherever it is added.
void give_mac_address(DeviceElement& device);
/// Adds the device. What complete_definition() fills in is left to it.
Result<> attach_device(Domain& domain, DeviceElement device);
/// Takes away the device that is meant: a disk by its target, an interface by its MAC address, a controller
/// by its index, a character device by type, port and name, the rest by being equal.
Result<> detach_device(Domain& domain, const DeviceElement& device);
/// Takes away the device of a user's alias.
Result<> detach_device(Domain& domain, std::string_view alias);
/// Puts the device in the place of the one that is meant: disks and interfaces.
Result<> update_device(Domain& domain, DeviceElement device);

}  // namespace virttdx::domain_xml
