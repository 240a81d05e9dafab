// SPDX-License-Identifier: GPL-2.0-or-later
// TDVF images: metadata, section rules, and the MRTD that follows from them.
// Sources: Intel TDX Virtual Firmware Design Guide (344991), section 11; td-shim specification; edk2 OvmfPkg.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"
#include "vmm_backend/gpa.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// Section types of the TDVF metadata. Others are refused with their number.
enum class TdvfSectionType : std::uint32_t { Bfv = 0, Cfv = 1, TdHob = 2, TempMem = 3 };

/// "BFV", "CFV", "TD_HOB", "TEMP_MEM".
std::string_view name_of(TdvfSectionType type);

struct TdvfSection {
  TdvfSectionType type = TdvfSectionType::Bfv;
  std::uint32_t data_offset = 0;  ///< in the file
  std::uint32_t raw_size = 0;     ///< bytes in the file
  GpaRange memory;                ///< page aligned
  bool measured = false;          ///< attribute bit 0, MR.EXTEND
  bool operator==(const TdvfSection&) const = default;
};

/// A checked image. Firmware files are hostile: every rule of parse_tdvf holds for a value of this type.
struct Tdvf {
  std::vector<std::byte> image;
  std::vector<TdvfSection> sections;  ///< in the file's order: it is the order of adding, and so of MRTD
  const TdvfSection& td_hob() const;
};

/// Image sizes: a multiple of 4 KiB (OVMF: 64 KiB), at most 16 MiB.
inline constexpr std::size_t kTdvfMaximumSize = 16U << 20;

/// Finds and checks the metadata by the strictest peer's rules: GUID table and guard GUID, signature, version
/// 1, length, section types 0..3, alignment, raw <= memory, BFV/CFV with data and inside the file,
/// TD_HOB/TEMP_MEM without, exactly one TD_HOB, at least one BFV, no overlap in memory or in the file,
/// firmware volumes sum up to the file. The error names section number, type, field and value.
Result<Tdvf> parse_tdvf(std::vector<std::byte> image);

/// Reads and parses a file; the error starts with its path and, for the usual mistakes (split OVMF_CODE, no
/// metadata, truncated), says which file to use instead.
Result<Tdvf> load_tdvf(const std::filesystem::path& path);

/// Why an image that parse_tdvf() refuses is no firmware for TDs: a TD made from it would hang without a
/// word.
enum class TdvfDiagnosis : std::uint8_t {
  VariablesHalf,      ///< OVMF_VARS: a variable store and no code
  CodeHalf,           ///< OVMF_CODE: code that wants flash with variables below it
  NoMetadata,         ///< a whole image, or no firmware at all, without TDVF metadata
  MetadataDisagrees,  ///< metadata that says something else than the file: truncated, padded, patched
};
/// Of an image for which parse_tdvf() failed. Any bytes.
TdvfDiagnosis diagnose_tdvf(std::span<const std::byte> image);

/// One page range in the order the launch adds it.
struct TdPageRange {
  GpaRange memory;
  bool measured = false;
  /// Content of the first content.size() bytes, zeros after. Refers into the image or the HOB buffer.
  std::span<const std::byte> content;
};

/// The list that both the launch and the measurement use. `hob` is the TD HOB's content (unmeasured).
std::vector<TdPageRange> td_page_list(const Tdvf& tdvf, std::span<const std::byte> hob);

/// In which order a host measures the pages of a range.
enum class MrtdOrder : std::uint8_t {
  SinglePass,  ///< a page, then its 16 chunks: upstream KVM (Linux 6.16 and later), and this monitor's launch
  TwoPass,     ///< all pages, then all chunks: KVM's TDX patches of 2023 (version 19) with QEMU 8.2
};

/// SHA-384 over TDH.MEM.PAGE.ADD and TDH.MR.EXTEND blocks (TDX Module Base Spec, "TD Measurement").
Result<Measurement> predict_mrtd(std::span<const TdPageRange> pages, MrtdOrder order = MrtdOrder::SinglePass);

}  // namespace virttdx
