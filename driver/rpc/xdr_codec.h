// SPDX-License-Identifier: GPL-2.0-or-later
// XDR of the structs that rpcgen declares: decoding with ownership, encoding, and memory for what is encoded.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/xdr_routine.h"
#include "schemas/remote_protocol_traits.h"
#include "schemas/virnet_protocol_traits.h"
#include "support/result.h"

namespace virttdx::driver {

/// Owns what an XDR routine allocated while decoding.
template <typename T>
class Decoded {
 public:
  Decoded() = default;
  Decoded(const Decoded&) = delete;
  Decoded& operator=(const Decoded&) = delete;
  ~Decoded() { xdr_free(reinterpret_cast<xdrproc_t>(kXdrRoutine<T>), &value_); }

  /// Decodes once. Bytes after the value are ignored, as libvirt does. False: not a T.
  [[nodiscard]] bool decode(std::string_view bytes) {
    XDR xdr;
    // XDR_DECODE only reads from the buffer.
    xdrmem_create(&xdr, const_cast<char*>(bytes.data()), static_cast<u_int>(bytes.size()), XDR_DECODE);
    const bool decoded = kXdrRoutine<T>(&xdr, &value_) != 0;
    xdr_destroy(&xdr);
    return decoded;
  }
  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }

 private:
  T value_{};
};

/// The XDR of a value. Error: a limit of the protocol (string or array length) is exceeded.
template <typename T>
Result<std::string> xdr_encode(const T& value) {
  // The routines are not const-correct; XDR_ENCODE only reads the value.
  auto* source = const_cast<T*>(&value);
  std::string bytes(xdr_sizeof(reinterpret_cast<xdrproc_t>(kXdrRoutine<T>), source), '\0');
  XDR xdr;
  xdrmem_create(&xdr, bytes.data(), static_cast<u_int>(bytes.size()), XDR_ENCODE);
  const bool encoded = kXdrRoutine<T>(&xdr, source) != 0;
  xdr_destroy(&xdr);
  if (!encoded) return fail(Error::Code::Internal, "a reply exceeds a limit of libvirt's protocol");
  return bytes;
}

/// Keeps the strings and arrays that a struct to be encoded points to. Addresses stay valid while it lives.
class Arena {
 public:
  char* text(std::string_view value) { return strings_.emplace_back(value).data(); }
  /// A remote_string with a value.
  char** optional_text(std::string_view value) { return make<char*>(text(value)); }

  template <typename T>
  T* make(const T& value) {
    auto memory = std::make_shared<T>(value);
    objects_.push_back(memory);
    return memory.get();
  }
  /// Fills the length and pointer that rpcgen declares for a variable array.
  template <typename T>
  void array(u_int& length, T*& pointer, std::vector<T> values) {
    auto memory = std::make_shared<std::vector<T>>(std::move(values));
    objects_.push_back(memory);
    length = static_cast<u_int>(memory->size());
    pointer = memory->data();
  }

 private:
  std::deque<std::string> strings_;
  std::vector<std::shared_ptr<void>> objects_;
};

}  // namespace virttdx::driver
