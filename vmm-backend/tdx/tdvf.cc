// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/tdvf.h"

#include <algorithm>
#include <array>
#include <utility>

#include "support/byte_order.h"
#include "support/file.h"
#include "tdx/tdvf_spec.h"

namespace virttdx {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::array<std::string_view, 4> kTypeNames = {"BFV", "CFV", "TD_HOB", "TEMP_MEM"};
constexpr const char* kRemedy =
    "use a combined TDX-capable image, such as /usr/share/ovmf/OVMF.fd of Debian's ovmf";
/// TDVF starts in 32-bit mode: all of its own memory is below 4 GiB.
constexpr std::uint64_t kAddressLimit = 1ULL << 32;

bool is_firmware_volume(TdvfSectionType type) {
  return type == TdvfSectionType::Bfv || type == TdvfSectionType::Cfv;
}

bool has_guid(Bytes image, std::size_t offset, const Guid& guid) {
  return std::ranges::equal(image.subspan(offset, guid.size()), guid);
}

Result<> check_image_size(std::size_t size) {
  if (size < kPageSize || size % kPageSize != 0)
    return fail(Error::Code::InvalidData,
                "firmware image has {} bytes, not a multiple of 4096: it is truncated or no firmware; {}",
                size, kRemedy);
  if (size > kTdvfMaximumSize)
    return fail(Error::Code::InvalidData, "firmware image has {} bytes, more than the {} allowed; {}", size,
                kTdvfMaximumSize, kRemedy);
  return {};
}

/// The part of the table before its footer entry.
Result<Bytes> find_guid_table(Bytes image) {
  const std::size_t end = image.size() - kTableEndFromImageEnd;
  const std::size_t footer = end - kTableEntryOverhead;
  if (!has_guid(image, end - sizeof(Guid), kTableFooterGuid))
    return fail(Error::Code::InvalidData,
                "firmware image has no GUID table 48 bytes before its end, so no TDVF metadata: it "
                "is not a TDX firmware; {}",
                kRemedy);
  const auto length = load_le<std::uint16_t>(image, footer);
  if (length < kTableEntryOverhead || length > end)
    return fail(Error::Code::InvalidData,
                "firmware image's GUID table has a length of {} bytes, outside of 18..{}", length, end);
  return image.subspan(end - length, length - kTableEntryOverhead);
}

/// The data of the table's TDX entry: the descriptor's distance from the image's end.
Result<std::uint32_t> find_metadata_offset(Bytes table) {
  while (table.size() >= kTableEntryOverhead) {
    const std::size_t header = table.size() - kTableEntryOverhead;
    const auto length = load_le<std::uint16_t>(table, header);
    if (length < kTableEntryOverhead || length > table.size())
      return fail(Error::Code::InvalidData,
                  "firmware image's GUID table has an entry with a length of {} bytes, outside of 18..{}",
                  length, table.size());
    if (has_guid(table, header + 2, kTdxMetadataOffsetGuid)) {
      if (length != kTableEntryOverhead + sizeof(std::uint32_t))
        return fail(Error::Code::InvalidData,
                    "firmware image's TDX metadata entry has {} bytes instead of 22", length);
      return load_le<std::uint32_t>(table, table.size() - length);
    }
    table = table.first(table.size() - length);
  }
  return fail(Error::Code::InvalidData,
              "firmware image has a GUID table without a TDX metadata entry: it was built without TDX; {}",
              kRemedy);
}

/// The section table behind the descriptor, whole sections only.
Result<Bytes> find_sections(Bytes image, std::uint32_t offset_from_end) {
  if (offset_from_end < kTdvfDescriptorSize || offset_from_end > image.size() - sizeof(Guid))
    return fail(Error::Code::InvalidData,
                "TDVF descriptor is {:#x} bytes before the end of an image of {:#x} bytes", offset_from_end,
                image.size());
  const std::size_t at = image.size() - offset_from_end;
  const Bytes descriptor = image.subspan(at);
  if (!has_guid(image, at - sizeof(Guid), kTdvfGuardGuid))
    return fail(Error::Code::InvalidData, "TDVF descriptor at {:#x} has no TDVF GUID before it; {}", at,
                kRemedy);
  const auto signature = load_le<std::uint32_t>(descriptor, kDescriptorSignature);
  if (signature != kTdvfSignature)
    return fail(Error::Code::InvalidData, "TDVF descriptor at {:#x} has signature {:#x} instead of \"TDVF\"",
                at, signature);
  const auto version = load_le<std::uint32_t>(descriptor, kDescriptorVersion);
  if (version != kTdvfVersion)
    return fail(Error::Code::InvalidData, "TDVF descriptor has version {}; only version 1 is known", version);
  const auto length = load_le<std::uint32_t>(descriptor, kDescriptorLength);
  const auto count = load_le<std::uint32_t>(descriptor, kDescriptorSectionCount);
  if (length != kTdvfDescriptorSize + std::uint64_t{kTdvfSectionSize} * count)
    return fail(Error::Code::InvalidData,
                "TDVF descriptor has length {}, which is not 16 + 32 for each of its {} sections", length,
                count);
  if (length > descriptor.size())
    return fail(Error::Code::InvalidData, "TDVF descriptor with {} sections reaches beyond the image's end",
                count);
  return descriptor.subspan(kTdvfDescriptorSize, length - kTdvfDescriptorSize);
}

tl::unexpected<Error> section_error(std::size_t number, TdvfSectionType type, const std::string& what) {
  return fail(Error::Code::InvalidData, "TDVF section {} ({}): {}", number, name_of(type), what);
}

Result<GpaRange> read_section_memory(Bytes bytes, std::size_t number, TdvfSectionType type) {
  const auto address = load_le<std::uint64_t>(bytes, kSectionMemoryAddress);
  const auto size = load_le<std::uint64_t>(bytes, kSectionMemoryDataSize);
  const auto memory = GpaRange::create({address}, size);
  if (!memory || memory->end().value > kAddressLimit)
    return section_error(number, type, fmt::format("memory {:#x}+{:#x} reaches beyond 4 GiB", address, size));
  if (!memory->is_page_aligned())
    return section_error(number, type,
                         fmt::format("memory {:#x}+{:#x} is not aligned to 4096", address, size));
  if (size == 0) return section_error(number, type, fmt::format("memory size at {:#x} is 0", address));
  return *memory;
}

Result<> check_section_data(const TdvfSection& section, std::size_t number, std::size_t image_size) {
  if (!is_firmware_volume(section.type)) {
    if (section.raw_size != 0 || section.data_offset != 0)
      return section_error(
          number, section.type,
          fmt::format("data {:#x}+{:#x} where none is allowed", section.data_offset, section.raw_size));
    return {};
  }
  if (section.raw_size == 0) return section_error(number, section.type, "raw data size is 0");
  if (section.raw_size > section.memory.size())
    return section_error(number, section.type,
                         fmt::format("raw data size {:#x} is larger than memory size {:#x}", section.raw_size,
                                     section.memory.size()));
  if (std::uint64_t{section.data_offset} + section.raw_size > image_size)
    return section_error(
        number, section.type,
        fmt::format("data {:#x}+{:#x} reaches beyond the image's {:#x} bytes: the image is truncated or "
                    "split (OVMF_CODE); {}",
                    section.data_offset, section.raw_size, image_size, kRemedy));
  return {};
}

Result<TdvfSection> read_section(Bytes bytes, std::size_t number, std::size_t image_size) {
  const auto type = load_le<std::uint32_t>(bytes, kSectionType);
  if (type >= kTypeNames.size())
    return fail(Error::Code::InvalidData,
                "TDVF section {}: type {} is not one of BFV 0, CFV 1, TD_HOB 2, TEMP_MEM 3", number, type);
  TdvfSection section;
  section.type = static_cast<TdvfSectionType>(type);
  section.data_offset = load_le<std::uint32_t>(bytes, kSectionDataOffset);
  section.raw_size = load_le<std::uint32_t>(bytes, kSectionRawDataSize);
  section.memory = TRY(read_section_memory(bytes, number, section.type));
  const auto attributes = load_le<std::uint32_t>(bytes, kSectionAttributes);
  if ((attributes & ~kSectionMrExtend) != 0)
    return section_error(number, section.type,
                         fmt::format("attributes {:#x} have bits other than MR.EXTEND (bit 0)", attributes));
  section.measured = attributes != 0;
  if (section.measured && section.type == TdvfSectionType::TdHob)
    return section_error(number, section.type, "MR.EXTEND would make MRTD depend on the memory size");
  TRY(check_section_data(section, number, image_size));
  return section;
}

bool data_overlaps(const TdvfSection& a, const TdvfSection& b) {
  return std::uint64_t{a.data_offset} < std::uint64_t{b.data_offset} + b.raw_size &&
         std::uint64_t{b.data_offset} < std::uint64_t{a.data_offset} + a.raw_size;
}

Result<> check_overlap(std::span<const TdvfSection> sections, std::size_t number) {
  const TdvfSection& section = sections[number];
  for (std::size_t other = 0; other < number; ++other) {
    if (section.memory.overlaps(sections[other].memory))
      return section_error(number, section.type,
                           fmt::format("memory {:#x}+{:#x} overlaps section {}", section.memory.base().value,
                                       section.memory.size(), other));
    if (is_firmware_volume(section.type) && is_firmware_volume(sections[other].type) &&
        data_overlaps(section, sections[other]))
      return section_error(
          number, section.type,
          fmt::format("data {:#x}+{:#x} overlaps section {}", section.data_offset, section.raw_size, other));
  }
  return {};
}

Result<> check_together(std::span<const TdvfSection> sections, std::size_t image_size) {
  std::array<std::size_t, kTypeNames.size()> count{};
  std::uint64_t firmware_bytes = 0;
  for (std::size_t number = 0; number < sections.size(); ++number) {
    ++count.at(static_cast<std::size_t>(sections[number].type));
    firmware_bytes += sections[number].raw_size;
    TRY(check_overlap(sections, number));
  }
  const auto count_of = [&](TdvfSectionType type) { return count.at(static_cast<std::size_t>(type)); };
  if (count_of(TdvfSectionType::TdHob) != 1)
    return fail(Error::Code::InvalidData, "TDVF metadata has {} TD_HOB sections instead of 1",
                count_of(TdvfSectionType::TdHob));
  if (count_of(TdvfSectionType::Bfv) == 0)
    return fail(Error::Code::InvalidData, "TDVF metadata has no BFV section");
  if (firmware_bytes != image_size)
    return fail(Error::Code::InvalidData,
                "TDVF firmware volumes have {:#x} bytes together, the image {:#x}: it is truncated, "
                "split (OVMF_CODE) or padded; {}",
                firmware_bytes, image_size, kRemedy);
  return {};
}

/// More sections than could be without overlap make no sense; the bound also keeps check_overlap short.
constexpr std::size_t kMaximumSections = 64;

}  // namespace

