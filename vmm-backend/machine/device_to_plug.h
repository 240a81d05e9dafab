// SPDX-License-Identifier: GPL-2.0-or-later
// Devices that a running TD is given and loses, in the lists that a new TD after a reset is made from.
#pragma once

#include <string>
#include <variant>

#include "devices/device_backends.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// What it ends in lives until the device is unplugged, or longer than its TDs.
struct DiskToPlug {
  DiskConfig config;
  BlockBackend* backend;
};
struct InterfaceToPlug {
  NetworkInterfaceConfig config;
  NetworkBackendDevice* backend;
};
using DeviceToPlug = std::variant<DiskToPlug, InterfaceToPlug>;

void add(const DeviceToPlug& device, DeviceConfigs& configs);
void add(const DeviceToPlug& device, DeviceBackends& backends);
/// Of any kind that can be in a slot.
void remove(const std::string& id, DeviceConfigs& configs, DeviceBackends& backends);

}  // namespace virttdx
