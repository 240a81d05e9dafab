// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/device_info.h"
#include "elements/elements.h"
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

using Types = OneOf<"network", "bridge", "ethernet", "user", "direct", "vhostuser", "hostdev", "internal",
                    "server", "client", "mcast", "udp", "vdpa", "null", "vds">;
using DirectModes = OneOf<"vepa", "bridge", "private", "passthrough", "client", "server">;

template <auto kMember, typename Codec>
constexpr Row<Interface> driver(std::string_view path) {
  return deep_property<Interface, Codec, &Interface::driver, kMember>(path);
}
template <auto kSide, auto kMember>
constexpr Row<Interface> offload(std::string_view path) {
  return deep_property<Interface, OnOff, &Interface::driver, kSide, kMember>(path);
}

constexpr std::array kHeadTable = {
    property<&Interface::type, Types>("@type", {.required = true}),
    property<&Interface::trust_guest_rx_filters, YesNo>("@trustGuestRxFilters"),
    property<&Interface::mac, MacAddress>("mac/@address"),
    property<&Interface::mac_type, OneOf<"generated", "static">>("mac/@type"),
    property<&Interface::mac_check, OneOf<"yes", "no">>("mac/@check"),
};
constexpr std::array kSourceTable = {
    property<&InterfaceSource::socket_type, OneOf<"unix">>("@type"),
    property<&InterfaceSource::socket_path, AbsolutePath>("@path"),
    property<&InterfaceSource::network, NonEmptyText>("@network"),
    property<&InterfaceSource::portgroup, NonEmptyText>("@portgroup"),
    property<&InterfaceSource::port_id, Uuid>("@portid", {.live = true}),
    property<&InterfaceSource::bridge, NonEmptyText>("@bridge"),
    property<&InterfaceSource::dev, NonEmptyText>("@dev"),
    property<&InterfaceSource::mode, DirectModes>("@mode"),
};
constexpr std::array kHostSideTable = {
    property<&Interface::script, NonEmptyText>("script/@path"),
    property<&Interface::target_dev, NonEmptyText>("target/@dev"),
    property<&Interface::target_managed, YesNo>("target/@managed"),
    property<&Interface::guest_dev, NonEmptyText>("guest/@dev"),
    property<&Interface::model, NonEmptyText>("model/@type"),
};
constexpr auto kDriverTable = join_tables(
    std::array{
        driver<&InterfaceDriver::name, OneOf<"vhost", "qemu">>("driver/@name"),
        driver<&InterfaceDriver::txmode, OneOf<"iothread", "timer">>("driver/@txmode"),
        driver<&InterfaceDriver::ioeventfd, OnOff>("driver/@ioeventfd"),
        driver<&InterfaceDriver::event_idx, OnOff>("driver/@event_idx"),
        driver<&InterfaceDriver::queues, Count>("driver/@queues"),
        driver<&InterfaceDriver::rx_queue_size, Count>("driver/@rx_queue_size"),
        driver<&InterfaceDriver::tx_queue_size, Count>("driver/@tx_queue_size"),
        driver<&InterfaceDriver::rss, OnOff>("driver/@rss"),
        driver<&InterfaceDriver::rss_hash_report, OnOff>("driver/@rss_hash_report"),
    },
    kVirtioRows<Interface, &Interface::driver, &InterfaceDriver::virtio>,
    std::array{
        offload<&InterfaceDriver::host, &InterfaceOffloads::csum>("driver/host/@csum"),
        offload<&InterfaceDriver::host, &InterfaceOffloads::gso>("driver/host/@gso"),
        offload<&InterfaceDriver::host, &InterfaceOffloads::tso4>("driver/host/@tso4"),
        offload<&InterfaceDriver::host, &InterfaceOffloads::tso6>("driver/host/@tso6"),
        offload<&InterfaceDriver::host, &InterfaceOffloads::ecn>("driver/host/@ecn"),
        offload<&InterfaceDriver::host, &InterfaceOffloads::ufo>("driver/host/@ufo"),
        offload<&InterfaceDriver::host, &InterfaceOffloads::mrg_rxbuf>("driver/host/@mrg_rxbuf"),
        offload<&InterfaceDriver::guest, &InterfaceOffloads::csum>("driver/guest/@csum"),
        offload<&InterfaceDriver::guest, &InterfaceOffloads::tso4>("driver/guest/@tso4"),
        offload<&InterfaceDriver::guest, &InterfaceOffloads::tso6>("driver/guest/@tso6"),
        offload<&InterfaceDriver::guest, &InterfaceOffloads::ecn>("driver/guest/@ecn"),
        offload<&InterfaceDriver::guest, &InterfaceOffloads::ufo>("driver/guest/@ufo"),
    });
