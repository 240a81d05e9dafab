// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <QString>
#include <string>

#include "support/result.h"

namespace virttdx::tools {

/// The definition that `domain` names: the content of a file (it has a '/' or ends in .xml), else the
/// inactive XML of the domain of this name, of the libvirt connection `uri`. Errors: NotFound, those of
/// reading a file, System with libvirt's own message.
Result<std::string> domain_xml_from(const QString& domain, const QString& uri);

/// Whether `argument` of a command that takes a file or a domain is a file that is no definition: a path, or
/// a name that a file has, which does not end in .xml.
bool names_other_file(const QString& argument);

}  // namespace virttdx::tools
