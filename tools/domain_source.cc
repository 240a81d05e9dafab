// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_source.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <QFileInfo>

#include <cstdlib>
#include <memory>

#include "support/file.h"

namespace virttdx::tools {
namespace {

constexpr std::size_t kXmlMaximum = 16 << 20;  // as parse_domain() has it

struct Free {
  void operator()(virConnectPtr connection) const { virConnectClose(connection); }
  void operator()(virDomainPtr domain) const { virDomainFree(domain); }
  void operator()(char* text) const { std::free(text); }
};

tl::unexpected<Error> fail_by_libvirt(std::string_view operation) {
  const auto* error = virGetLastError();
  const bool missing = error != nullptr && error->code == VIR_ERR_NO_DOMAIN;
  return fail(missing ? Error::Code::NotFound : Error::Code::System, "{}: {}", operation,
              virGetLastErrorMessage());
}

Result<std::string> ask_libvirt(const std::string& name, const std::string& uri) {
  // libvirt prints errors of its own otherwise.
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  const std::unique_ptr<virConnect, Free> connection(virConnectOpenReadOnly(uri.c_str()));
  if (!connection) return fail_by_libvirt(fmt::format("cannot connect to '{}'", uri));
  const std::unique_ptr<virDomain, Free> domain(virDomainLookupByName(connection.get(), name.c_str()));
  if (!domain)
    return fail_by_libvirt(
        fmt::format("no domain '{}' at '{}' (a file's name ends in .xml or has a '/')", name, uri));
  const std::unique_ptr<char, Free> xml(virDomainGetXMLDesc(domain.get(), VIR_DOMAIN_XML_INACTIVE));
  if (!xml) return fail_by_libvirt(fmt::format("cannot read the definition of '{}'", name));
  return std::string(xml.get());
}

}  // namespace

Result<std::string> domain_xml_from(const QString& domain, const QString& uri) {
  if (domain.contains('/') || domain.endsWith(".xml"))
    return read_text_file(domain.toStdString(), kXmlMaximum);
  return ask_libvirt(domain.toStdString(), uri.toStdString());
}

bool names_other_file(const QString& argument) {
  return !argument.endsWith(".xml") && (argument.contains('/') || QFileInfo(argument).isFile());
}

}  // namespace virttdx::tools
