// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/agent_disks.h"

#include <algorithm>

#include "api/agent_answer.h"

namespace virttdx::driver::api {
namespace {

using domain_xml::Disk;
using domain_xml::Domain;
using domain_xml::DriveAddress;
using domain_xml::PciDeviceAddress;

template <typename Address>
const Address* address_of(const domain_xml::DeviceInfo& device) {
  return device.address ? std::get_if<Address>(&*device.address) : nullptr;
}

bool is_at(const domain_xml::DeviceInfo& device, const nlohmann::json& place) {
  const auto* const address = address_of<PciDeviceAddress>(device);
  return address != nullptr && integer_of(place, "domain") == address->domain &&
         integer_of(place, "bus") == address->bus && integer_of(place, "slot") == address->slot &&
         integer_of(place, "function") == address->function;
}

bool is_scsi_controller_at(const Domain& domain, std::uint32_t index, const nlohmann::json& place) {
  return std::ranges::any_of(domain.devices.controllers, [&](const domain_xml::Controller& controller) {
    return controller.type == "scsi" && controller.index == index && is_at(controller, place);
  });
}

bool is_disk_at(const Domain& domain, const Disk& disk, const nlohmann::json& address) {
  const auto place = address.find("pci-controller");
  if (place == address.end()) return false;
  const auto* const drive = address_of<DriveAddress>(disk);
  if (drive == nullptr) return is_at(disk, *place);
  return integer_of(address, "bus") == drive->bus && integer_of(address, "target") == drive->target &&
         integer_of(address, "unit") == drive->unit &&
         is_scsi_controller_at(domain, drive->controller, *place);
}

}  // namespace

const Disk* disk_at(const Domain& domain, const nlohmann::json& address) {
  if (!address.is_object()) return nullptr;
  const auto& disks = domain.devices.disks;
  auto found =
      std::ranges::find_if(disks, [&](const Disk& disk) { return is_disk_at(domain, disk, address); });
  if (const auto serial = text_of(address, "serial"); serial && found == disks.end())
    found = std::ranges::find(disks, serial, &Disk::serial);
  return found == disks.end() ? nullptr : &*found;
}

}  // namespace virttdx::driver::api
