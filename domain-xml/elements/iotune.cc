// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/disk_parts.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array kTable = {
    property<&IoTune::total_bytes_sec, Number64>("total_bytes_sec"),
    property<&IoTune::read_bytes_sec, Number64>("read_bytes_sec"),
    property<&IoTune::write_bytes_sec, Number64>("write_bytes_sec"),
    property<&IoTune::total_iops_sec, Number64>("total_iops_sec"),
    property<&IoTune::read_iops_sec, Number64>("read_iops_sec"),
    property<&IoTune::write_iops_sec, Number64>("write_iops_sec"),
    property<&IoTune::total_bytes_sec_max, Number64>("total_bytes_sec_max"),
    property<&IoTune::read_bytes_sec_max, Number64>("read_bytes_sec_max"),
    property<&IoTune::write_bytes_sec_max, Number64>("write_bytes_sec_max"),
    property<&IoTune::total_iops_sec_max, Number64>("total_iops_sec_max"),
    property<&IoTune::read_iops_sec_max, Number64>("read_iops_sec_max"),
    property<&IoTune::write_iops_sec_max, Number64>("write_iops_sec_max"),
    property<&IoTune::size_iops_sec, Number64>("size_iops_sec"),
    property<&IoTune::group_name, NonEmptyText>("group_name"),
    property<&IoTune::total_bytes_sec_max_length, Number64>("total_bytes_sec_max_length"),
    property<&IoTune::read_bytes_sec_max_length, Number64>("read_bytes_sec_max_length"),
    property<&IoTune::write_bytes_sec_max_length, Number64>("write_bytes_sec_max_length"),
    property<&IoTune::total_iops_sec_max_length, Number64>("total_iops_sec_max_length"),
    property<&IoTune::read_iops_sec_max_length, Number64>("read_iops_sec_max_length"),
    property<&IoTune::write_iops_sec_max_length, Number64>("write_iops_sec_max_length"),
};

// libvirt's rule: a total excludes the limits of reads and of writes.
Result<> check_totals(const Place& place, const IoTune& tune) {
  const bool bytes = tune.total_bytes_sec && (tune.read_bytes_sec || tune.write_bytes_sec);
  const bool iops = tune.total_iops_sec && (tune.read_iops_sec || tune.write_iops_sec);
  if (!bytes && !iops) return {};
  return fail_at(place.element, Error::Code::XmlInvalid, "'{}' limits the total and read or write {} too",
                 place.path, bytes ? "bytes" : "iops");
}

}  // namespace

Result<IoTune> read_iotune(const Place& place) {
  IoTune tune;
  TRY(read_properties(place, kTable, tune));
  TRY(check_totals(place, tune));
  return tune;
}

void write_iotune(xml::Element& parent, const IoTune& iotune) {
  write_properties(parent.add_child("iotune"), kTable, iotune, {});
}

}  // namespace virttdx::domain_xml
