// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/mrtd_context.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "support/byte_order.h"
#include "support/result.h"

namespace virttdx::softhost {

namespace {

// One record: the name of the SEAMCALL, zeros, the GPA at byte 16, zeros.
constexpr std::size_t kRecordSize = 128, kRecordGpa = 16;

}  // namespace

MeasurementValue sha384(std::span<const std::byte> bytes) {
  MeasurementValue digest;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
                   EVP_sha384(), nullptr) == 1);
  return digest;
}

void MrtdContext::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

MrtdContext::MrtdContext() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha384(), nullptr) == 1);
}

void MrtdContext::record(const char* name, std::uint64_t gpa) {
  std::array<std::byte, kRecordSize> block{};
  std::memcpy(block.data(), name, std::strlen(name));
  store_le<std::uint64_t>(block, kRecordGpa, gpa);
  CHECK(EVP_DigestUpdate(context_.get(), block.data(), block.size()) == 1);
}

void MrtdContext::page_add(std::uint64_t gpa) { record("MEM.PAGE.ADD", gpa); }

void MrtdContext::extend(std::uint64_t gpa, std::span<const std::byte, tdx::kExtendChunkSize> chunk) {
  record("MR.EXTEND", gpa);
  CHECK(EVP_DigestUpdate(context_.get(), chunk.data(), chunk.size()) == 1);
}

MeasurementValue MrtdContext::finish() {
  MeasurementValue digest;
  CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
  return digest;
}

}  // namespace virttdx::softhost
