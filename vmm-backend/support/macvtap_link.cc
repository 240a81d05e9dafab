// SPDX-License-Identifier: GPL-2.0-or-later
// rtnetlink(7), rtnetlink's links of kind macvtap (linux/if_link.h).
#include "support/macvtap_link.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <vector>

#include "support/log.h"

namespace virttdx {
namespace {

constexpr std::string_view kNumber = "%d";
constexpr unsigned kNumberMaximum = 8192;

/// A request about a link, put together attribute by attribute.
class LinkMessage {
 public:
  LinkMessage(std::uint16_t type, std::uint16_t flags, unsigned index)
      : bytes_(NLMSG_LENGTH(sizeof(ifinfomsg))) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    std::memcpy(bytes_.data(), &header, sizeof header);
    ifinfomsg link{};
    link.ifi_family = AF_UNSPEC;
    link.ifi_index = static_cast<int>(index);
    std::memcpy(bytes_.data() + NLMSG_HDRLEN, &link, sizeof link);
  }
  void add(std::uint16_t type, std::span<const std::byte> value) {
    const std::size_t at = begin(type);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    end(at);
  }
  void add(std::uint16_t type, const std::string& text) {
    add(type, std::as_bytes(std::span(text.c_str(), text.size() + 1)));
  }
  void add(std::uint16_t type, std::uint32_t number) { add(type, std::as_bytes(std::span(&number, 1))); }
  /// Of an attribute whose value is attributes.
  std::size_t begin(std::uint16_t type) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + RTA_LENGTH(0));
    std::memcpy(bytes_.data() + at + offsetof(rtattr, rta_type), &type, sizeof type);
    return at;
  }
  void end(std::size_t at) {
    const auto size = static_cast<std::uint16_t>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at + offsetof(rtattr, rta_len), &size, sizeof size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  std::span<const std::byte> finish() {
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &size, sizeof size);
    return bytes_;
  }

 private:
  std::vector<std::byte> bytes_;
};

Result<UniqueFd> open_socket() {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return fail_errno(errno, "cannot open a netlink socket");
  return socket;
}

// The kernel's answer: 0, or an errno.
int ask(const UniqueFd& socket, std::span<const std::byte> message) {
  if (::send(socket.get(), message.data(), message.size(), 0) < 0) return errno;
  alignas(nlmsghdr) std::array<std::byte, 4096> answer{};
  const ssize_t size = ::recv(socket.get(), answer.data(), answer.size(), 0);
  if (size < 0) return errno;
  nlmsgerr error{};
  if (static_cast<std::size_t>(size) < NLMSG_HDRLEN + sizeof error) return EPROTO;
  std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof error);
  return -error.error;
}

int create_link(const UniqueFd& socket, const MacvtapLink::Request& request, const std::string& name,
                unsigned lower) {
  LinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
  message.add(IFLA_IFNAME, name);
  message.add(IFLA_LINK, lower);
  message.add(IFLA_ADDRESS, request.address);
  const std::size_t information = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, std::string("macvtap"));
  const std::size_t data = message.begin(IFLA_INFO_DATA);
  message.add(IFLA_MACVLAN_MODE, request.mode);
  message.end(data);
  message.end(information);
  return ask(socket, message.finish());
}

int delete_link(const UniqueFd& socket, unsigned index) {
  return ask(socket, LinkMessage(RTM_DELLINK, 0, index).finish());
}

// The name that it got.
Result<std::string> create_named_link(const UniqueFd& socket, const MacvtapLink::Request& request,
                                      unsigned lower) {
  const auto place = request.name.find(kNumber);
  const bool is_numbered = place != std::string::npos;
  int error = EEXIST;
  for (unsigned number = 0; error == EEXIST && number < (is_numbered ? kNumberMaximum : 1); ++number) {
    std::string name = request.name;
    if (is_numbered) name.replace(place, kNumber.size(), std::to_string(number));
    error = create_link(socket, request, name, lower);
    if (error == 0) return name;
  }
  return fail_errno(error, "cannot create macvtap device '{}' on '{}'", request.name, request.lower);
}

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Its character device is below it, in the class of such.
bool is_macvtap(const std::filesystem::path& device) {
  std::error_code error;
  return std::filesystem::is_directory(device / "macvtap", error);
}

}  // namespace

Result<MacvtapLink> MacvtapLink::create(const Request& request) {
  const unsigned lower = ::if_nametoindex(request.lower.c_str());
  if (lower == 0) return fail(Error::Code::NotFound, "the host has no network device '{}'", request.lower);
  UniqueFd socket = TRY(open_socket());
  const std::string name = TRY(create_named_link(socket, request, lower));
  MacvtapLink link(std::move(socket), name, ::if_nametoindex(name.c_str()));
  TRY(link.set_address(request.address));
  return link;
}

// if_nametoindex(3) may open a socket of a kind that a confined process cannot have.
Result<MacvtapLink> MacvtapLink::adopt(UniqueFd socket, std::string name) {
  const UniqueFd control(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (!control || ::ioctl(control.get(), SIOCGIFINDEX, &request) != 0)
    return fail_errno(errno, "cannot find macvtap device '{}'", name);
  return MacvtapLink(std::move(socket), std::move(name), static_cast<unsigned>(request.ifr_ifindex));
}

// In passthrough mode a new link has the lower device's address, whatever was asked for.
Result<> MacvtapLink::set_address(const std::array<std::byte, 6>& address) const {
  const UniqueFd control(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!control) return fail_errno(errno, "cannot create a socket");
  ifreq request{};
  name_.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::memcpy(request.ifr_hwaddr.sa_data, address.data(), address.size());
  if (::ioctl(control.get(), SIOCSIFHWADDR, &request) != 0)
    return fail_errno(errno, "cannot set the MAC address of '{}'", name_);
  return {};
}

std::string MacvtapLink::character_device() const { return fmt::format("/dev/tap{}", index_); }

MacvtapLink::~MacvtapLink() {
  if (!socket_) return;
  if (const int error = delete_link(socket_, index_); error != 0 && error != ENODEV)
    log::warning("cannot delete macvtap device '{}': {}", name_, std::strerror(error));
}

Result<unsigned> delete_macvtap_links(std::string_view lower, std::string_view address) {
  unsigned deleted = 0;
  std::error_code error;
  for (const auto& device : std::filesystem::directory_iterator("/sys/class/net", error)) {
    const auto& path = device.path();
    if (!is_macvtap(path) || first_line(path / "address") != address ||
        !std::filesystem::exists(path / fmt::format("lower_{}", lower), error))
      continue;
    const auto index = static_cast<unsigned>(std::strtoul(first_line(path / "ifindex").c_str(), nullptr, 10));
    const int answer = delete_link(TRY(open_socket()), index);
    if (answer != 0 && answer != ENODEV)
      return fail_errno(answer, "cannot delete macvtap device '{}'", path.filename().string());
    ++deleted;
  }
  return deleted;
}

}  // namespace virttdx
