// SPDX-License-Identifier: GPL-2.0-or-later
// Quotes over TDREPORTs of the software TDX host. Their form is Intel's, their word is worth nothing: the
// keys are made at the start, the quoting enclave's vendor reads "virttdx-SIMULATE", and so do the
// certificates.
#pragma once

#include <span>
#include <string>

#include "qgs_sim/signing_key.h"
#include "support/result.h"

namespace virttdx::tools {

class QuoteSigner {
 public:
  /// New keys and certificates. Error Internal.
  static Result<QuoteSigner> create();

  /// A version 4 quote. Error InvalidData: not a TDREPORT of a TD, or its hashes do not fit its parts. The
  /// MAC is not checked: its key is in the processor, and with the software host in another process.
  Result<Bytes> quote(std::span<const std::byte> report) const;
  /// PEM: the certificate to trust when checking quotes.
  Result<std::string> root_certificate() const { return to_pem(root_.get()); }

 private:
  QuoteSigner(SigningKey attestation_key, SigningKey platform_key)
      : attestation_key_(std::move(attestation_key)), platform_key_(std::move(platform_key)) {}
  Result<> certify();
  Result<Bytes> certification_data() const;

  SigningKey attestation_key_;
  SigningKey platform_key_;  ///< stands for the platform's PCK
  CertificatePtr root_;
  std::string chain_;  ///< PEM, platform key first
};

}  // namespace virttdx::tools
