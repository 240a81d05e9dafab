// SPDX-License-Identifier: GPL-2.0-or-later
// Replies and events as JSON: schemas/control-protocol.json, cpuid-report.json, measurements.json.
#include "vmm_backend/monitor_messages.h"

#include "control/cpuid_json.h"
#include "control/enum_names.h"

namespace virttdx {

template <typename Visitor>
void describe(Visitor& visit, SerialStatus& serial) {
  visit.required("port", serial.port);
  visit.required("pty_path", serial.pty_path);
  visit.required("attached", serial.attached);
}

template <typename Visitor>
void describe(Visitor& visit, ConsolePortStatus& port) {
  visit.required("id", port.id);
  visit.required("pty_path", port.pty_path);
  visit.required("attached", port.attached);
}

template <typename Visitor>
void describe(Visitor& visit, MonitorStatus& status) {
  visit.required("state", status.state);
  visit.required("stop_reason", status.stop_reason);
  visit.required("message", status.message);
  visit.required("pid", status.pid);
  visit.required("host", status.host);
  visit.required("host_description", status.host_description);
  visit.required("recreated", status.recreated);
  visit.required("vcpu_time_ns", status.vcpu_time_ns);
  visit.required("serials", status.serials);
  visit.list("console_ports", status.console_ports);
  visit.optional("vsock_cid", status.vsock_cid);
  visit.optional("open_ports", status.open_ports);
  visit.list("open_trays", status.open_trays);
  visit.list("lost_links", status.lost_links);
  visit.optional("rtc_offset_seconds", status.rtc_offset_seconds);
}

template <typename Visitor>
void describe(Visitor& visit, MonitorMeasurements& measurements) {
  visit.required("mrtd", measurements.mrtd);
  visit.optional("host_mrtd", measurements.host_mrtd);
  visit.required("attributes", hex(measurements.attributes));
  visit.required("xfam", hex(measurements.xfam));
  visit.required("gpaw", measurements.gpaw);
  visit.required("pages_added", measurements.pages_added);
  visit.required("pages_measured", measurements.pages_measured);
}

template <typename Visitor>
void describe(Visitor& visit, VcpuCpuid& cpuid) {
  visit.required("vcpu", cpuid.vcpu);
  visit.required("entries", cpuid.entries);
}

template <typename Visitor>
void describe(Visitor& visit, CpuidReport& report) {
  visit.required("requested", report.requested);
  visit.required("vcpu_requested", report.vcpu_requested);
  visit.required("actual", report.actual);
  visit.optional("deviations", report.deviations);
}

template <typename Visitor>
void describe(Visitor& visit, IoError& error) {
  visit.required("action", error.action);
  visit.required("no_space", error.no_space);
}

template <typename Visitor>
void describe(Visitor& visit, MonitorEvent& event) {
  visit.required("event", event.kind);
  visit.optional("stop_reason", event.stop_reason);
  visit.optional("message", event.message);
  visit.optional("device", event.device);
  visit.optional("io_error", event.io_error);
  visit.optional("rtc_offset_seconds", event.rtc_offset_seconds);
}

template <typename Visitor>
void describe(Visitor& visit, LifecycleActions& actions) {
  visit.optional("power_off", actions.power_off);
  visit.optional("reset", actions.reset);
  visit.optional("crash", actions.crash);
}

void apply(const LifecycleActions& actions, VmConfig& config) {
  config.on_power_off = actions.power_off.value_or(config.on_power_off);
  config.on_reset = actions.reset.value_or(config.on_reset);
  config.on_crash = actions.crash.value_or(config.on_crash);
}

std::string_view to_name(MonitorEventKind kind) { return enum_name(kind); }
std::string_view to_name(StopReason reason) { return enum_name(reason); }

Result<MonitorStatus> monitor_status_from_json(const nlohmann::json& json) {
  return from_json<MonitorStatus>(json);
}
nlohmann::json monitor_status_to_json(const MonitorStatus& status) { return to_json_value(status); }

Result<MonitorMeasurements> monitor_measurements_from_json(const nlohmann::json& json) {
  return from_json<MonitorMeasurements>(json);
}
nlohmann::json monitor_measurements_to_json(const MonitorMeasurements& measurements) {
  return to_json_value(measurements);
}

Result<CpuidReport> cpuid_report_from_json(const nlohmann::json& json) {
  return from_json<CpuidReport>(json);
}
nlohmann::json cpuid_report_to_json(const CpuidReport& report) { return to_json_value(report); }

Result<LifecycleActions> lifecycle_actions_from_json(const nlohmann::json& json) {
  return from_json<LifecycleActions>(json);
}
nlohmann::json lifecycle_actions_to_json(const LifecycleActions& actions) { return to_json_value(actions); }

Result<MonitorEvent> monitor_event_from_json(const nlohmann::json& json) {
  return from_json<MonitorEvent>(json);
}
nlohmann::json monitor_event_to_json(const MonitorEvent& event) { return to_json_value(event); }

}  // namespace virttdx
