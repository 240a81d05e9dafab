// SPDX-License-Identifier: GPL-2.0-or-later
// Throw-away ECDSA P-256 keys and certificates, by libcrypto.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "support/result.h"

namespace virttdx::tools {

using Bytes = std::vector<std::byte>;

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const;
};
struct CertificateDeleter {
  void operator()(X509* certificate) const;
};
using CertificatePtr = std::unique_ptr<X509, CertificateDeleter>;

/// A key that exists in this process only.
class SigningKey {
 public:
  /// Error Internal: libcrypto's reason.
  static Result<SigningKey> generate();

  /// x and y, 32 bytes each, big-endian.
  Result<Bytes> public_point() const;
  /// ECDSA over SHA-256: r and s, 32 bytes each, big-endian.
  Result<Bytes> sign(std::span<const std::byte> data) const;
  /// A certificate of this key for one day, its subject's common name `name`; signed by `issuer`, or by
  /// itself.
  Result<CertificatePtr> certify(const std::string& name, const SigningKey* issuer_key = nullptr,
                                 X509* issuer = nullptr) const;

 private:
  explicit SigningKey(EVP_PKEY* key) : key_(key) {}
  std::unique_ptr<EVP_PKEY, KeyDeleter> key_;
};

Result<Bytes> sha256(std::span<const std::byte> data);
/// SHA-384, 48 bytes.
Result<Bytes> sha384(std::span<const std::byte> data);

Result<std::string> to_pem(X509* certificate);

}  // namespace virttdx::tools
