// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <QTimer>
#include <memory>

namespace virttdx::driver {

/// Deletes from the event loop, so that an object may be let go of by what it calls itself.
struct DeleteFromEventLoop {
  template <typename T>
  void operator()(T* object) const {
    object->stop();
    QTimer::singleShot(0, [object] { delete object; });
  }
};
/// Owns a T that has stop(), after which it calls nobody any more.
template <typename T>
using DeferredDelete = std::unique_ptr<T, DeleteFromEventLoop>;

}  // namespace virttdx::driver
