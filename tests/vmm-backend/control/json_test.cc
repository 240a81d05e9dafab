// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "json_generators.h"

namespace virttdx {
namespace {

constexpr const char* kSmallest =
    R"({"name": "td", "uuid": "6c2b1a2e-93a5-4b2e-8e0f-1d2c3b4a5f60", "host": "soft",
  "memory_bytes": 268435456, "firmware_path": "/usr/share/ovmf/OVMF.fd",
  "td": {"cpuid": [{"function": "0x80000008", "eax": "0x300000", "ebx": 0, "ecx": 0, "edx": 0}]}})";

// The smallest document with one member changed: the error that its reading ends with.
std::string error_with(std::string_view pointer, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(kSmallest);
  json[nlohmann::json::json_pointer(std::string(pointer))] = value;
  const auto config = vm_config_from_json(json.dump());
  return config ? "" : config.error().message();
}

RC_GTEST_PROP(VmConfigJson, ReadsBackWhatItWrote, (const VmConfig& config)) {
  RC_ASSERT(vm_config_from_json(vm_config_to_json(config)).value() == config);
}

RC_GTEST_PROP(HostCapabilitiesJson, ReadsBackWhatItWrote, (const HostCapabilities& host)) {
  RC_ASSERT(host_capabilities_from_json(host_capabilities_to_json(host)).value() == host);
}

RC_GTEST_PROP(CpuidReportJson, ReadsBackWhatItWrote, (const CpuidReport& report)) {
  RC_ASSERT(cpuid_report_from_json(cpuid_report_to_json(report)).value() == report);
}

TEST(VmConfigJson, TakesDefaultsForWhatIsAbsent) {
  const auto config = vm_config_from_json(kSmallest).value();
  EXPECT_EQ(config.vcpu_count, 1U);
  EXPECT_EQ(config.td.attributes, 0x10000000U);
  EXPECT_EQ(config.td.xfam, 3U);
  EXPECT_EQ(config.on_reset, ResetAction::Recreate);
  EXPECT_EQ(config.td.cpuid.at(0).eax, 0x300000U);
}

TEST(VmConfigJson, WritesMasksAsHexadecimalStrings) {
  const auto json = nlohmann::json::parse(vm_config_to_json(vm_config_from_json(kSmallest).value()));
  EXPECT_EQ(json["td"]["attributes"], "0x10000000");
  EXPECT_EQ(json["td"]["cpuid"][0]["function"], "0x80000008");
  EXPECT_EQ(json["td"]["mr_owner"], std::string(96, '0'));
  EXPECT_EQ(json["memory_bytes"], 268435456);
}

TEST(VmConfigJson, RefusesAnUnknownMemberByNameAndPlace) {
  EXPECT_EQ(error_with("/td/colour", 1).rfind("/td: unknown member \"colour\"; known are: attributes", 0),
            0U);
  EXPECT_EQ(error_with("/td/cpuid/0/efx", 1).rfind("/td/cpuid/0: unknown member \"efx\"", 0), 0U);
}

TEST(VmConfigJson, NamesThePlaceOfAWrongValue) {
  EXPECT_EQ(error_with("/td/cpuid/0/eax", 0x100000000),
            "/td/cpuid/0/eax: 4294967296 is above the maximum 4294967295");
  EXPECT_EQ(error_with("/td/cpuid/0/eax", "0x100000000"),
            "/td/cpuid/0/eax: \"0x100000000\" is above the maximum 4294967295");
  EXPECT_EQ(error_with("/vcpu_count", -1), "/vcpu_count: expected a number of at least 0, found -1");
  EXPECT_EQ(error_with("/vcpu_count", 1.5), "/vcpu_count: expected a number of at least 0, found 1.5");
  EXPECT_EQ(error_with("/host", "xen"), "/host: \"xen\" is none of \"kvm\", \"soft\"");
  EXPECT_EQ(error_with("/td/mr_owner", "00"),
            "/td/mr_owner: expected 96 hexadecimal digits in a string, found \"00\"");
  EXPECT_EQ(error_with("/start_paused", 1), "/start_paused: expected true or false, found 1");
  EXPECT_EQ(error_with("/serials", nlohmann::json::object()), "/serials: expected an array, found {}");
}

