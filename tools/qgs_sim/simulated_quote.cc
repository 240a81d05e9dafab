// SPDX-License-Identifier: GPL-2.0-or-later
#include "qgs_sim/simulated_quote.h"

#include <algorithm>
#include <string_view>

#include "qgs_sim/quote_spec.h"
#include "support/byte_order.h"
#include "vmm_backend/td_report_spec.h"

namespace virttdx::tools {
namespace {

namespace report_spec = tdx::report;

constexpr std::string_view kVendor = "virttdx-SIMULATE";
constexpr std::string_view kUserData = "protects nothing";
static_assert(kVendor.size() == quote_spec::header::kQeVendorIdSize);
static_assert(kUserData.size() <= quote_spec::header::kUserDataSize);

void put(std::span<std::byte> into, std::size_t offset, std::span<const std::byte> bytes) {
  std::ranges::copy(bytes, into.subspan(offset).begin());
}

void append(Bytes& bytes, std::span<const std::byte> more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

template <typename T>
void append_number(Bytes& bytes, T value) {
  bytes.resize(bytes.size() + sizeof(T));
  store_le(std::span(bytes), bytes.size() - sizeof(T), value);
}

Result<> check_hash(std::span<const std::byte> report, std::size_t hash, std::size_t part, std::size_t size,
                    const char* name) {
  const auto expected = TRY(sha384(report.subspan(part, size)));
  if (std::ranges::equal(expected, report.subspan(hash, expected.size()))) return {};
  return fail(Error::Code::InvalidData, "the report's hash of {} does not fit it", name);
}

Result<> check_report(std::span<const std::byte> report) {
  if (report.size() != report_spec::kSize)
    return fail(Error::Code::InvalidData, "report of {} bytes instead of {}", report.size(),
                report_spec::kSize);
  if (report[report_spec::kType] != std::byte{report_spec::kTypeTdx})
    return fail(Error::Code::InvalidData, "report of type {:#x} instead of {:#x}, a TD's",
                static_cast<unsigned>(report[report_spec::kType]), report_spec::kTypeTdx);
  TRY(check_hash(report, report_spec::kTeeTcbInfoHash, report_spec::kTeeTcbInfo, report_spec::kTeeTcbInfoSize,
                 "TEE_TCB_INFO"));
  return check_hash(report, report_spec::kTeeInfoHash, report_spec::kTdInfo, report_spec::kTdInfoSize,
                    "TDINFO");
}

Bytes quote_header() {
  namespace header = quote_spec::header;
  Bytes bytes(header::kSize);
  const std::span all(bytes);
  store_le(all, header::kVersion, header::kVersion4);
  store_le(all, header::kAttestationKeyType, header::kEcdsaP256);
  store_le(all, header::kTeeType, header::kTdx);
  put(all, header::kQeVendorId, std::as_bytes(std::span(kVendor)));
  put(all, header::kUserData, std::as_bytes(std::span(kUserData)));
  return bytes;
}

/// The SEAM module's part stays zeros, as in the software host's report.
Bytes quote_body(std::span<const std::byte> report) {
  namespace body = quote_spec::body;
  Bytes bytes(body::kSize);
  // ATTRIBUTES to the last RTMR stand in both structures in the same order.
  put(bytes, body::kTdAttributes,
      report.subspan(report_spec::kAttributes, body::kReportData - body::kTdAttributes));
  put(bytes, body::kReportData, report.subspan(report_spec::kReportData, report_spec::kDataSize));
  return bytes;
}

}  // namespace

Result<QuoteSigner> QuoteSigner::create() {
  auto attestation_key = TRY(SigningKey::generate());
  auto platform_key = TRY(SigningKey::generate());
  QuoteSigner signer(std::move(attestation_key), std::move(platform_key));
  TRY(signer.certify());
  return signer;
}

Result<> QuoteSigner::certify() {
  const auto root_key = TRY(SigningKey::generate());
  root_ = TRY(root_key.certify("virttdx SIMULATED root CA, protects nothing"));
  const auto platform =
      TRY(platform_key_.certify("virttdx SIMULATED PCK, protects nothing", &root_key, root_.get()));
  chain_ = TRY(to_pem(platform.get())) + TRY(to_pem(root_.get()));
  return {};
}

Result<Bytes> QuoteSigner::quote(std::span<const std::byte> report) const {
  TRY(check_report(report));
  Bytes quote = quote_header();
  append(quote, quote_body(report));
  Bytes data = TRY(attestation_key_.sign(quote));
  append(data, TRY(attestation_key_.public_point()));
  const Bytes certification = TRY(certification_data());
  append_number(data, quote_spec::kQeReportCertificationData);
  append_number(data, static_cast<std::uint32_t>(certification.size()));
  append(data, certification);
  append_number(quote, static_cast<std::uint32_t>(data.size()));
  append(quote, data);
  return quote;
}

// The quoting enclave's report binds the attestation key; the platform's key signs the report.
Result<Bytes> QuoteSigner::certification_data() const {
  const auto binding = TRY(sha256(TRY(attestation_key_.public_point())));
  Bytes data(quote_spec::qe_report::kSize);
  put(data, quote_spec::qe_report::kReportData, binding);
  append(data, TRY(platform_key_.sign(data)));
  append_number<std::uint16_t>(data, 0);  // no QE authentication data
  append_number(data, quote_spec::kPckCertificateChain);
  append_number(data, static_cast<std::uint32_t>(chain_.size()));
  append(data, std::as_bytes(std::span(chain_)));
  return data;
}

}  // namespace virttdx::tools
