// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>
#include <limits>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

struct Amount {
  std::optional<std::string> unit;
  std::string value;
};

constexpr std::array kAmountTable = {
    property<&Amount::unit, Text>("@unit"),
    property<&Amount::value, NonEmptyText>("."),
};

// libvirt's suffixes, compared without case: KB is 1000 bytes, K and KiB are 1024.
struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::uint64_t kKi = 1024;
constexpr std::uint64_t kK = 1000;
constexpr std::array kUnits = {
    Unit{"b", 1},
    Unit{"bytes", 1},
    Unit{"kb", kK},
    Unit{"k", kKi},
    Unit{"kib", kKi},
    Unit{"mb", kK* kK},
    Unit{"m", kKi* kKi},
    Unit{"mib", kKi* kKi},
    Unit{"gb", kK* kK* kK},
    Unit{"g", kKi* kKi* kKi},
    Unit{"gib", kKi* kKi* kKi},
    Unit{"tb", kK* kK* kK* kK},
    Unit{"t", kKi* kKi* kKi* kKi},
    Unit{"tib", kKi* kKi* kKi* kKi},
    Unit{"pb", kK* kK* kK* kK* kK},
    Unit{"p", kKi* kKi* kKi* kKi* kKi},
    Unit{"pib", kKi* kKi* kKi* kKi* kKi},
    Unit{"eb", kK* kK* kK* kK* kK* kK},
    Unit{"e", kKi* kKi* kKi* kKi* kKi* kKi},
    Unit{"eib", kKi* kKi* kKi* kKi* kKi* kKi},
};

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

Result<std::uint64_t> bytes_per(const std::string& unit) {
  const auto found = std::ranges::find(kUnits, lower(unit), &Unit::name);
  if (found == kUnits.end())
    return fail(Error::Code::XmlInvalid,
                "expected a unit: bytes, KB, KiB, MB, MiB, GB, GiB, TB, TiB, PB, PiB, EB, EiB");
  return found->bytes;
}

}  // namespace

Result<std::uint64_t> scaled_kib(std::string_view amount, const std::optional<std::string>& unit) {
  const auto factor = TRY(bytes_per(unit.value_or("KiB")));
  const auto count = SignedNumber::decode(amount);
  // libvirt's own limit: sizes in bytes are signed 64-bit numbers.
  constexpr auto kMaximum = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!count || *count < 0 || static_cast<std::uint64_t>(*count) > kMaximum / factor)
    return fail(Error::Code::XmlInvalid, "expected a size below 8 EiB");
  return (static_cast<std::uint64_t>(*count) * factor + kKi - 1) / kKi;
}

Result<std::uint64_t> read_memory(const Place& place) {
  Amount amount;
  TRY(read_properties(place, kAmountTable, amount));
  if (amount.unit)
    if (const auto known = bytes_per(*amount.unit); !known)
      return tl::unexpected<Error>(invalid_value(place, "@unit", *amount.unit, known.error()));
  const auto kib = scaled_kib(amount.value, amount.unit);
  if (!kib) return tl::unexpected<Error>(invalid_value(place, ".", amount.value, kib.error()));
  return *kib;
}

void write_memory(xml::Element& parent, std::string_view name, std::uint64_t kib) {
  auto& element = parent.add_child(name);
  write_properties(element, kAmountTable, Amount{"KiB", std::to_string(kib)}, {});
}

}  // namespace virttdx::domain_xml
