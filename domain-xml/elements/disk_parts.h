// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of `<disk>` that have files of their own.
#pragma once

#include "domain_xml/devices.h"
#include "elements/property_table.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {

using ImageFormatName = OneOf<"raw", "qcow2", "qcow", "qed", "vdi", "vhdx", "vmdk", "vpc", "luks", "iso",
                              "dir", "fat", "bochs", "cloop", "dmg", "ploop", "cow">;

Result<Authentication> read_authentication(const Place& place);
void write_authentication(xml::Element& parent, const Authentication& authentication);

Result<Encryption> read_encryption(const Place& place);
void write_encryption(xml::Element& parent, const Encryption& encryption);

Result<DiskSource> read_disk_source(const Place& place);
/// That `source` has what a disk of `type` needs.
Result<> check_disk_source(const Place& place, std::string_view type, const DiskSource& source);
void write_disk_source(xml::Element& parent, const DiskSource& source, const WriteContext& context);

Result<BackingStore> read_backing_store(const Place& place);
void write_backing_store(xml::Element& parent, const BackingStore& store, const WriteContext& context);

Result<IoTune> read_iotune(const Place& place);
void write_iotune(xml::Element& parent, const IoTune& iotune);

}  // namespace virttdx::domain_xml
