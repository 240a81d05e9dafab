// SPDX-License-Identifier: GPL-2.0-or-later
#include "qgs_sim/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

namespace virttdx::tools {
namespace {

constexpr std::size_t kCoordinateSize = 32;
constexpr long kOneDay = 24 * 60 * 60;

template <auto function>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    function(object);
  }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;
using MemoryBio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

tl::unexpected<Error> crypto_failure(const char* what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  return fail(Error::Code::Internal, "cannot {}: {}", what, text.data());
}

const unsigned char* raw(std::span<const std::byte> bytes) {
  // SAFETY: libcrypto's byte type; same size and alignment.
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::span<std::byte> bytes) {
  // SAFETY: as above.
  return reinterpret_cast<unsigned char*>(bytes.data());
}

Result<Bytes> digest(const EVP_MD* kind, std::span<const std::byte> data) {
  Bytes result(static_cast<std::size_t>(EVP_MD_get_size(kind)));
  if (EVP_Digest(data.data(), data.size(), raw(std::span(result)), nullptr, kind, nullptr) != 1)
    return crypto_failure("compute a digest");
  return result;
}

/// r and s as numbers of fixed size out of libcrypto's DER.
Result<Bytes> fixed_size_signature(std::span<const std::byte> der) {
  const unsigned char* at = raw(der);
  const Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  Bytes result(2 * kCoordinateSize);
  unsigned char* out = raw(std::span(result));
  constexpr int kSize = kCoordinateSize;
  if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, kSize) != kSize ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + kSize, kSize) != kSize)
    return crypto_failure("read a signature");
  return result;
}

bool set_name(X509_NAME* name, const std::string& text) {
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, raw(std::as_bytes(std::span(text))),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool set_validity(X509* certificate) {
  return X509_gmtime_adj(X509_getm_notBefore(certificate), -kOneDay) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kOneDay) != nullptr;
}

bool set_authority(X509* certificate, bool authority) {
  const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints,
                                                authority ? "critical,CA:TRUE" : "critical,CA:FALSE"));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

}  // namespace

void KeyDeleter::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
void CertificateDeleter::operator()(X509* certificate) const { X509_free(certificate); }

Result<SigningKey> SigningKey::generate() {
  SigningKey key(EVP_EC_gen("P-256"));
  if (!key.key_) return crypto_failure("generate a key");
  return key;
}

Result<Bytes> SigningKey::public_point() const {
  // 04, x, y: SEC 1, section 2.3.3.
  Bytes point(1 + 2 * kCoordinateSize);
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, raw(std::span(point)),
                                      point.size(), &size) != 1 ||
      size != point.size())
    return crypto_failure("read a public key");
  point.erase(point.begin());
  return point;
}

Result<Bytes> SigningKey::sign(std::span<const std::byte> data) const {
  const DigestContext context(EVP_MD_CTX_new());
  Bytes der(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = der.size();
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), raw(std::span(der)), &size, raw(data), data.size()) != 1)
    return crypto_failure("sign");
  return fixed_size_signature(std::span(der).first(size));
}

Result<CertificatePtr> SigningKey::certify(const std::string& name, const SigningKey* issuer_key,
                                           X509* issuer) const {
  CertificatePtr certificate(X509_new());
  X509* const made = certificate.get();
  auto* const subject = X509_get_subject_name(made);
  const bool filled =
      made != nullptr && X509_set_version(made, X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set(X509_get_serialNumber(made), issuer == nullptr ? 1 : 2) == 1 && set_validity(made) &&
      X509_set_pubkey(made, key_.get()) == 1 && set_name(subject, name) &&
      set_authority(made, issuer == nullptr) &&
      X509_set_issuer_name(made, issuer == nullptr ? subject : X509_get_subject_name(issuer)) == 1;
  EVP_PKEY* const signer = issuer_key == nullptr ? key_.get() : issuer_key->key_.get();
  if (!filled || X509_sign(made, signer, EVP_sha256()) == 0) return crypto_failure("make a certificate");
  return certificate;
}

Result<Bytes> sha256(std::span<const std::byte> data) { return digest(EVP_sha256(), data); }
Result<Bytes> sha384(std::span<const std::byte> data) { return digest(EVP_sha384(), data); }

Result<std::string> to_pem(X509* certificate) {
  const MemoryBio memory(BIO_new(BIO_s_mem()));
  if (!memory || PEM_write_bio_X509(memory.get(), certificate) != 1)
    return crypto_failure("write a certificate");
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace virttdx::tools