std::string_view name_of(TdvfSectionType type) { return kTypeNames.at(static_cast<std::size_t>(type)); }

const TdvfSection& Tdvf::td_hob() const {
  const auto found = std::ranges::find(sections, TdvfSectionType::TdHob, &TdvfSection::type);
  CHECK(found != sections.end());
  return *found;
}

Result<Tdvf> parse_tdvf(std::vector<std::byte> image) {
  TRY(check_image_size(image.size()));
  const Bytes table = TRY(find_guid_table(image));
  const Bytes bytes = TRY(find_sections(image, TRY(find_metadata_offset(table))));
  const std::size_t count = bytes.size() / kTdvfSectionSize;
  if (count > kMaximumSections)
    return fail(Error::Code::InvalidData, "TDVF metadata has {} sections, more than the {} allowed", count,
                kMaximumSections);
  Tdvf tdvf;
  for (std::size_t number = 0; number < count; ++number)
    tdvf.sections.push_back(
        TRY(read_section(bytes.subspan(number * kTdvfSectionSize, kTdvfSectionSize), number, image.size())));
  TRY(check_together(tdvf.sections, image.size()));
  tdvf.image = std::move(image);
  return tdvf;
}

Result<Tdvf> load_tdvf(const std::filesystem::path& path) {
  auto image = TRY(read_file(path, kTdvfMaximumSize));
  auto tdvf = parse_tdvf(std::move(image));
  if (!tdvf) return tl::unexpected<Error>(std::move(tdvf).error().with_context(path.string()));
  return tdvf;
}

}  // namespace virttdx
