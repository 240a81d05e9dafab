// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <rpc/rpc.h>

namespace virttdx::driver {

/// What rpcgen makes for a struct: encodes, decodes or frees it, as the XDR handle says.
template <typename T>
using XdrRoutine = bool_t (*)(XDR*, T*);

/// The routine of T; specialised for every struct of schemas/*.x by the generated *_traits.h.
template <typename T>
inline constexpr XdrRoutine<T> kXdrRoutine = nullptr;

}  // namespace virttdx::driver
