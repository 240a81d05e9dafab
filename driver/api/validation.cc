// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/validation.h"

#include <libvirt/virterror.h>

#include <filesystem>

#include "domain_xml/schema.h"

namespace virttdx::driver::api {
namespace {

// The build tree's, beside this daemon's folder, else the installed one.
std::filesystem::path domain_schema() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  auto built = self.parent_path().parent_path() / "schemas" / "domain.rng";
  if (!self.empty() && std::filesystem::exists(built, error)) return built;
  return VIRTTDX_DATADIR "/virttdx/schemas/domain.rng";
}

WireResult<> answer(const Result<>& valid) {
  if (valid) return {};
  WireError error(valid.error());
  if (valid.error().code() != Error::Code::XmlInvalid) return tl::unexpected(std::move(error));
  constexpr std::string_view kWords = "XML document failed to validate against schema";
  error.code = VIR_ERR_XML_INVALID_SCHEMA;
  error.domain = VIR_FROM_XML;
  error.message = fmt::format("{}: {}", kWords, valid.error().message());
  error.format = fmt::format("{}: %s", kWords);
  return tl::unexpected(std::move(error));
}

}  // namespace

WireResult<> validate_domain_xml(std::string_view xml, bool wanted) {
  return wanted ? answer(domain_xml::validate_domain(xml, domain_schema())) : WireResult<>();
}

WireResult<> validate_cpu_xml(std::string_view xml, bool wanted) {
  return wanted ? answer(domain_xml::validate_xml(xml, domain_xml::kCpuSchemaPath)) : WireResult<>();
}

}  // namespace virttdx::driver::api
