// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <span>

#include "support/result.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// A SHA-384 stream. A failure of libcrypto is remembered and reported by finish().
class Sha384 {
 public:
  Sha384();
  void add(std::span<const std::byte> bytes);
  Result<Measurement> finish();

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
  bool good_ = false;
};

}  // namespace virttdx
