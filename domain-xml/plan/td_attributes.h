// SPDX-License-Identifier: GPL-2.0-or-later
// ATTRIBUTES of a TD: every bit by name, who may set it, and what is said when it cannot be had.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "plan/planning.h"

namespace virttdx::domain_xml {

/// Intel TDX Module ABI Specification, ATTRIBUTES.
enum class TdAttributeClass : std::uint8_t {
  UnderDebug,      ///< TUD: the TD is not trusted with it
  UnderProfiling,  ///< TUP
  Security,        ///< SEC: in the TD's report, harmless
  Other,
};
struct TdAttribute {
  unsigned bit = 0;
  std::string_view name;
  TdAttributeClass attribute_class = TdAttributeClass::Other;
  bool module_allows = false;  ///< settable with module 1.5, where the hardware has it
  bool honoured = false;       ///< nothing that virttdx does or lacks is in its way
};
/// In the order of the bits; bits that are not there are reserved.
std::span<const TdAttribute> td_attributes();
/// Null for a reserved bit.
const TdAttribute* find_td_attribute(unsigned bit);

/// Who asked for an attribute.
struct AttributeRequest {
  std::string what;  ///< "launchSecurity policy 0x40000000"
  std::string xml_path;
  int line = 0;
  Severity severity = Severity::Error;  ///< when it cannot be had
};
/// Nothing when a TD can have the attribute here. Else adds a finding of one of three kinds: the module does
/// not know or allow it, KVM does not offer it, virttdx cannot honour it.
bool check_td_attribute(Planning& planning, unsigned bit, const AttributeRequest& request);

/// ATTRIBUTES bit that a CPU feature stands for: pks, kl, lass.
std::optional<unsigned> attribute_of_feature(std::string_view feature);

}  // namespace virttdx::domain_xml
