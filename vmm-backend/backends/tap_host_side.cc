// SPDX-License-Identifier: GPL-2.0-or-later
// Tap devices (Documentation/networking/tuntap.rst) and macvtap devices, made, joined to a bridge and brought
// up.
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "backends/interface_host_side.h"
#include "backends/network_device.h"
#include "devices/virtio_net/virtio_net_spec.h"

namespace virttdx {
namespace {

constexpr std::byte kHighestOctet{0xFE};  // locally administered, unicast

ifreq request_of(const std::string& device) {
  ifreq request{};
  device.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

std::uint32_t kernel_mode(MacvtapMode mode) {
  switch (mode) {
    case MacvtapMode::Bridge:
      return MACVLAN_MODE_BRIDGE;
    case MacvtapMode::Vepa:
      return MACVLAN_MODE_VEPA;
    case MacvtapMode::Private:
      return MACVLAN_MODE_PRIVATE;
    case MacvtapMode::Passthrough:
      break;
  }
  return MACVLAN_MODE_PASSTHRU;
}

Result<> make_macvtap(InterfaceHostSide& side, const NetworkInterfaceConfig& config) {
  auto link = MacvtapLink::create({.name = config.device,
                                   .lower = config.link.value_or(""),
                                   .mode = kernel_mode(config.macvtap_mode),
                                   .address = TRY(network_properties(config)).mac});
  if (!link)
    return tl::unexpected<Error>(
        std::move(link).error().with_context(fmt::format("interface '{}'", config.id)));
  side.link.emplace(*std::move(link));
  side.device = side.link->name();
  return {};
}

Result<> open_queue(InterfaceHostSide& side, const NetworkInterfaceConfig& config) {
  const std::string path = side.link ? side.link->character_device() : "/dev/net/tun";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail_errno(errno, "interface '{}': cannot open {}", config.id, path);
  ifreq device = request_of(side.device);
  const int flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (config.queue_pairs > 1 ? IFF_MULTI_QUEUE : 0);
  device.ifr_flags = static_cast<short>(flags);
  if (::ioctl(fd.get(), TUNSETIFF, &device) != 0)
    return fail_errno(
        errno,
        "interface '{}': cannot use tap device '{}' (it must be free, with the same number of queues, and "
        "belong to the user)",
        config.id, side.device);
  if (!side.link) side.device = device.ifr_name;
  const int header_size = virtio_net_spec::kHeaderSize;
  if (::ioctl(fd.get(), TUNSETVNETHDRSZ, &header_size) != 0)
    return fail_errno(errno, "interface '{}': tap device '{}' takes no virtio headers", config.id,
                      side.device);
  side.queues.push_back(std::move(fd));
  return {};
}

// A bridge's MTU falls to its smallest port's: a port without an MTU of its own takes the bridge's.
Result<> set_mtu(int control, const std::string& device, const NetworkInterfaceConfig& config) {
  ifreq bridge = request_of(config.bridge.value_or(""));
  if (!config.mtu && !config.bridge) return {};
  if (!config.mtu && ::ioctl(control, SIOCGIFMTU, &bridge) != 0)
    return fail_errno(errno, "interface '{}': cannot read the MTU of bridge '{}'", config.id, *config.bridge);
  ifreq request = request_of(device);
  request.ifr_mtu = config.mtu ? static_cast<int>(*config.mtu) : bridge.ifr_mtu;
  if (::ioctl(control, SIOCSIFMTU, &request) == 0) return {};
  return fail_errno(errno, "interface '{}': cannot set the MTU of '{}' to {}", config.id, device,
                    request.ifr_mtu);
}

// A bridge without an address of its own takes the lowest of its ports': a tap has one that is higher than
// any other, and not the guest's, whose packets the bridge would else take for the host's.
Result<> set_address_of_port(int control, const std::string& device, const NetworkInterfaceConfig& config) {
  auto address = TRY(network_properties(config)).mac;
  if (address[0] == kHighestOctet)
    return fail(
        Error::Code::InvalidArgument,
        "interface '{}': MAC address {} begins with 0xFE, which is for the host's side; choose another",
        config.id, config.mac);
  address[0] = kHighestOctet;
  ifreq request = request_of(device);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::memcpy(request.ifr_hwaddr.sa_data, address.data(), address.size());
  if (::ioctl(control, SIOCSIFHWADDR, &request) == 0) return {};
  return fail_errno(errno, "interface '{}': cannot set the address of '{}'", config.id, device);
}

Result<> join_bridge(int control, const std::string& device, const NetworkInterfaceConfig& config) {
  TRY(set_address_of_port(control, device, config));
  ifreq bridge = request_of(*config.bridge);
  bridge.ifr_ifindex = static_cast<int>(::if_nametoindex(device.c_str()));
  // EBUSY: it has joined already.
  if (::ioctl(control, SIOCBRADDIF, &bridge) == 0 || errno == EBUSY) return {};
  return fail_errno(errno, "interface '{}': cannot join '{}' to bridge '{}'", config.id, device,
                    *config.bridge);
}

Result<> bring_up(const std::string& device, const NetworkInterfaceConfig& config) {
  const UniqueFd control(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!control) return fail_errno(errno, "interface '{}': cannot create a socket", config.id);
  TRY(set_mtu(control.get(), device, config));
  if (config.bridge) TRY(join_bridge(control.get(), device, config));
  ifreq request = request_of(device);
  if (::ioctl(control.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0) return {};
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (::ioctl(control.get(), SIOCSIFFLAGS, &request) != 0)
    return fail_errno(errno, "interface '{}': cannot bring up '{}'", config.id, device);
  return {};
}

}  // namespace

Result<InterfaceHostSide> open_tap(const NetworkInterfaceConfig& config) {
  InterfaceHostSide side;
  side.device = config.device;
  if (config.backend == NetworkBackend::Macvtap) TRY(make_macvtap(side, config));
  for (std::uint16_t i = 0; i < config.queue_pairs; ++i) TRY(open_queue(side, config));
  TRY(bring_up(side.device, config));
  return side;
}

}  // namespace virttdx