constexpr std::array kTailTable = {
    property<&Interface::backend_type, OneOf<"default", "passt">>("backend/@type"),
    property<&Interface::backend_tap, AbsolutePath>("backend/@tap"),
    property<&Interface::backend_vhost, AbsolutePath>("backend/@vhost"),
    property<&Interface::backend_log_file, AbsolutePath>("backend/@logFile"),
    property<&Interface::link_state, OneOf<"up", "down">>("link/@state"),
    property<&Interface::mtu, Count>("mtu/@size"),
    property<&Interface::isolated, YesNo>("port/@isolated"),
};
constexpr auto kTable = join_tables(kHeadTable, kHostSideTable, kDriverTable, kTailTable);
constexpr auto kChildren = with_info(std::array{ChildRule{"source"}});

struct TypeNeed {
  std::string_view type;
  std::string_view attribute;
  std::optional<std::string> InterfaceSource::*member;
};
constexpr std::array kNeeds = {
    TypeNeed{"network", "source/@network", &InterfaceSource::network},
    TypeNeed{"bridge", "source/@bridge", &InterfaceSource::bridge},
    TypeNeed{"direct", "source/@dev", &InterfaceSource::dev},
    TypeNeed{"vhostuser", "source/@path", &InterfaceSource::socket_path},
};

Result<> check_source(const Place& place, const Interface& interface) {
  for (const auto& need : kNeeds)
    if (need.type == interface.type && !(interface.source && (*interface.source.*need.member)))
      return tl::unexpected<Error>(missing_value(place, need.attribute));
  return {};
}

// libvirt's: a network's bridge and mode are known while its domain runs, a name as vnet0 is one of a run.
Interface without_live_parts(Interface interface, const WriteContext& context) {
  if (!context.inactive) return interface;
  if (interface.type == "network" && interface.source) {
    interface.source->bridge.reset();
    interface.source->dev.reset();
    interface.source->mode.reset();
  }
  for (const std::string_view prefix : {"vnet", "macvtap", "macvlan"})
    if (interface.target_dev && interface.target_dev->starts_with(prefix)) interface.target_dev.reset();
  return interface;
}

constexpr std::array<std::string_view, 26> kOrder = {
    "mac",     "source",      "vlan",   "virtualport", "bandwidth", "port",  "ip",
    "route",   "portForward", "script", "target",      "guest",     "model", "driver",
    "backend", "filterref",   "tune",   "teaming",     "link",      "mtu",   "coalesce",
    "boot",    "alias",       "acpi",   "rom",         "address"};

}  // namespace

Result<Interface> read_interface(const Place& place) {
  Interface interface;
  TRY(read_properties(place, kTable, interface, with_shapes(kChildren, kInterfaceShapes)));
  if (const auto* source = place.element.child("source"))
    TRY(read_properties(place.child(*source), kSourceTable, interface.source.emplace()));
  TRY(check_source(place, interface));
  interface.others = TRY(read_others(place, kInterfaceShapes));
  TRY(read_device_info(place, interface));
  return interface;
}

void write_interface(xml::Element& parent, const Interface& written, const WriteContext& context) {
  const auto interface = without_live_parts(written, context);
  auto& element = parent.add_child("interface");
  write_properties(element, kTable, interface, context);
  if (interface.source)
    write_properties(element.add_child("source"), kSourceTable, *interface.source, context);
  write_others(element, interface.others, context);
  write_device_info(element, interface, context);
  order_children(element, kOrder);
}

}  // namespace virttdx::domain_xml
