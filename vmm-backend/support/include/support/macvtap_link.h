// SPDX-License-Identifier: GPL-2.0-or-later
// Links of kind macvtap: network devices on top of another one, whose packets a character device takes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// A link that goes with this object. Any thread.
class MacvtapLink {
 public:
  struct Request {
    std::string name;  ///< a "%d" in it stands for the first number that is free
    std::string lower;
    std::uint32_t mode = 0;  ///< MACVLAN_MODE_... of linux/if_link.h
    std::array<std::byte, 6> address{};
  };
  /// Needs CAP_NET_ADMIN. NotFound: no such lower device. In passthrough mode the lower device gets the
  /// address too, until the link is gone.
  static Result<MacvtapLink> create(const Request& request);
  /// One that another process has made and given away with release(). NotFound: it is gone.
  static Result<MacvtapLink> adopt(UniqueFd socket, std::string name);
  MacvtapLink(MacvtapLink&&) = default;
  MacvtapLink& operator=(MacvtapLink&&) = delete;
  ~MacvtapLink();

  /// Leaves the link to whoever adopts it with this socket.
  UniqueFd release() { return std::move(socket_); }

  const std::string& name() const { return name_; }
  /// Where its packets are: /dev/tapN.
  std::string character_device() const;

 private:
  MacvtapLink(UniqueFd socket, std::string name, unsigned index)
      : socket_(std::move(socket)), name_(std::move(name)), index_(index) {}
  Result<> set_address(const std::array<std::byte, 6>& address) const;

  UniqueFd socket_;  ///< a confined process can make none
  std::string name_;
  unsigned index_;
};

/// Deletes the links of this kind with the address ("52:54:00:12:34:56") on `lower`: what a process that was
/// killed has left. How many there were.
Result<unsigned> delete_macvtap_links(std::string_view lower, std::string_view address);

}  // namespace virttdx
