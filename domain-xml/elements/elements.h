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

/// An amount in any unit of libvirt ("KiB" when absent), rounded up to KiB. Errors say what would have been
/// right.
Result<std::uint64_t> scaled_kib(std::string_view amount, const std::optional<std::string>& unit);

/// `<memory>` and `<currentMemory>`: any unit of libvirt, rounded up to KiB.
Result<std::uint64_t> read_memory(const Place& place);
void write_memory(xml::Element& parent, std::string_view name, std::uint64_t kib);

Result<CpuTune> read_cpu_tune(const Place& place);
void write_cpu_tune(xml::Element& parent, const CpuTune& tune, const WriteContext& context);
Result<MemoryTune> read_memory_tune(const Place& place);
void write_memory_tune(xml::Element& parent, const MemoryTune& tune);
Result<BlkioTune> read_blkio_tune(const Place& place);
void write_blkio_tune(xml::Element& parent, const BlkioTune& tune, const WriteContext& context);
Result<NumaTune> read_numa_tune(const Place& place);
void write_numa_tune(xml::Element& parent, const NumaTune& tune, const WriteContext& context);

Result<Os> read_os(const Place& place);
void write_os(xml::Element& parent, const Os& os, const WriteContext& context);

Result<std::vector<FirmwareFeature>> read_firmware_features(const Place& place);
/// Nothing when there are none.
void write_firmware_features(xml::Element& parent, const std::vector<FirmwareFeature>& features,
                             const WriteContext& context);
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

Result<Disk> read_disk(const Place& place);
void write_disk(xml::Element& parent, const Disk& disk, const WriteContext& context);

Result<Controller> read_controller(const Place& place);
void write_controller(xml::Element& parent, const Controller& controller, const WriteContext& context);

Result<Interface> read_interface(const Place& place);
void write_interface(xml::Element& parent, const Interface& interface, const WriteContext& context);

Result<CharacterDevice> read_serial(const Place& place);
void write_serial(xml::Element& parent, const CharacterDevice& serial, const WriteContext& context);

Result<CharacterDevice> read_console(const Place& place);
void write_console(xml::Element& parent, const CharacterDevice& console, const WriteContext& context);

Result<CharacterDevice> read_channel(const Place& place);
void write_channel(xml::Element& parent, const CharacterDevice& channel, const WriteContext& context);

Result<MemoryBalloon> read_memballoon(const Place& place);
void write_memballoon(xml::Element& parent, const MemoryBalloon& balloon, const WriteContext& context);

Result<Rng> read_rng(const Place& place);
void write_rng(xml::Element& parent, const Rng& rng, const WriteContext& context);

Result<Vsock> read_vsock(const Place& place);
void write_vsock(xml::Element& parent, const Vsock& vsock, const WriteContext& context);

Result<LaunchSecurity> read_launch_security(const Place& place);
void write_launch_security(xml::Element& parent, const LaunchSecurity& security, const WriteContext& context);

}  // namespace virttdx::domain_xml
