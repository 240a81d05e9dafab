// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/object_connection.h"

#include <libvirt/virterror.h>

namespace virttdx::driver {
namespace {

// It would write every error to the daemon's standard error.
void silence_library() {
  static const bool done = [] {
    virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace

tl::unexpected<Error> library_error(std::string_view what) {
  return fail(Error::Code::ConfigUnsupported, "{}: {}", what, virGetLastErrorMessage());
}

Result<Connection> connect(const ObjectDaemons& daemons, ObjectClass object_class) {
  silence_library();
  const auto scheme = scheme_of(object_class);
  std::error_code error;
  for (const auto& socket : sockets_of(object_class, daemons.run, false)) {
    if (!std::filesystem::exists(socket, error)) continue;
    const auto uri =
        fmt::format("{}:///{}?socket={}", scheme, daemons.per_user ? "session" : "system", socket.native());
    Connection connection(virConnectOpen(uri.c_str()));
    if (!connection) return library_error(fmt::format("cannot connect to the {} daemon", scheme));
    return connection;
  }
  return fail(Error::Code::ConfigUnsupported, "no {} daemon runs on this host; start virt{}d or libvirtd",
              scheme, scheme);
}

}  // namespace virttdx::driver
