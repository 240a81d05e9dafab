// SPDX-License-Identifier: GPL-2.0-or-later
// Reader and writer of each element that has a file of its own. A writer appends the element to its parent.
#pragma once

#include "domain_xml/domain.h"
#include "elements/property_table.h"

namespace virttdx::domain_xml {

Result<Domain> read_domain(const Place& place);
xml::Element write_domain(const Domain& domain, const WriteContext& context);

Result<std::vector<Domain::Metadata>> read_metadata(const Place& place);
void write_metadata(xml::Element& parent, const std::vector<Domain::Metadata>& metadata);

/// `<memory>` and `<currentMemory>`: any unit of libvirt, rounded up to KiB.
Result<std::uint64_t> read_memory(const Place& place);
void write_memory(xml::Element& parent, std::string_view name, std::uint64_t kib);

Result<Os> read_os(const Place& place);
void write_os(xml::Element& parent, const Os& os, const WriteContext& context);

Result<Loader> read_loader(const Place& place);
void write_loader(xml::Element& parent, const Loader& loader, const WriteContext& context);

Result<Nvram> read_nvram(const Place& place);
void write_nvram(xml::Element& parent, const Nvram& nvram, const WriteContext& context);

Result<Features> read_features(const Place& place);
void write_features(xml::Element& parent, const Features& features, const WriteContext& context);

Result<Cpu> read_cpu(const Place& place);
void write_cpu(xml::Element& parent, const Cpu& cpu, const WriteContext& context);

Result<Clock> read_clock(const Place& place);
void write_clock(xml::Element& parent, const Clock& clock, const WriteContext& context);

Result<Devices> read_devices(const Place& place);
void write_devices(xml::Element& parent, const Devices& devices, const WriteContext& context);

Result<CharacterDevice> read_serial(const Place& place);
void write_serial(xml::Element& parent, const CharacterDevice& serial, const WriteContext& context);

Result<CharacterDevice> read_console(const Place& place);
void write_console(xml::Element& parent, const CharacterDevice& console, const WriteContext& context);

/// A device that is accepted because it changes nothing in a TD; others of that element are refused.
Result<InertDevice> read_inert_device(const Place& place);
bool is_inert_device(std::string_view element);
/// Whether libvirt writes devices of this element before `<serial>` (controllers) or after the consoles.
bool comes_before_serials(std::string_view element);
/// Puts inert devices into the order in which libvirt writes their elements.
void sort_inert_devices(std::vector<InertDevice>& devices);
void write_inert_device(xml::Element& parent, const InertDevice& device);

Result<LaunchSecurity> read_launch_security(const Place& place);
void write_launch_security(xml::Element& parent, const LaunchSecurity& security, const WriteContext& context);

}  // namespace virttdx::domain_xml
