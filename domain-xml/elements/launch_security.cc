// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

using QuoteGenerationService = LaunchSecurity::QuoteGenerationService;

struct TdxType {
  static Result<std::string> decode(std::string_view text) {
    if (text == "tdx") return std::string(text);
    return fail(Error::Code::ConfigUnsupported, "this driver runs trust domains only; expected 'tdx'");
  }
  static std::string encode(const std::string& value) { return value; }
};

struct LaunchSecurityDocument : LaunchSecurity {
  std::string type = "tdx";
};

constexpr std::array kTable = {
    property<&LaunchSecurityDocument::type, TdxType>("@type", {.required = true}),
    property<&LaunchSecurity::policy, HexNumber, LaunchSecurityDocument>("policy"),
    property<&LaunchSecurity::mr_config_id, DigestText, LaunchSecurityDocument>("mrConfigId"),
    property<&LaunchSecurity::mr_owner, DigestText, LaunchSecurityDocument>("mrOwner"),
    property<&LaunchSecurity::mr_owner_config, DigestText, LaunchSecurityDocument>("mrOwnerConfig"),
};
constexpr std::array kQuoteTable = {property<&QuoteGenerationService::path, AbsolutePath>("@path")};
// Its name in libvirt, and in patches before that, which Nova's specification of TDX took over.
constexpr auto kQuoteName = "quoteGenerationService", kOldQuoteName = "quoteGenerationSocket";
constexpr std::array kChildren = {ChildRule{kQuoteName}, ChildRule{kOldQuoteName}};

// Before the children: those of another type would only be unknown elements.
Result<> check_type(const Place& place) {
  const auto* type = place.element.attribute("type");
  if (type == nullptr) return tl::unexpected<Error>(missing_value(place, "@type"));
  const auto tdx = TdxType::decode(type->value);
  if (!tdx) return tl::unexpected<Error>(invalid_value(place, "@type", type->value, tdx.error()));
  return {};
}

Result<> read_quote_service(const Place& place, std::optional<QuoteGenerationService>& service) {
  const auto* element = place.element.child(kQuoteName);
  const auto* older = place.element.child(kOldQuoteName);
  if (element != nullptr && older != nullptr)
    return fail_at(*older, Error::Code::XmlInvalid,
                   "'{}' has '{}' and '{}', an older name of the same; remove the latter", place.path,
                   kQuoteName, kOldQuoteName);
  if (element == nullptr) element = older;
  if (element == nullptr) return {};
  service.emplace();
  return read_properties(place.child(*element), kQuoteTable, *service);
}

}  // namespace

Result<LaunchSecurity> read_launch_security(const Place& place) {
  TRY(check_type(place));
  LaunchSecurityDocument security;
  TRY(read_properties(place, kTable, security, kChildren));
  TRY(read_quote_service(place, security.quote_generation_service));
  return security;
}

void write_launch_security(xml::Element& parent, const LaunchSecurity& security,
                           const WriteContext& context) {
  auto& element = parent.add_child("launchSecurity");
  write_properties(element, kTable, LaunchSecurityDocument{security}, context);
  if (const auto& quote = security.quote_generation_service)
    write_properties(element.add_child(kQuoteName), kQuoteTable, *quote, context);
}

}  // namespace virttdx::domain_xml
