// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>

#include "plan/device_planning.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kControllerPath = "/domain/devices/controller";
constexpr std::uint32_t kMaximumIndex = 255, kPorts = 31;

void plan_pci(Planning& planning, const Controller& controller) {
  if (controller.index == 0U && controller.model.value_or("pcie-root") == "pcie-root") return;
  if (controller.model != "pcie-root-port" || controller.index.value_or(0) > kMaximumIndex)
    return refuse_device(
        planning, controller, kControllerPath,
        fmt::format("a PCI controller of model '{}' is not offered", controller.model.value_or("")),
        "use model 'pcie-root-port', or leave PCI controllers out: they are added as needed");
  PciRootPortConfig port;
  port.id = controller.alias.value_or("");
  port.address = pci_address_of(controller);
  port.bus = static_cast<std::uint8_t>(controller.index.value_or(0));
  port.chassis = static_cast<std::uint8_t>(controller.pci_chassis.value_or(port.bus));
  port.port = static_cast<std::uint8_t>(controller.pci_port.value_or(port.port));
  port.hotplug = controller.pci_hotplug.value_or(true);
  planning.plan.config.devices.root_ports.push_back(std::move(port));
}

void plan_virtio_serial(Planning& planning, const Controller& controller) {
  if (controller.index.value_or(0) > kMaximumIndex || controller.ports.value_or(kPorts) > kPorts)
    return refuse_device(planning, controller, kControllerPath,
                         fmt::format("a virtio-serial controller has an index of 0 to {} and 1 to {} ports",
                                     kMaximumIndex, kPorts),
                         "use smaller numbers");
  VirtioSerialConfig config;
  config.id = controller.alias.value_or("");
  config.index = static_cast<std::uint8_t>(controller.index.value_or(0));
  config.address = pci_address_of(controller);
  config.max_ports = controller.ports.value_or(kPorts);
  planning.plan.config.devices.virtio_serials.push_back(std::move(config));
}

void plan_scsi(Planning& planning, const Controller& controller) {
  if (controller.model != "virtio-scsi" || controller.index.value_or(0) > kMaximumIndex)
    return refuse_device(
        planning, controller, kControllerPath,
        fmt::format("a SCSI controller of model '{}' is not offered", controller.model.value_or("")),
        "use model 'virtio-scsi'");
  ScsiControllerConfig config;
  config.id = controller.alias.value_or("");
  config.index = static_cast<std::uint8_t>(controller.index.value_or(0));
  config.address = pci_address_of(controller);
  config.queues = static_cast<std::uint16_t>(std::min(controller.driver.queues.value_or(1), 0xFFFFU));
  planning.plan.config.devices.scsi_controllers.push_back(std::move(config));
}

}  // namespace

void plan_controllers(Planning& planning) {
  for (const auto& controller : planning.domain.devices.controllers) {
    if (controller.type == "pci") {
      plan_pci(planning, controller);
    } else if (controller.type == "virtio-serial") {
      plan_virtio_serial(planning, controller);
    } else if (controller.type == "scsi") {
      plan_scsi(planning, controller);
    } else if (controller.model != "none") {
      planning
          .add(Severity::Note, "controller-without-effect", kControllerPath,
               fmt::format("a controller of type '{}' is left out: a TD has devices of virtio only",
                           controller.type),
               "remove it")
          .line = controller.line.number;
    }
  }
}

}  // namespace virttdx::domain_xml
