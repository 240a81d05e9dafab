// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <regex>

#include "domain_xml/host_hardware.h"
#include "domain_xml/plan.h"
#include "golden.h"
#include "schema.h"

namespace virttdx::domain_xml {
namespace {

HostCapabilities host_of(const std::string& name) {
  auto host = host_capabilities_from_json(test::read_data(name));
  EXPECT_TRUE(host) << host.error().message();
  return host.value_or(HostCapabilities());
}

HostDescription description() {
  HostDescription description;
  description.uuid = "7354d461-7e4a-4f91-b811-1990c8a6b390";
  description.emulator_path = "/usr/libexec/virttdx-vmm";
  description.memory_kib = 6645972;
  description.cpu_cores = 2;
  description.cells = {
      {.id = 0, .memory_kib = 6645972, .cpus = {{0, 0, 0, "0"}, {1, 0, 1, "1"}}},
  };
  return description;
}

HostHardware hardware() {
  HostHardware hardware;
  hardware.microcode = 0x2B000461;
  hardware.iommu = true;
  hardware.dies_per_socket = 2;
  hardware.die_of_cpu = {{0, 0}, {1, 1}};
  hardware.distances = {{0, {{0, 10}, {1, 21}}}};
  hardware.pages = {{0, {{2048, 1024}, {1048576, 1}}}};
  hardware.caches = {{.id = 7, .level = 3, .type = "both", .size_kib = 15360, .cpus = "0-1"},
                     {.id = 0, .level = 4, .type = "both", .size_kib = 1000, .cpus = "0,1"}};
  return hardware;
}

std::string domain_capabilities(const std::string& host) {
  std::filesystem::current_path(test::data_path("plan"));
  DomainCapabilitiesRequest request{.emulator_path = "/usr/libexec/virttdx-vmm"};
  request.sources.firmware_descriptors = {"firmware"};
  request.sources.fallback_firmware = "no-such-firmware.fd";
  return format_domain_capabilities(host_of(host), request);
}

TEST(Capabilities, DescribeAKvmHost) {
  test::expect_golden("plan/capabilities/kvm.capabilities",
                      format_capabilities(host_of("plan/kvm.host.json"), description()));
}

TEST(Capabilities, TellWhatIsKnownOfTheHardware) {
  const auto xml = format_capabilities(host_of("plan/kvm.host.json"), description(), hardware());
  for (const std::string part :
       {"<microcode version='721421409'/>", "<topology sockets='1' dies='2' cores='1' threads='1'/>",
        "<pages unit='KiB' size='1048576'/>\n    </cpu>", "<iommu support='yes'/>",
        // 6645972 KiB less 1024 pages of 2 MiB and one of 1 GiB.
        "<pages unit='KiB' size='4'>875061</pages>\n"
        "          <pages unit='KiB' size='2048'>1024</pages>\n"
        "          <pages unit='KiB' size='1048576'>1</pages>\n"
        "          <distances>\n"
        "            <sibling id='0' value='10'/>\n"
        "            <sibling id='1' value='21'/>\n"
        "          </distances>\n"
        "          <cpus num='2'>",
        "<cpu id='1' socket_id='0' die_id='1' core_id='1' siblings='1'/>",
        "<bank id='7' level='3' type='both' size='15' unit='MiB' cpus='0-1'/>",
        "<bank id='0' level='4' type='both' size='1000' unit='KiB' cpus='0,1'/>"})
    EXPECT_NE(xml.find(part), std::string::npos) << part << "\n" << xml;
}

TEST(Capabilities, OfTheSoftwareHostHaveNoMicrocode) {
  const auto xml = format_capabilities(host_of("plan/soft.host.json"), description(), hardware());
  EXPECT_EQ(xml.find("microcode"), std::string::npos);
}

TEST(Capabilities, NameTheSoftwareHost) {
  const auto xml = format_capabilities(host_of("plan/soft.host.json"), description());
  EXPECT_NE(xml.find("<model>software-tdx-host: protects nothing</model>"), std::string::npos);
}

// The schema does not take the dots in libvirt's own feature names sse4.1 and sse4.2.
std::string without_dotted_names(std::string xml) {
  return std::regex_replace(xml, std::regex("<feature name='sse4\\.[12]'/>"), "");
}

TEST(Capabilities, AreValidAgainstLibvirtsSchema) {
  const std::filesystem::path schema = "/usr/share/libvirt/schemas/capability.rng";
  if (!std::filesystem::exists(schema)) GTEST_SKIP() << "no " << schema << " (Debian package libvirt0)";
  for (const char* host : {"plan/kvm.host.json", "plan/soft.host.json", "plan/no-tdx.host.json"})
    for (const auto& known : {HostHardware(), hardware()})
      EXPECT_EQ(test::schema_errors(
                    schema, without_dotted_names(format_capabilities(host_of(host), description(), known))),
                "")
          << host;
}

TEST(DomainCapabilities, OfferTdxWhereTheHostDoes) {
  if (!std::filesystem::exists("/usr/share/ovmf/OVMF.fd")) GTEST_SKIP() << "no Debian package ovmf";
  test::expect_golden("plan/capabilities/kvm.domain-capabilities", domain_capabilities("plan/kvm.host.json"));
}

TEST(DomainCapabilities, SayThatTdxIsMissing) {
  const auto xml = domain_capabilities("plan/no-tdx.host.json");
  EXPECT_NE(xml.find("<tdx supported='no'/>"), std::string::npos);
  EXPECT_NE(xml.find("<launchSecurity supported='no'/>"), std::string::npos);
}

}  // namespace
}  // namespace virttdx::domain_xml
