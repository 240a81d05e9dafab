// SPDX-License-Identifier: GPL-2.0-or-later
// Reads a TD HOB, the hand-off block list of any VMM, by the rules of the firmware that will read it.
// Sources: UEFI Platform Initialization Specification 1.8, volume 3, section 5 (blocks and their fields);
// edk2, OvmfPkg/Library/TdxHelperLib (what stops a TDVF).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "support/result.h"
#include "vmm_backend/gpa.h"
#include "vmm_backend/tdvf.h"

namespace virttdx {

/// What lies in the range of a resource descriptor. The values are the specification's.
enum class TdHobResourceType : std::uint32_t {
  SystemMemory = 0,
  MemoryMappedIo = 1,
  Io = 2,
  FirmwareDevice = 3,
  MemoryMappedIoPort = 4,
  MemoryReserved = 5,
  IoReserved = 6,
  UnacceptedMemory = 7,  ///< the firmware or the kernel accepts it before use
};
/// "system memory", "unaccepted memory" ...
std::string_view name_of(TdHobResourceType type);

struct TdHobResource {
  TdHobResourceType type = TdHobResourceType::SystemMemory;
  std::uint32_t attributes = 0;  ///< EFI_RESOURCE_ATTRIBUTE_*: 1 present, 2 initialized, 4 tested ...
  GpaRange range;                ///< of ports where the type is Io or IoReserved
  bool operator==(const TdHobResource&) const = default;
};

/// A block that describes no resource: GUID extensions (ACPI tables, payloads), firmware volumes, CPU.
struct TdHobBlock {
  std::string_view name;
  std::uint16_t size = 0;
  bool operator==(const TdHobBlock&) const = default;
};

struct TdHob {
  std::uint32_t boot_mode = 0;
  Gpa end_of_list;  ///< as the first block says: the list's own address and its size
  std::vector<TdHobResource> resources;
  std::vector<TdHobBlock> other_blocks;  ///< neither the first nor the last
  std::size_t size = 0;                  ///< bytes with the end-of-list block; what follows it is ignored
};

/// No TD HOB is larger: OVMF's section is 8 KiB, td-shim's 128 KiB.
inline constexpr std::size_t kTdHobMaximum = 1 << 20;

/// Any bytes. Refuses, with the block's number, offset, field and value, what a TDVF stops at without a word:
/// blocks that do not end, of a kind or length that it does not know, reserved fields; and what no list may
/// say: no hand-off block first or a second one, another version than 9, ranges that wrap or overlap,
/// unaccepted memory of part of a page. Error InvalidData.
Result<TdHob> parse_td_hob(std::span<const std::byte> list);

/// What OVMF extends RTMR0 with: SHA-384 of the list up to its end-of-list block. Errors: parse_td_hob()'s,
/// Internal (libcrypto).
Result<Measurement> td_hob_digest(std::span<const std::byte> list);

/// The list that the launch gives a TD of this configuration. Pure. Errors: InvalidArgument for a size of
/// memory that cannot be laid out, NoSpace when the list does not fit the firmware's section.
Result<std::vector<std::byte>> td_hob_of(const VmConfig& config, const Tdvf& tdvf);

}  // namespace virttdx
