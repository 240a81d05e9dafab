// SPDX-License-Identifier: GPL-2.0-or-later
// libvirt's client library, for the files of this folder that use it. Calls block.
#pragma once

#include <libvirt/libvirt.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#include "forward/object_class.h"
#include "host/host_objects.h"

namespace virttdx::driver {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Connection = std::unique_ptr<virConnect, Freed<virConnectClose>>;
using Network = std::unique_ptr<virNetwork, Freed<virNetworkFree>>;
using Port = std::unique_ptr<virNetworkPort, Freed<virNetworkPortFree>>;
using Pool = std::unique_ptr<virStoragePool, Freed<virStoragePoolFree>>;
using Volume = std::unique_ptr<virStorageVol, Freed<virStorageVolFree>>;
using Secret = std::unique_ptr<virSecret, Freed<virSecretFree>>;
using Text = std::unique_ptr<char, Freed<std::free>>;

/// The library's own words for the last error of this thread, behind `what`.
tl::unexpected<Error> library_error(std::string_view what);

/// To the daemon of a class. ConfigUnsupported: none runs, or it refuses.
Result<Connection> connect(const ObjectDaemons& daemons, ObjectClass object_class);

}  // namespace virttdx::driver
