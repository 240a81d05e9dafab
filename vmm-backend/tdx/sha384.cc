// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/sha384.h"

namespace virttdx {

Sha384::Sha384() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
  good_ = context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha384(), nullptr) == 1;
}

void Sha384::add(std::span<const std::byte> bytes) {
  good_ = good_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
}

Result<Measurement> Sha384::finish() {
  Measurement digest{};
  unsigned int size = 0;
  // SAFETY: libcrypto writes unsigned char; Measurement is EVP_sha384()'s 48 bytes long.
  good_ = good_ &&
          EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) == 1;
  if (!good_ || size != digest.size())
    return fail(Error::Code::Internal, "measure: libcrypto's SHA-384 failed");
  return digest;
}

}  // namespace virttdx
