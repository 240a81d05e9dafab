// SPDX-License-Identifier: GPL-2.0-or-later
// What kind of file a firmware is that cannot start a TD. Volume headers: UEFI Platform Initialization
// Specification, volume 3, EFI_FIRMWARE_VOLUME_HEADER.
#include <algorithm>

#include "support/byte_order.h"
#include "tdx/tdvf_spec.h"
#include "vmm_backend/tdvf.h"

namespace virttdx {
namespace {

constexpr std::size_t kVolumeGuid = 16, kVolumeLength = 32, kVolumeHeaderSize = 56;
constexpr Guid kVariableStore = guid("fff12b8d-7696-4c8b-a985-2747075b4f50");
constexpr Guid kFileSystem2 = guid("8c8ce578-8a3d-4f1c-9935-896185c32dd3");

bool starts_with_volume(std::span<const std::byte> image, const Guid& guid) {
  return image.size() >= kVolumeHeaderSize &&
         std::ranges::equal(image.subspan(kVolumeGuid, guid.size()), guid);
}

bool has_metadata(std::span<const std::byte> image) {
  // SAFETY: bytes seen as characters.
  const std::string_view text(reinterpret_cast<const char*>(image.data()), image.size());
  const std::string_view guard(reinterpret_cast<const char*>(kTdvfGuardGuid.data()), kTdvfGuardGuid.size());
  return text.find(guard) != std::string_view::npos;
}

}  // namespace

TdvfDiagnosis diagnose_tdvf(std::span<const std::byte> image) {
  // OVMF builds one image: variables, then code. Debian and others ship it cut in two as well.
  if (starts_with_volume(image, kVariableStore) &&
      load_le<std::uint64_t>(image, kVolumeLength) == image.size())
    return TdvfDiagnosis::VariablesHalf;
  if (starts_with_volume(image, kFileSystem2)) return TdvfDiagnosis::CodeHalf;
  return has_metadata(image) ? TdvfDiagnosis::MetadataDisagrees : TdvfDiagnosis::NoMetadata;
}

}  // namespace virttdx
