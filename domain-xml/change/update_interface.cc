// SPDX-License-Identifier: GPL-2.0-or-later
// In the order of libvirt's qemuDomainChangeNet().
#include "domain_xml/update_interface.h"

#include <array>
#include <tuple>

#include "change/find_interface.h"
#include "domain_xml/interface_traffic.h"

namespace virttdx::domain_xml {
namespace {

struct FixedPart {
  std::string_view name;
  bool (*differs)(const Interface& live, const Interface& wanted);
};

// What is not said anew stays.
template <auto kMember>
bool says_another(const Interface& live, const Interface& wanted) {
  return wanted.*kMember && live.*kMember != wanted.*kMember;
}

template <auto kMember>
bool differs(const Interface& live, const Interface& wanted) {
  return live.*kMember != wanted.*kMember;
}

InterfaceDriver without_virtio(InterfaceDriver driver) {
  driver.virtio = {};
  return driver;
}

constexpr std::array kFixed = {
    FixedPart{"virtio network device driver attributes",
              [](const Interface& live, const Interface& wanted) {
                return without_virtio(live.driver) != without_virtio(wanted.driver);
              }},
    FixedPart{"virtio network device driver options",
              [](const Interface& live, const Interface& wanted) {
                return live.driver.virtio != wanted.driver.virtio;
              }},
    FixedPart{"network device script attribute", differs<&Interface::script>},
    FixedPart{"network device tap name", says_another<&Interface::target_dev>},
    FixedPart{"network device guest PCI address", says_another<&Interface::address>},
    FixedPart{"network device alias", says_another<&Interface::alias>},
    FixedPart{"network device boot index setting", differs<&Interface::boot_order>},
    FixedPart{"MTU", differs<&Interface::mtu>},
    FixedPart{"network device isolated setting", differs<&Interface::isolated>},
};

Result<> check_fixed(const Interface& live, const Interface& wanted) {
  constexpr auto kDefault = "virtio";
  const auto model = live.model.value_or(kDefault), wanted_model = wanted.model.value_or(kDefault);
  if (model != wanted_model)
    return fail(Error::Code::Unsupported, "cannot modify network device model from {} to {}", model,
                wanted_model);
  for (const auto& part : kFixed)
    if (part.differs(live, wanted)) return fail(Error::Code::Unsupported, "cannot modify {}", part.name);
  return {};
}

// Without what a network has given to a live one.
auto source_of(const Interface& interface) {
  auto source = interface.source.value_or(InterfaceSource());
  if (interface.type == "network") {
    source.port_id.reset();
    source.bridge.reset();
    source.dev.reset();
    source.mode.reset();
  }
  return source;
}

std::vector<OtherElement> others_but_bandwidth(const Interface& interface) {
  auto others = interface.others;
  std::erase_if(others, [](const OtherElement& other) { return other.element == "bandwidth"; });
  return others;
}

auto host_side(const Interface& interface) {
  return std::tuple(interface.type, source_of(interface), interface.guest_dev, interface.backend_type,
                    interface.backend_tap, interface.backend_vhost, interface.backend_log_file,
                    interface.trust_guest_rx_filters.value_or(false), others_but_bandwidth(interface));
}

}  // namespace

Result<Interface> update_interface(const Domain& live, const DeviceElement& device) {
  if (device.devices.interfaces.empty())
    return fail(
        Error::Code::Unsupported,
        "live update of device '{}' is not supported: of a running TD the links of interfaces and the "
        "media of CD-ROM drives can be changed; change its definition (--config)",
        device.name);
  const auto& wanted = device.devices.interfaces.front();
  Interface updated = live.devices.interfaces[TRY(find_interface(live.devices.interfaces, wanted))];
  TRY(check_fixed(updated, wanted));
  if (host_side(updated) != host_side(wanted))
    return fail(Error::Code::Unsupported, "unable to change config on '{}' network type", wanted.type);
  updated.link_state = wanted.link_state;
  // A network's own limits are not in what a client says.
  const auto bandwidth = bandwidth_of(wanted);
  if (wanted.type != "network" || bandwidth != Bandwidth()) set_bandwidth(updated, bandwidth);
  return updated;
}

}  // namespace virttdx::domain_xml