TEST(VmConfigJson, RefusesHexadecimalOtherThanDigits) {
  for (const char* text : {"", "0x", "10", "0x1g", "0x-1", "0x11112222333344445"})
    EXPECT_NE(error_with("/td/xfam", text).find("/td/xfam: expected a number"), std::string::npos) << text;
}

TEST(VmConfigJson, RefusesAMissingMember) {
  EXPECT_EQ(vm_config_from_json(R"({"uuid": "x"})").error().message(), "/: member \"name\" is missing");
}

TEST(VmConfigJson, RefusesAMemberNamedTwice) {
  const auto config = vm_config_from_json(R"({"name": "a", "name": "b"})");
  EXPECT_NE(config.error().message().find("\"name\" stands twice"), std::string::npos);
}

TEST(VmConfigJson, RefusesDeepNesting) {
  const auto config = vm_config_from_json(std::string(100'000, '['));
  EXPECT_NE(config.error().message().find("nested deeper than 32"), std::string::npos);
}

TEST(VmConfigJson, RefusesMoreThanOneMebibyte) {
  EXPECT_NE(vm_config_from_json(std::string((1 << 20) + 1, ' ')).error().message().find("1048577 bytes"),
            std::string::npos);
}

TEST(VmConfigJson, SaysWhereTheSyntaxIsWrong) {
  EXPECT_NE(vm_config_from_json("{\n  \"name\" 1}").error().message().find("line 2, column 10"),
            std::string::npos);
}

TEST(VmConfigJson, ReplacesBytesThatAreNotUtf8) {
  VmConfig config;
  config.name = "a\xff";
  EXPECT_EQ(vm_config_from_json(vm_config_to_json(config)).value().name, "a\xEF\xBF\xBD");
}

TEST(MonitorStatusJson, ReadsBackWhatItWrote) {
  const MonitorStatus status{
      VmState::Stopped, StopReason::Crashed,      "triple fault", 4711, HostKind::Soft, "software", 2,
      {1, UINT64_MAX},  {{1, "/dev/pts/3", true}}};
  const auto read = monitor_status_from_json(monitor_status_to_json(status)).value();
  EXPECT_EQ(read.state, status.state);
  EXPECT_EQ(read.stop_reason, status.stop_reason);
  EXPECT_EQ(read.message, status.message);
  EXPECT_EQ(read.pid, status.pid);
  EXPECT_EQ(read.host, status.host);
  EXPECT_EQ(read.host_description, status.host_description);
  EXPECT_EQ(read.recreated, status.recreated);
  EXPECT_EQ(read.vcpu_time_ns, status.vcpu_time_ns);
  EXPECT_EQ(read.serials.at(0).pty_path, "/dev/pts/3");
  EXPECT_TRUE(read.serials.at(0).attached);
}

TEST(MonitorMeasurementsJson, LeavesOutWhatTheHostDoesNotTell) {
  MonitorMeasurements measurements;
  measurements.mrtd.fill(std::byte{0xA5});
  measurements.gpaw = 48;
  const auto json = monitor_measurements_to_json(measurements);
  EXPECT_FALSE(json.contains("host_mrtd"));
  const auto read = monitor_measurements_from_json(json).value();
  EXPECT_EQ(read.mrtd, measurements.mrtd);
  EXPECT_FALSE(read.host_mrtd);
}

TEST(MonitorEventJson, CarriesItsKindAsEvent) {
  const auto json = monitor_event_to_json({MonitorEventKind::Stopped, StopReason::GuestShutdown, ""});
  EXPECT_EQ(json["event"], "stopped");
  EXPECT_EQ(json["stop_reason"], "guest-shutdown");
  EXPECT_EQ(monitor_event_from_json(json).value().kind, MonitorEventKind::Stopped);
}

}  // namespace
}  // namespace virttdx
