// SPDX-License-Identifier: GPL-2.0-or-later
// DeviceStatistics as JSON: schemas/control-protocol.json.
#include "vmm_backend/device_statistics.h"

#include "control/json_fields.h"

namespace virttdx {

template <>
struct EnumNames<DiskIoStatus> {
  static constexpr EnumNameTable<DiskIoStatus, 3> kNames = {
      {{DiskIoStatus::Ok, "ok"}, {DiskIoStatus::Failed, "failed"}, {DiskIoStatus::NoSpace, "no-space"}}};
};

template <typename Visitor>
void describe(Visitor& visit, DiskStatistics& disk) {
  visit.required("id", disk.id);
  visit.required("target", disk.target);
  visit.required("read_requests", disk.read_requests);
  visit.required("read_bytes", disk.read_bytes);
  visit.required("read_time_ns", disk.read_time_ns);
  visit.required("write_requests", disk.write_requests);
  visit.required("write_bytes", disk.write_bytes);
  visit.required("write_time_ns", disk.write_time_ns);
  visit.required("flush_requests", disk.flush_requests);
  visit.required("flush_time_ns", disk.flush_time_ns);
  visit.required("discard_requests", disk.discard_requests);
  visit.required("write_zeroes_requests", disk.write_zeroes_requests);
  visit.required("errors", disk.errors);
  visit.required("capacity", disk.capacity);
  visit.required("allocated", disk.allocated);
  visit.required("physical", disk.physical);
  visit.optional("io_status", disk.io_status);
}

template <typename Visitor>
void describe(Visitor& visit, InterfaceStatistics& interface) {
  visit.required("id", interface.id);
  visit.required("device", interface.device);
  visit.required("received_bytes", interface.received_bytes);
  visit.required("received_packets", interface.received_packets);
  visit.required("received_drops", interface.received_drops);
  visit.required("received_errors", interface.received_errors);
  visit.required("sent_bytes", interface.sent_bytes);
  visit.required("sent_packets", interface.sent_packets);
  visit.required("sent_drops", interface.sent_drops);
  visit.required("sent_errors", interface.sent_errors);
}

template <typename Visitor>
void describe(Visitor& visit, DeviceStatistics& statistics) {
  visit.required("disks", statistics.disks);
  visit.required("interfaces", statistics.interfaces);
}

Result<DeviceStatistics> device_statistics_from_json(const nlohmann::json& json) {
  return from_json<DeviceStatistics>(json);
}

nlohmann::json device_statistics_to_json(const DeviceStatistics& statistics) {
  return to_json_value(statistics);
}

}  // namespace virttdx
