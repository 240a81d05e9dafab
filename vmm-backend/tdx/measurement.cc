// SPDX-License-Identifier: GPL-2.0-or-later
// The pages of a launch and the MRTD that they give.
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "support/byte_order.h"
#include "vmm_backend/tdvf.h"

namespace virttdx {
namespace {

constexpr std::size_t kBlockSize = 128;
constexpr std::size_t kChunkSize = 256;
constexpr std::size_t kBlockGpa = 16;

/// A SHA-384 stream. A failure of libcrypto is remembered and reported by finish().
class Sha384 {
 public:
  Sha384() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    good_ = context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha384(), nullptr) == 1;
  }
  void add(std::span<const std::byte> bytes) {
    good_ = good_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
  }
  Result<Measurement> finish() {
    Measurement digest{};
    unsigned int size = 0;
    // SAFETY: libcrypto writes unsigned char; Measurement is EVP_sha384()'s 48 bytes long.
    good_ = good_ &&
            EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) == 1;
    if (!good_ || size != digest.size())
      return fail(Error::Code::Internal, "predict MRTD: libcrypto's SHA-384 failed");
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
  bool good_ = false;
};

using Block = std::array<std::byte, kBlockSize>;

Block block(std::string_view operation, std::uint64_t gpa) {
  Block bytes{};
  std::ranges::transform(operation, bytes.begin(),
                         [](char letter) { return static_cast<std::byte>(letter); });
  store_le(std::span(bytes), kBlockGpa, gpa);
  return bytes;
}

void add_measured_page(Sha384& hash, std::uint64_t gpa, std::span<const std::byte> page) {
  for (std::size_t offset = 0; offset < kPageSize; offset += kChunkSize) {
    hash.add(block("MR.EXTEND", gpa + offset));
    hash.add(page.subspan(offset, kChunkSize));
  }
}

void add_range(Sha384& hash, const TdPageRange& range) {
  std::array<std::byte, kPageSize> page{};
  for (std::uint64_t offset = 0; offset < range.memory.size(); offset += kPageSize) {
    const std::uint64_t gpa = range.memory.base().value + offset;
    hash.add(block("MEM.PAGE.ADD", gpa));
    if (!range.measured) continue;
    page.fill(std::byte{0});
    const auto rest = range.content.subspan(std::min<std::size_t>(offset, range.content.size()));
    std::ranges::copy(rest.first(std::min(rest.size(), page.size())), page.begin());
    add_measured_page(hash, gpa, page);
  }
}

}  // namespace

std::vector<TdPageRange> td_page_list(const Tdvf& tdvf, std::span<const std::byte> hob) {
  std::vector<TdPageRange> pages;
  for (const TdvfSection& section : tdvf.sections) {
    TdPageRange range{section.memory, section.measured, {}};
    if (section.type == TdvfSectionType::TdHob) range.content = hob;
    if (section.raw_size != 0)
      range.content = std::span(tdvf.image).subspan(section.data_offset, section.raw_size);
    pages.push_back(range);
  }
  return pages;
}

Result<Measurement> predict_mrtd(std::span<const TdPageRange> pages) {
  Sha384 hash;
  for (const TdPageRange& range : pages) {
    if (!range.memory.is_page_aligned() || range.content.size() > range.memory.size())
      return fail(
          Error::Code::InvalidArgument,
          "predict MRTD: page range {:#x}+{:#x} with {:#x} bytes of content is not a range of whole pages",
          range.memory.base().value, range.memory.size(), range.content.size());
    add_range(hash, range);
  }
  return hash.finish();
}

}  // namespace virttdx
