// SPDX-License-Identifier: GPL-2.0-or-later
// VmConfig as JSON: schemas/vm-config.json.
#include "control/cpuid_json.h"
#include "control/device_config_json.h"
#include "control/enum_names.h"
#include "vmm_backend/monitor_messages.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {
namespace {

constexpr std::size_t kMaximumSize = 1 << 20;

}  // namespace

template <typename Visitor>
void describe(Visitor& visit, TdConfig& td) {
  visit.optional("attributes", hex(td.attributes));
  visit.optional("xfam", hex(td.xfam));
  visit.optional("mr_config_id", td.mr_config_id);
  visit.optional("mr_owner", td.mr_owner);
  visit.optional("mr_owner_config", td.mr_owner_config);
  visit.optional("cpuid", td.cpuid);
  visit.optional("vcpu_cpuid", td.vcpu_cpuid);
  visit.optional("tsc_khz", td.tsc_khz);
  visit.optional("quote_service_socket", td.quote_service_socket);
  visit.optional("quote_wait_ms", td.quote_wait_ms);
}

template <typename Visitor>
void describe(Visitor& visit, SerialConfig& serial) {
  visit.required("port", serial.port);
  visit.optional("pty", serial.pty);
  visit.optional("log_file", serial.log_file);
  visit.optional("log_append", serial.log_append);
}

template <typename Visitor>
void describe(Visitor& visit, NumaNodeConfig& node) {
  visit.required("memory_bytes", node.memory_bytes);
  visit.required("vcpus", node.vcpus);
  visit.optional("distances", node.distances);
}

template <typename Visitor>
void describe(Visitor& visit, VmConfig& config) {
  visit.required("name", config.name);
  visit.required("uuid", config.uuid);
  visit.required("host", config.host);
  visit.required("memory_bytes", config.memory_bytes);
  visit.optional("shared_page_bytes", config.shared_page_bytes);
  visit.optional("vcpu_count", config.vcpu_count);
  visit.list("vcpu_ids", config.vcpu_ids);
  visit.optional("numa_nodes", config.numa_nodes);
  visit.required("td", config.td);
  visit.required("firmware_path", config.firmware_path);
  visit.optional("serials", config.serials);
  visit.optional("devices", config.devices);
  visit.optional("kernel", config.kernel);
  visit.optional("smbios", config.smbios);
  visit.optional("clock", config.clock);
  visit.optional("clock_zone", config.clock_zone);
  visit.optional("clock_start_seconds", config.clock_start_seconds);
  visit.optional("clock_offset_seconds", config.clock_offset_seconds);
  visit.optional("on_reset", config.on_reset);
  visit.optional("on_power_off", config.on_power_off);
  visit.optional("on_crash", config.on_crash);
  visit.optional("panic_device", config.panic_device);
  visit.optional("start_paused", config.start_paused);
}

Result<VmConfig> vm_config_from_json(std::string_view json) {
  return from_json<VmConfig>(TRY(parse_json(json, kMaximumSize)));
}

std::string vm_config_to_json(const VmConfig& config) { return to_text(to_json_value(config)); }

nlohmann::json disk_config_to_json(const DiskConfig& disk) { return to_json_value(disk); }
nlohmann::json interface_config_to_json(const NetworkInterfaceConfig& interface) {
  return to_json_value(interface);
}
nlohmann::json disk_limits_to_json(const DiskLimits& limits) { return to_json_value(limits); }

}  // namespace virttdx
