// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/device_info.h"
#include "elements/elements.h"
#include "elements/shape.h"

namespace virttdx::domain_xml {
namespace {

using Types = OneOf<"ide", "fdc", "scsi", "sata", "virtio-serial", "ccid", "usb", "pci", "xenbus", "isa">;

template <auto kMember, typename Codec>
constexpr Row<Controller> driver(std::string_view path) {
  return deep_property<Controller, Codec, &Controller::driver, kMember>(path);
}

constexpr std::array kHeadTable = {
    property<&Controller::type, Types>("@type", {.required = true}),
    property<&Controller::index, Number>("@index"),
    property<&Controller::model, NonEmptyText>("@model"),
    property<&Controller::ports, Number>("@ports"),
    property<&Controller::vectors, Number>("@vectors"),
    property<&Controller::pci_model_name, NonEmptyText>("model/@name"),
    property<&Controller::pci_chassis_number, Number>("target/@chassisNr"),
    property<&Controller::pci_chassis, Number>("target/@chassis"),
    property<&Controller::pci_port, PciPort>("target/@port"),
    property<&Controller::pci_bus_number, Number>("target/@busNr"),
    property<&Controller::pci_hotplug, OnOff>("target/@hotplug"),
    driver<&Controller::Driver::queues, Count>("driver/@queues"),
    driver<&Controller::Driver::cmd_per_lun, Count>("driver/@cmd_per_lun"),
    driver<&Controller::Driver::max_sectors, Count>("driver/@max_sectors"),
    driver<&Controller::Driver::ioeventfd, OnOff>("driver/@ioeventfd"),
    driver<&Controller::Driver::iothread, Count>("driver/@iothread"),
};
constexpr std::array kMasterTable = {property<&Controller::master_startport, Number>("master/@startport")};
constexpr auto kTable =
    join_tables(kHeadTable, kVirtioRows<Controller, &Controller::driver, &Controller::Driver::virtio>);

}  // namespace

Result<Controller> read_controller(const Place& place) {
  Controller controller;
  TRY(read_properties(place, join_tables(kTable, kMasterTable), controller, kInfoRules));
  TRY(read_device_info(place, controller));
  return controller;
}

void write_controller(xml::Element& parent, const Controller& controller, const WriteContext& context) {
  constexpr std::array<std::string_view, 8> kOrder = {"model", "target", "driver", "boot",
                                                      "alias", "acpi",   "master", "address"};
  auto& element = parent.add_child("controller");
  write_properties(element, join_tables(kTable, kMasterTable), controller, context);
  write_device_info(element, controller, context);
  order_children(element, kOrder);
}

}  // namespace virttdx::domain_xml
