// SPDX-License-Identifier: GPL-2.0-or-later
// Domain capabilities say what is true: what they offer can be planned for a TD on that host, what they do
// not is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <regex>
#include <set>

#include "domain_xml/plan.h"
#include "golden.h"
#include "known_host.h"

namespace virttdx::domain_xml {
namespace {

class TrueDomainCapabilities : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/ovmf/OVMF.fd")) GTEST_SKIP() << "no Debian package ovmf";
    if (!std::filesystem::exists("/usr/share/libvirt/cpu_map/index.xml"))
      GTEST_SKIP() << "no CPU map of libvirt (Debian package libvirt0)";
    xml_ = format_domain_capabilities(test::kvm_host(), {.emulator_path = "/usr/libexec/virttdx-vmm"});
  }

  // What is between <name ...> and </name>, or of <name .../> the element itself.
  std::string section(const std::string& name) const {
    std::smatch found;
    const bool whole = std::regex_search(xml_, found, std::regex("<" + name + "[ >][^]*?</" + name + ">"));
    if (!whole) std::regex_search(xml_, found, std::regex("<" + name + "[ /][^>]*/>"));
    return found.empty() ? std::string() : found[0].str();
  }
  static std::vector<std::string> values(const std::string& text, const std::string& pattern) {
    std::vector<std::string> found;
    const std::regex expression(pattern);
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at)
      found.push_back((*at)[1]);
    return found;
  }
  std::vector<std::string> enum_values(const std::string& text, const std::string& name) const {
    std::smatch found;
    if (!std::regex_search(text, found, std::regex("<enum name='" + name + "'>[^]*?</enum>"))) return {};
    return values(found[0], "<value>([^<]*)</value>");
  }

  static bool is_otherwise(const std::vector<Finding>& findings) {
    return std::ranges::any_of(findings, [](const Finding& finding) {
      return finding.id.ends_with("-without-effect") || finding.id == "device-made-virtio";
    });
  }
  // Whether the reader takes it and a TD starts with it, nothing left out and nothing in its place.
  static bool is_possible(const std::string& inner, const std::string& os = "<os><type>hvm</type></os>") {
    const auto domain =
        parse_domain("<domain type='kvm'><name>a</name><memory>1048576</memory>" + os +
                     "<features><acpi/></features>" + inner + "<launchSecurity type='tdx'/></domain>");
    if (!domain) return false;
    std::vector<Finding> changes;
    const auto complete = complete_definition(*domain, {.emulator = "/usr/libexec/virttdx-vmm"}, &changes);
    if (!complete || is_otherwise(changes)) return false;
    const auto plan = plan_launch(*complete, test::kvm_host());
    return plan && plan->can_start() && !is_otherwise(plan->findings);
  }
  static bool is_possible_disk(const std::string& kind, const std::string& bus) {
    return is_possible("<devices><disk type='file' device='" + kind + "'><source file='/a'/><target dev='" +
                       std::string(bus == "virtio" ? "vda" : "sda") + "' bus='" + bus +
                       "'/><readonly/></disk></devices>");
  }
  static std::string os_with(const std::string& loader) { return "<os><type>hvm</type>" + loader + "</os>"; }

  std::string xml_;
};

TEST_F(TrueDomainCapabilities, OfTdx) {
  EXPECT_EQ(section("tdx"), "<tdx supported='yes'/>");
  EXPECT_EQ(enum_values(section("launchSecurity"), "sectype"), std::vector<std::string>{"tdx"});
  EXPECT_TRUE(is_possible(""));
}

TEST_F(TrueDomainCapabilities, OfLoaders) {
  const auto loader = section("loader");
  for (const std::string type : {"rom", "pflash"}) {
    const auto types = enum_values(loader, "type");
    EXPECT_EQ(std::ranges::count(types, type) == 1,
              is_possible("", os_with("<loader type='" + type + "'>/usr/share/ovmf/OVMF.fd</loader>")))
        << type;
  }
  for (const std::string secure : {"yes", "no"}) {
    const auto offered = enum_values(loader, "secure");
    EXPECT_EQ(std::ranges::count(offered, secure) == 1,
              is_possible(
                  "", os_with("<loader type='rom' secure='" + secure + "'>/usr/share/ovmf/OVMF.fd</loader>")))
        << secure;
  }
  const auto images = values(loader, "\n *<value>(/[^<]*)</value>");
  EXPECT_FALSE(images.empty());
  for (const auto& image : images)
    EXPECT_TRUE(is_possible("", os_with("<loader type='rom'>" + image + "</loader>"))) << image;
  EXPECT_TRUE(is_possible("", "<os firmware='efi'><type>hvm</type></os>"));
}

