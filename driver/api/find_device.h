// SPDX-License-Identifier: GPL-2.0-or-later
// Devices as clients name them.
#pragma once

#include <string>
#include <string_view>

#include "domain/image_size.h"
#include "domain_xml/domain.h"
#include "support/result.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx::driver::api {

/// The path of a disk's file or block device; empty when it has neither.
std::string path_of(const domain_xml::Disk& disk);

/// Its image, if it has a path_of().
Image image_of(const domain_xml::Disk& disk);

/// By the name that the guest's bus gives it (vda) or the path of its image. Null: the domain has none such.
const domain_xml::Disk* find_disk(const domain_xml::Domain& domain, std::string_view path);

/// By MAC address or by its device on the host. InvalidArgument, in libvirt's words.
Result<const domain_xml::Interface*> find_interface(const domain_xml::Domain& domain, std::string_view name);

/// Null: the monitor tells nothing of it.
const DiskStatistics* statistics_of(const DeviceStatistics& all, const domain_xml::Disk& disk);
const InterfaceStatistics* statistics_of(const DeviceStatistics& all, const domain_xml::Interface& interface);

/// What a client sent, short enough for a message.
std::string_view shortened(const char* text);

}  // namespace virttdx::driver::api
