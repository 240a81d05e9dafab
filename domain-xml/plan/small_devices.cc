// SPDX-License-Identifier: GPL-2.0-or-later
// rng, vsock, memballoon, and what all devices share.
#include "plan/device_planning.h"

namespace virttdx::domain_xml {
namespace {

void plan_rng(Planning& planning, const Rng& rng) {
  constexpr auto kPath = "/domain/devices/rng";
  if (rng.backend_model == "egd")
    return refuse_device(planning, rng, kPath, "an rng with backend model 'egd' is not offered",
                         "use <backend model='random'>/dev/urandom</backend>");
  RngConfig config;
  config.id = rng.alias.value_or("");
  config.address = pci_address_of(rng);
  config.source = rng.backend_source.value_or(config.source);
  config.bytes_per_period = rng.rate_bytes.value_or(0);
  // libvirt's default period.
  if (rng.rate_bytes) config.period_milliseconds = rng.rate_period_ms.value_or(1000);
  planning.plan.config.devices.rngs.push_back(std::move(config));
}

void plan_vsock(Planning& planning, const Vsock& vsock) {
  VsockConfig config;
  config.id = vsock.alias.value_or("");
  config.address = pci_address_of(vsock);
  if (vsock.cid_auto != true) config.guest_cid = vsock.cid.value_or(0);
  planning.plan.config.devices.vsock = std::move(config);
  if (planning.host.vhost_vsock) return;
  planning
      .add(Severity::Note, "vsock-on-unix-sockets", "/domain/devices/vsock",
           "the host has no vhost-vsock: the guest's vsock ends in Unix sockets, and AF_VSOCK of the host "
           "does not reach it",
           "load vhost_vsock and see that /dev/vhost-vsock can be opened")
      .line = vsock.line.number;
}

void plan_memballoon(Planning& planning, const MemoryBalloon& balloon) {
  if (balloon.model == "none") return;
  BalloonConfig config;
  config.id = balloon.alias.value_or("");
  config.address = pci_address_of(balloon);
  config.statistics_period_seconds = balloon.statistics_period.value_or(0);
  config.free_page_reporting = balloon.free_page_reporting.value_or(false);
  config.deflate_on_oom = balloon.autodeflate.value_or(false);
  planning.plan.config.devices.balloon = std::move(config);
}

}  // namespace

PciAddress pci_address_of(const DeviceInfo& device) {
  const auto* address = device.address ? std::get_if<PciDeviceAddress>(&*device.address) : nullptr;
  if (address == nullptr) return {};
  return {static_cast<std::uint8_t>(address->bus), static_cast<std::uint8_t>(address->slot),
          static_cast<std::uint8_t>(address->function)};
}

void refuse_device(Planning& planning, const DeviceInfo& device, std::string path, std::string message,
                   std::string remedy) {
  planning.error("device-not-offered", std::move(path), std::move(message), std::move(remedy)).line =
      device.line.number;
}

void plan_small_devices(Planning& planning) {
  const auto& devices = planning.domain.devices;
  for (const auto& rng : devices.rngs) plan_rng(planning, rng);
  if (devices.vsock) plan_vsock(planning, *devices.vsock);
  if (devices.memballoon) plan_memballoon(planning, *devices.memballoon);
}

}  // namespace virttdx::domain_xml