TEST_F(TrueDomainCapabilities, OfCpuModes) {
  for (const std::string mode : {"host-passthrough", "maximum", "host-model"})
    EXPECT_EQ(xml_.find("<mode name='" + mode + "' supported='yes'") != std::string::npos,
              is_possible("<cpu mode='" + mode + "'/>"))
        << mode;
}

TEST_F(TrueDomainCapabilities, OfNamedModelsWithTheirBlockers) {
  std::size_t usable = 0;
  for (const auto& name : values(section("cpu"), "<model usable='[a-z]+' vendor='[^']*'>([^<]*)</model>")) {
    const bool offered = xml_.find("<model usable='yes' vendor='Intel'>" + name + "<") != std::string::npos ||
                         xml_.find("<model usable='yes' vendor='unknown'>" + name + "<") != std::string::npos;
    usable += offered ? 1 : 0;
    EXPECT_EQ(offered, is_possible("<cpu mode='custom'><model>" + name + "</model></cpu>")) << name;
    EXPECT_EQ(offered, xml_.find("<blockers model='" + name + "'>") == std::string::npos) << name;
    if (offered) continue;
    // Without its blockers, an Intel model is possible.
    std::smatch blockers;
    ASSERT_TRUE(
        std::regex_search(xml_, blockers, std::regex("<blockers model='" + name + "'>[^]*?</blockers>")));
    if (xml_.find("vendor='Intel'>" + name + "<") == std::string::npos) continue;
    std::string without;
    for (const auto& feature : values(blockers[0].str(), "<feature name='([^']*)'/>"))
      without += "<feature policy='disable' name='" + feature + "'/>";
    EXPECT_TRUE(is_possible("<cpu mode='custom'><model>" + name + "</model>" + without + "</cpu>")) << name;
  }
  EXPECT_GT(usable, 0U);
}

struct DeviceSample {
  const char* element;
  const char* xml;
};
// The plainest device of each kind that domain capabilities speak of.
constexpr std::array kDevices = {
    DeviceSample{
        "disk",
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/usr/share/ovmf/"
        "OVMF.fd'/><target dev='vda' bus='virtio'/><readonly/></disk>"},
    DeviceSample{"graphics", "<graphics type='vnc' port='-1' autoport='yes'/>"},
    DeviceSample{"hostdev",
                 "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' "
                 "bus='0x06' slot='0x02' function='0x0'/></source></hostdev>"},
    DeviceSample{"rng", "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"},
    DeviceSample{"filesystem",
                 "<filesystem type='mount'><driver type='virtiofs'/><source dir='/srv'/><target "
                 "dir='srv'/></filesystem>"},
    DeviceSample{"tpm", "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"},
    DeviceSample{"redirdev", "<redirdev bus='usb' type='spicevmc'/>"},
    DeviceSample{"channel",
                 "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"},
};

TEST_F(TrueDomainCapabilities, OfDevices) {
  for (const auto& [element, device] : kDevices) {
    const auto said = section(element);
    EXPECT_EQ(said.starts_with("<" + std::string(element) + " supported='yes'"),
              is_possible("<devices>" + std::string(device) + "</devices>"))
        << said;
  }
  EXPECT_TRUE(is_possible("<devices><video><model type='none'/></video></devices>"));
}

// Every word that libvirt knows for it is possible with another if and only if it is among those offered.
TEST_F(TrueDomainCapabilities, OfDiskBuses) {
  const auto kinds = enum_values(section("disk"), "diskDevice"), buses = enum_values(section("disk"), "bus");
  std::set<std::string> possible_kinds, possible_buses;
  for (const std::string kind : {"disk", "cdrom", "floppy", "lun"})
    for (const std::string bus : {"virtio", "scsi", "sata", "ide", "usb", "fdc"})
      if (is_possible_disk(kind, bus)) possible_kinds.insert(kind), possible_buses.insert(bus);
  EXPECT_EQ(std::set(kinds.begin(), kinds.end()), possible_kinds);
  EXPECT_EQ(std::set(buses.begin(), buses.end()), possible_buses);
}

TEST_F(TrueDomainCapabilities, OfRngBackEnds) {
  const auto offered = enum_values(section("rng"), "backendModel");
  for (const std::string model : {"random", "builtin", "egd"})
    EXPECT_EQ(std::ranges::count(offered, model) == 1,
              is_possible("<devices><rng model='virtio'><backend model='" + model + "'" +
                          (model == "egd" ? " type='udp'/>" : "/>") + "</rng></devices>"))
        << model;
}

TEST_F(TrueDomainCapabilities, OfChannels) {
  const auto offered = enum_values(section("channel"), "type");
  for (const std::string type : {"pty", "unix", "tcp", "udp", "spicevmc"})
    EXPECT_EQ(std::ranges::count(offered, type) == 1,
              is_possible("<devices><channel type='" + type +
                          "'><target type='virtio' name='a'/></channel></devices>"))
        << type;
}

}  // namespace
}  // namespace virttdx::domain_xml
