// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/cc_event_log.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "support/byte_order.h"
#include "tdx/sha384.h"

namespace virttdx {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint32_t kNoAction = 3;
constexpr std::uint16_t kSha384Id = 0x000C;  // TPM_ALG_SHA384
constexpr std::size_t kSha1Size = 20;
constexpr std::uint32_t kRtmrCount = 4, kAlgorithmsMaximum = 16;
constexpr std::string_view kSignature("Spec ID Event03\0", 16);
// In TCG_EfiSpecIdEvent.
constexpr std::size_t kAlgorithmCountOffset = 24;
constexpr std::size_t kTextMaximum = 80;

struct TypeName {
  std::uint32_t type;
  const char* name;
};
constexpr std::array kTypeNames = {
    TypeName{0x1, "EV_POST_CODE"},
    TypeName{0x3, "EV_NO_ACTION"},
    TypeName{0x4, "EV_SEPARATOR"},
    TypeName{0x5, "EV_ACTION"},
    TypeName{0x6, "EV_EVENT_TAG"},
    TypeName{0x7, "EV_S_CRTM_CONTENTS"},
    TypeName{0x8, "EV_S_CRTM_VERSION"},
    TypeName{0xA, "EV_PLATFORM_CONFIG_FLAGS"},
    TypeName{0xB, "EV_TABLE_OF_DEVICES"},
    TypeName{0xC, "EV_COMPACT_HASH"},
    TypeName{0xD, "EV_IPL"},
    TypeName{0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
    TypeName{0x80000002, "EV_EFI_VARIABLE_BOOT"},
    TypeName{0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION"},
    TypeName{0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER"},
    TypeName{0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
    TypeName{0x80000006, "EV_EFI_GPT_EVENT"},
    TypeName{0x80000007, "EV_EFI_ACTION"},
    TypeName{0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
    TypeName{0x80000009, "EV_EFI_HANDOFF_TABLES"},
    TypeName{0x8000000A, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
    TypeName{0x8000000B, "EV_EFI_HANDOFF_TABLES2"},
    TypeName{0x8000000C, "EV_EFI_VARIABLE_BOOT2"},
    TypeName{0x800000E0, "EV_EFI_VARIABLE_AUTHORITY"},
};

std::string name_of(std::uint32_t type) {
  const auto found = std::find_if(kTypeNames.begin(), kTypeNames.end(),
                                  [type](const TypeName& row) { return row.type == type; });
  return found == kTypeNames.end() ? fmt::format("event type {:#x}", type) : found->name;
}

/// Takes fields one after the other; a log is anybody's bytes.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}

  std::size_t offset() const { return offset_; }
  std::size_t left() const { return bytes_.size() - offset_; }
  Bytes rest() const { return bytes_.subspan(offset_); }

  template <typename T>
  Result<T> number(std::string_view what) {
    const auto bytes = TRY(take(sizeof(T), what));
    return load_le<T>(bytes, 0);
  }
  Result<Bytes> take(std::size_t size, std::string_view what) {
    if (size > left())
      return fail(Error::Code::InvalidData, "event log, offset {:#x}: {} of {} bytes, of which {} are there",
                  offset_, what, size, left());
    const auto bytes = bytes_.subspan(offset_, size);
    offset_ += size;
    return bytes;
  }

 private:
  Bytes bytes_;
  std::size_t offset_ = 0;
};

struct Algorithm {
  std::uint16_t id = 0, digest_size = 0;
};

// TCG_PCR_EVENT with TCG_EfiSpecIdEvent: the digests' sizes for the events
// behind it.
Result<std::vector<Algorithm>> read_header(Cursor& log) {
  TRY(log.take(4, "register of the header"));
  const auto type = TRY(log.number<std::uint32_t>("type of the header"));
  TRY(log.take(kSha1Size, "digest of the header"));
  const auto size = TRY(log.number<std::uint32_t>("size of the header"));
  Cursor header(TRY(log.take(size, "header")));
  const auto signature = TRY(header.take(kSignature.size(), "signature"));
  const bool is_signed = std::equal(signature.begin(), signature.end(), kSignature.begin(),
                                    [](std::byte a, char b) { return a == static_cast<std::byte>(b); });
  if (type != kNoAction || !is_signed)
    return fail(Error::Code::InvalidData,
                "not an event log: it does not begin with \"Spec ID Event03\"; copy "
                "/sys/firmware/acpi/tables/data/CCEL of the running TD");
  TRY(header.take(kAlgorithmCountOffset - kSignature.size(), "platform class and version"));
  const auto count = TRY(header.number<std::uint32_t>("number of algorithms"));
  if (count == 0 || count > kAlgorithmsMaximum)
    return fail(Error::Code::InvalidData, "event log: {} digest algorithms instead of 1 to {}", count,
                kAlgorithmsMaximum);
  std::vector<Algorithm> algorithms(count);
  for (Algorithm& algorithm : algorithms) {
    algorithm.id = TRY(header.number<std::uint16_t>("algorithm"));
    algorithm.digest_size = TRY(header.number<std::uint16_t>("digest size"));
  }
  return algorithms;
}

std::string printable_text(Bytes bytes, std::size_t stride) {
  std::string text;
  for (std::size_t i = 0; i + stride <= bytes.size() && text.size() < kTextMaximum; i += stride) {
    const auto letter = static_cast<char>(bytes[i]);
    if (letter == '\0') break;
    text += letter >= ' ' && letter <= '~' ? letter : '?';
  }
  return text;
}

// UEFI_VARIABLE_DATA: GUID, number of characters of the name, size of the
// content, name in UTF-16.
std::string variable_name(Bytes data) {
  constexpr std::size_t kNameLength = 16, kName = 32, kCharacter = 2;
  if (data.size() < kName) return "variable";
  const auto length = load_le<std::uint64_t>(data, kNameLength);
  const auto there = (data.size() - kName) / kCharacter;
  const auto name =
      data.subspan(kName, kCharacter * static_cast<std::size_t>(std::min<std::uint64_t>(length, there)));
  return "variable " + printable_text(name, kCharacter);
}

// UEFI_PLATFORM_FIRMWARE_BLOB2 and UEFI_HANDOFF_TABLE_POINTERS2 begin with a
// text and its length.
std::string described(Bytes data) {
  if (data.empty()) return "";
  const auto size = std::min<std::size_t>(std::to_integer<std::size_t>(data[0]), data.size() - 1);
  return printable_text(data.subspan(1, size), 1);
}

std::string covered_by(std::uint32_t type, Bytes data) {
  switch (type) {
    case 0x80000001:
    case 0x80000002:
    case 0x8000000C:
    case 0x800000E0:
      return variable_name(data);
    case 0x8000000A:
    case 0x8000000B:
      return described(data);
    case 0x4:
      return "end of the firmware's own measurements";
    case 0x1:
    case 0x5:
    case 0xA:
    case 0xD:
    case 0x80000007:
      return printable_text(data, 1);
    case 0x80000003:
      return "boot application";
    case 0x80000006:
      return "partition table of the boot disk";
    default:
      return "";
  }
}

Result<std::optional<Measurement>> read_digests(Cursor& log, std::span<const Algorithm> algorithms) {
  const auto count = TRY(log.number<std::uint32_t>("number of digests"));
  std::optional<Measurement> sha384;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto id = TRY(log.number<std::uint16_t>("digest algorithm"));
    const auto known = std::find_if(algorithms.begin(), algorithms.end(),
                                    [id](const Algorithm& algorithm) { return algorithm.id == id; });
    if (known == algorithms.end())
      return fail(Error::Code::InvalidData,
                  "event log, offset {:#x}: digest algorithm {:#x} is not in "
                  "the header",
                  log.offset(), id);
    const auto digest = TRY(log.take(known->digest_size, "digest"));
    if (id != kSha384Id || digest.size() != sizeof(Measurement)) continue;
    std::copy(digest.begin(), digest.end(), sha384.emplace().begin());
  }
  return sha384;
}

bool is_end(const Cursor& log) {
  constexpr std::size_t kNumber = 4, kTypeOffset = 4;
  if (log.left() < kTypeOffset + kNumber) return true;
  const auto index = load_le<std::uint32_t>(log.rest(), 0),
             type = load_le<std::uint32_t>(log.rest(), kTypeOffset);
  return (index == 0 && type == 0) || index == 0xFFFFFFFF;
}

// TCG_PCR_EVENT2. Nothing for what extends no RTMR.
Result<std::optional<CcEvent>> read_event(Cursor& log, std::span<const Algorithm> algorithms) {
  const std::size_t begin = log.offset();
  const auto index = TRY(log.number<std::uint32_t>("register"));
  const auto type = TRY(log.number<std::uint32_t>("event type"));
  const auto digest = TRY(read_digests(log, algorithms));
  const auto size = TRY(log.number<std::uint32_t>("event size"));
  const auto data = TRY(log.take(size, "event"));
  if (index > kRtmrCount)
    return fail(Error::Code::InvalidData,
                "event log, offset {:#x}: register {} is none of a TD (0 MRTD, "
                "1 to 4 RTMRs)",
                begin, index);
  if (type == kNoAction || index == 0) return std::optional<CcEvent>();
  if (!digest)
    return fail(Error::Code::InvalidData, "event log, offset {:#x}: the event has no SHA-384 digest", begin);
  return std::optional(CcEvent{.rtmr = index - 1,
                               .type = type,
                               .type_name = name_of(type),
                               .digest = *digest,
                               .covers = covered_by(type, data)});
}

}  // namespace

Result<std::vector<CcEvent>> parse_cc_event_log(std::span<const std::byte> bytes) {
  if (bytes.size() > kCcEventLogMaximum)
    return fail(Error::Code::InvalidData, "event log of {} bytes, at most {} are read", bytes.size(),
                kCcEventLogMaximum);
  Cursor log(bytes);
  const auto algorithms = TRY(read_header(log));
  std::vector<CcEvent> events;
  while (!is_end(log))
    if (auto event = TRY(read_event(log, algorithms))) events.push_back(*std::move(event));
  return events;
}

Result<std::array<Measurement, 4>> replay_cc_events(std::span<const CcEvent> events) {
  std::array<Measurement, kRtmrCount> rtmrs{};
  for (const CcEvent& event : events) {
    Measurement& rtmr = rtmrs.at(event.rtmr);
    Sha384 sha384;
    sha384.add(rtmr);
    sha384.add(event.digest);
    rtmr = TRY(sha384.finish());
  }
  return rtmrs;
}

}  // namespace virttdx
