// SPDX-License-Identifier: GPL-2.0-or-later
// Findings beside those of <cpu>: each has a sample here or among the golden plans, and is complete.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "domain_xml/plan.h"
#include "golden.h"
#include "known_host.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kCode = "/usr/share/OVMF/OVMF_CODE.fd", kVariables = "/usr/share/OVMF/OVMF_VARS.fd";

const std::string kBase =
    "<domain type='kvm'>\n"
    "<name>td</name>\n"
    "<memory unit='MiB'>512</memory>\n"
    "<vcpu>1</vcpu>\n"
    "<os><type machine='q35'>hvm</type><loader type='rom'>/usr/share/ovmf/OVMF.fd</loader></os>\n"
    "<features><acpi/><ioapic driver='qemu'/></features><cpu mode='host-passthrough'/>\n"
    "<clock offset='utc'></clock>\n"
    "<devices></devices>\n"
    "<launchSecurity type='tdx'></launchSecurity>\n"
    "</domain>\n";

std::string replaced(std::string text, const std::string& old, const std::string& replacement) {
  const auto at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return text.replace(at, old.size(), replacement);
}

std::vector<Finding> findings_of(const std::string& xml, const HostCapabilities& host = test::kvm_host(),
                                 const PlanSources& sources = {}) {
  const auto domain = parse_domain(xml);
  EXPECT_TRUE(domain) << domain.error().message();
  std::vector<Finding> findings;
  const auto complete =
      complete_definition(domain.value_or(Domain()), {.emulator = "/usr/libexec/virttdx-vmm"}, &findings);
  EXPECT_TRUE(complete) << complete.error().message();
  const auto plan = plan_launch(complete.value_or(Domain()), host, sources);
  EXPECT_TRUE(plan) << plan.error().message();
  if (plan) findings.insert(findings.end(), plan->findings.begin(), plan->findings.end());
  return findings;
}

std::string ids_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& finding : findings) text += finding.id + " ";
  return text;
}

const Finding* find(const std::vector<Finding>& findings, std::string_view id) {
  const auto found = std::ranges::find(findings, id, &Finding::id);
  return found == findings.end() ? nullptr : &*found;
}

struct Sample {
  const char* id;
  const char* old;
  const char* replacement;
  int line;
};
const std::vector<Sample> kSamples = {
    {"memory-size", "<memory unit='MiB'>512<", "<memory unit='MiB'>32<", 3},
    {"memory-size", "<memory unit='MiB'>512<", "<memory unit='TiB'>129<", 3},
    {"memory-rounded", "<memory unit='MiB'>512<", "<memory unit='MiB'>513<", 3},
    {"memory-balloon", "<vcpu>1", "<currentMemory unit='MiB'>256</currentMemory>\n<vcpu>1", 4},
    {"numatune-placement", "<vcpu>1",
     "<numatune><memory mode='strict' placement='auto'/></numatune>\n<vcpu>1", 4},
    {"numatune-mode", "<vcpu>1", "<numatune><memory mode='restrictive' nodeset='0'/></numatune>\n<vcpu>1", 4},
    {"cpu-shares-reduced", "<vcpu>1", "<cputune><shares>10001</shares></cputune>\n<vcpu>1", 4},
    {"tuning-without-effect", "<vcpu>1", "<cputune><shares>100</shares></cputune>\n<vcpu>1", 4},
    {"tuning-without-effect", "<vcpu>1", "<cputune><quota>1000</quota></cputune>\n<vcpu>1", 4},
    {"tuning-without-effect", "<vcpu>1", "<cputune><global_period>1000</global_period></cputune>\n<vcpu>1",
     4},
    {"tuning-without-effect", "<vcpu>1", "<cputune><emulator_quota>1000</emulator_quota></cputune>\n<vcpu>1",
     4},
    {"tuning-without-effect", "<vcpu>1", "<memtune><hard_limit>65536</hard_limit></memtune>\n<vcpu>1", 4},
    {"tuning-without-effect", "<vcpu>1", "<memtune><soft_limit>65536</soft_limit></memtune>\n<vcpu>1", 4},
    {"tuning-without-effect", "<vcpu>1",
     "<memtune><swap_hard_limit unit='GiB'>1</swap_hard_limit></memtune>\n<vcpu>1", 4},
    {"tuning-without-effect", "<vcpu>1", "<blkiotune><weight>100</weight></blkiotune>\n<vcpu>1", 4},
    {"tuning-without-effect", "<vcpu>1",
     "<blkiotune><device><path>/dev/sda</path><weight>100</weight></device></blkiotune>\n<vcpu>1", 4},
    {"tuning-without-effect", "<vcpu>1", "<resource><partition>/a</partition></resource>\n<vcpu>1", 4},
    {"vcpu-count", "<vcpu>1<", "<vcpu>65<", 4},
    {"vcpu-hotplug", "<vcpu>1<", "<vcpu current='1'>2<", 4},
    {"vcpu-placement", "<vcpu>", "<vcpu placement='auto'>", 4},
    {"hugepages-size", "<vcpu>",
     "<memoryBacking><hugepages><page size='64'/></hugepages></memoryBacking>\n<vcpu>", 4},
    {"hugepages-size", "<vcpu>",
     "<memoryBacking><hugepages><page size='1' unit='G'/></hugepages></memoryBacking>\n<vcpu>", 4},
    {"hugepages-size", "<vcpu>",
     "<memoryBacking><hugepages><page size='2048' nodeset='0'/><page size='1' unit='G' nodeset='1'/>"
     "</hugepages></memoryBacking>\n<vcpu>",
     4},
    {"hugepages-shared", "<vcpu>", "<memoryBacking>\n<hugepages/></memoryBacking>\n<vcpu>", 4},
    {"machine-not-q35", "machine='q35'", "machine='pc'", 5},
    {"firmware-pflash", "type='rom'", "type='pflash'", 5},
    {"firmware-secure", "type='rom'", "type='rom' secure='yes'", 5},
    {"firmware-nvram", "</os>", "\n<nvram>/var/lib/td.fd</nvram></os>", 6},
    {"firmware-nvram", "type='rom'", "type='rom' stateless='no'", 5},
    {"firmware-format", "type='rom'", "type='rom' format='qcow2'", 5},
    {"firmware-unreadable", "OVMF.fd", "none.fd", 5},
    {"acpi-always-present", "<acpi/>", "<apic/>", 6},
    {"smm-in-td", "<acpi/>", "<acpi/>\n<smm state='on'/>", 7},
    {"ioapic-in-kernel", "<ioapic driver='qemu'/>", "\n<ioapic driver='kvm'/>", 7},
    {"tdx-attribute-kvm", "<acpi/>", "<acpi/>\n<pmu state='on'/>", 7},
    {"timer-not-offered", "utc'>", "utc'>\n<timer name='kvmclock' present='yes'/>", 8},
    {"timer-not-offered", "utc'>", "utc'>\n<timer name='pit' present='yes'/>", 8},
    {"timer-always-present", "utc'>", "utc'>\n<timer name='rtc' present='no'/>", 8},
    {"timer-tickpolicy-without-effect", "utc'>", "utc'>\n<timer name='pit' tickpolicy='delay'/>", 8},
    {"tsc-mode", "utc'>", "utc'>\n<timer name='tsc' mode='emulate'/>", 8},
    {"tsc-frequency", "utc'>", "utc'>\n<timer name='tsc' frequency='2110000000'/>", 8},
    {"tsc-frequency", "utc'>", "utc'>\n<timer name='tsc' frequency='75000000'/>", 8},
    {"tsc-frequency", "utc'>", "utc'>\n<timer name='tsc' frequency='10025000000'/>", 8},
    {"lifecycle-action-not-offered", "<features>", "<on_poweroff>preserve</on_poweroff>\n<features>", 6},
    {"serial-port", "<devices>", "<devices>\n<serial type='null'><target port='4'/></serial>", 9},
    {"serial-file-and-log", "<devices>",
     "<devices>\n<serial type='file'><source path='/a'/><log file='/b'/></serial>", 9},
    {"disk-serial-cut", "<devices>",
     "<devices>\n<disk type='block'><source dev='/dev/a'/><target dev='vda' bus='virtio'/>"
     "<serial>5f6a1c0e-2c4d-4a0e-8b5f-6a8b3a9d7c11</serial></disk>",
     9},
    {"disk-volume-format", "<devices>",
     "<devices>\n<disk type='volume'><source pool='p' volume='v'/><target dev='vda' bus='virtio'/></disk>",
     9},
    {"monitor-refuses", "<devices>",
     "<devices>\n<disk type='block'><driver name='qemu' type='raw' queue_size='100'/><source dev='/dev/a'/>"
     "<target dev='vda' bus='virtio'/></disk>",
     9},
    {"device-made-virtio", "<devices>",
     "<devices>\n<disk type='block'><source dev='/dev/a'/><target dev='sda' bus='sata'/></disk>", 9},
    {"device-made-virtio", "<devices>",
     "<devices>\n<disk type='file' device='cdrom'><target dev='hda' bus='ide'/><readonly/></disk>", 9},
    {"device-made-virtio", "<devices>",
     "<devices>\n<interface type='user'><model type='e1000e'/></interface>", 9},
    {"firmware-added", "<loader type='rom'>/usr/share/ovmf/OVMF.fd</loader>", "", 5},
    {"launch-security-added", "<launchSecurity type='tdx'></launchSecurity>", "", 1},
    {"element-without-effect", "<vcpu>1", "<memoryBacking><locked/></memoryBacking>\n<vcpu>1", 4},
    {"element-without-effect", "<vcpu>1", "<genid/>\n<vcpu>1", 4},
    {"element-without-effect", "<vcpu>1", "<iothreads>1</iothreads>\n<vcpu>1", 4},
    {"element-without-effect", "<vcpu>1", "<resource><fibrechannel appid='a'/></resource>\n<vcpu>1", 4},
    {"element-not-offered", "<vcpu>1", "<memoryBacking><source type='file'/></memoryBacking>\n<vcpu>1", 4},
    {"element-not-offered", "<devices>",
     "<devices>\n<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='0' "
     "function='0'/></source></hostdev>",
     9},
    {"element-not-offered", "<devices>",
     "<devices>\n<filesystem type='mount'><source dir='/a'/><target dir='b'/></filesystem>", 9},
    {"element-not-offered", "<devices>",
     "<devices>\n<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>", 9},
    {"device-option-without-effect", "<devices>",
     "<devices>\n<interface type='user'><driver rss='on'><guest tso4='off'/></driver></interface>", 9},
    {"element-not-offered", "<devices>", "<devices>\n<iommu model='intel'/>", 9},
    {"element-not-offered", "<devices>", "<devices>\n<watchdog model='i6300esb'/>", 9},
    {"element-without-effect", "<devices>", "<devices>\n<watchdog model='itco'/>", 9},
    {"element-without-effect", "<devices>", "<devices>\n<panic model='hyperv'/>", 9},
    {"element-without-effect", "<devices>", "<devices>\n<sound model='ich9'/>", 9},
    {"element-without-effect", "<devices>", "<devices>\n<redirdev bus='usb' type='spicevmc'/>", 9},
    {"element-without-effect", "<devices>", "<devices>\n<input type='tablet' bus='usb'/>", 9},
    {"element-without-effect", "<devices>", "<devices>\n<graphics type='vnc'/>", 9},
    {"element-without-effect", "<devices>", "<devices>\n<video><model type='vga'/></video>", 9},
    {"element-not-offered", "<devices>", "<pm><suspend-to-mem enabled='yes'/></pm>\n<devices>", 8},
    {"element-not-offered", "<devices>", "<pm><suspend-to-disk enabled='yes'/></pm>\n<devices>", 8},
    {"element-without-effect", "<acpi/>", "<acpi/>\n<hyperv mode='passthrough'/>", 7},
    {"element-without-effect", "<acpi/>", "<acpi/>\n<kvm><hidden state='on'/></kvm>", 7},
    {"tdx-debug", "tdx'>", "tdx'>\n<policy>0x10000001</policy>", 10},
    {"tdx-sept-ve", "tdx'>", "tdx'>\n<policy>0</policy>", 10},
    {"tdx-attribute-reserved", "tdx'>", "tdx'>\n<policy>0x10000002</policy>", 10},
    {"tdx-attribute-module", "tdx'>", "tdx'>\n<policy>0x90000000</policy>", 10},
    {"tdx-attributes-exclude", "tdx'>", "tdx'>\n<policy>0x20000001</policy>", 10},
};
// Of finding_coverage_test.cc, or of tests below that need another host or files.
const std::set<std::string> kElsewhere = {
    "tdx-attribute-not-honoured",  "tsc-host-frequency",      "launch-security-missing",
    "firmware-code-half",          "firmware-variables-half", "firmware-no-metadata",
    "firmware-metadata-disagrees", "firmware-fallback",       "firmware-feature",
    "firmware-feature-unwanted",   "key-ids-none-free"};

// Tuning is without effect on some hosts only.
std::vector<Finding> findings_of(const Sample& sample) {
  const PlanSources sources{.control_groups = std::string_view(sample.id) != "tuning-without-effect"};
  return findings_of(replaced(kBase, sample.old, sample.replacement), test::kvm_host(), sources);
}

class FindingSamples : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kCode)) GTEST_SKIP() << "no " << kCode << " (Debian package ovmf)";
  }
};

TEST_F(FindingSamples, EachHasItsFindingInItsLine) {
  EXPECT_EQ(ids_of(findings_of(kBase)), "");
  for (const auto& sample : kSamples) {
    const auto findings = findings_of(sample);
    const auto* finding = find(findings, sample.id);
    ASSERT_NE(finding, nullptr) << sample.id << ": " << ids_of(findings);
    EXPECT_EQ(finding->line, sample.line) << to_string(*finding);
  }
}

void expect_complete(const std::vector<Finding>& findings) {
  for (const auto& finding : findings) {
    const auto text = to_string(finding);
    EXPECT_FALSE(finding.message.empty()) << finding.id;
    EXPECT_TRUE(finding.severity == Severity::Note || !finding.remedy.empty()) << "no remedy: " << text;
    EXPECT_TRUE(finding.xml_path.empty() || finding.line > 0) << "no line: " << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

// The golden plans, as domains planned anew.
std::vector<Finding> golden_findings() {
  std::filesystem::current_path(test::data_path("plan"));
  PlanSources sources;
  sources.firmware_descriptors = {"no-such-folder", "firmware"};
  std::vector<Finding> all;
  for (const std::string host : {"kvm", "soft", "no-tdx"}) {
    const auto capabilities =
        host_capabilities_from_json(test::read_data("plan/" + host + ".host.json")).value();
    for (const auto& file : test::data_files("plan/" + host, ".xml"))
      std::ranges::move(findings_of(test::read_data(file), capabilities, sources), std::back_inserter(all));
  }
  return all;
}

TEST_F(FindingSamples, AreComplete) {
  for (const auto& sample : kSamples) expect_complete(findings_of(sample));
  expect_complete(golden_findings());
}

std::set<std::string> ids_in_sources() {
  // As an argument of add(), error(), refuse() and note(), in what report() makes, in tables, and as one of
  // two.
  const std::regex call(
      "\\b(?:error|add|refuse|Limit|note|push_back)[({]+\\s*(?:changes,\\s*)?"
      "(?:(?:Severity::\\w+|severity),\\s*)?\"([a-z0-9-]+)\"");
  const std::regex table("[{,:?]\\s*\"((?:firmware|tdx-attribute|element)-[a-z0-9-]+)\"");
  std::set<std::string> ids;
  for (const auto& file : std::filesystem::recursive_directory_iterator(
           std::filesystem::path(VIRTTDX_SOURCE_ROOT) / "domain-xml")) {
    if (file.path().extension() != ".cc") continue;
    std::ifstream stream(file.path());
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    for (const auto* pattern : {&call, &table})
      for (std::sregex_iterator found(text.begin(), text.end(), *pattern), end; found != end; ++found)
        ids.insert((*found)[1]);
  }
  return ids;
}

TEST_F(FindingSamples, AreThereForEachIdentifierInTheSources) {
  auto met = kElsewhere;
  for (const auto& sample : kSamples) met.insert(sample.id);
  for (const auto& finding : golden_findings()) met.insert(finding.id);
  // The CPU's samples are in finding_coverage_test.cc, which holds them against the sources.
  std::erase_if(met, [](const std::string& id) { return id.starts_with("cpu-") || id.starts_with("xfam-"); });
  const auto ids = ids_in_sources();
  EXPECT_GT(ids.size(), 40U);
  for (const auto& id : ids)
    EXPECT_TRUE(met.contains(id) || id.starts_with("cpu-") || id.starts_with("xfam-"))
        << "no sample for " << id;
  for (const auto& id : met) EXPECT_TRUE(ids.contains(id)) << "no source has " << id;
}

TEST_F(FindingSamples, OfAHostsOwnTscTellsHowToHelp) {
  auto host = test::kvm_host();
  host.tsc_khz = 99'999;
  const auto findings = findings_of(kBase, host);
  ASSERT_NE(find(findings, "tsc-host-frequency"), nullptr) << ids_of(findings);
  EXPECT_EQ(
      ids_of(findings_of(replaced(kBase, "utc'>", "utc'><timer name='tsc' frequency='1000000000'/>"), host)),
      "");
}

TEST_F(FindingSamples, OfAHostWhoseKeyIdsAreAllTakenTellsHowMany) {
  auto host = test::kvm_host();
  host.key_ids = 31;
  host.key_ids_used = 30;
  EXPECT_EQ(ids_of(findings_of(kBase, host)), "");
  host.key_ids_used = 31;
  const auto findings = findings_of(kBase, host);
  ASSERT_EQ(ids_of(findings), "key-ids-none-free ");
  EXPECT_EQ(findings[0].severity, Severity::Error);
  EXPECT_NE(findings[0].message.find("31 of 31 key ids are in use"), std::string::npos)
      << findings[0].message;
  host.key_ids = 0;
  host.key_ids_used.reset();
  EXPECT_EQ(ids_of(findings_of(kBase, host)), "key-ids-none-free ");
}

// Of a volume of Cinder's, as QEMU's guests see it in /dev/disk/by-id.
TEST_F(FindingSamples, OfALongSerialLeavesItsBeginning) {
  const auto xml = replaced(kBase, "<devices>",
                            "<devices><disk type='block'><source dev='/dev/a'/><target dev='vda'/>"
                            "<serial>5f6a1c0e-2c4d-4a0e-8b5f-6a8b3a9d7c11</serial></disk>");
  const auto plan =
      plan_launch(*complete_definition(*parse_domain(xml), {.emulator = "/x"}), test::kvm_host());
  ASSERT_TRUE(plan) << plan.error().message();
  ASSERT_TRUE(plan->can_start()) << ids_of(plan->findings);
  EXPECT_EQ(plan->config.devices.disks.at(0).serial, "5f6a1c0e-2c4d-4a0e-8");
}

TEST_F(FindingSamples, OfADomainWithoutLaunchSecurityNamesIt) {
  auto domain = *parse_domain(kBase);
  domain.launch_security.reset();
  const auto plan = plan_launch(domain, test::kvm_host());
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_NE(find(plan->findings, "launch-security-missing"), nullptr) << ids_of(plan->findings);
}

TEST(PlannedTsc, IsToldToTheMonitorAndToTheGuest) {
  const auto domain =
      parse_domain(replaced(kBase, "utc'>", "utc'><timer name='tsc' frequency='2500000000'/>"));
  const auto plan = plan_launch(*complete_definition(*domain, {.emulator = "/x"}), test::kvm_host());
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->config.td.tsc_khz, 2'500'000U);
  const auto* leaf = find_cpuid(plan->config.td.vcpu_cpuid, 0x15, 0);
  ASSERT_NE(leaf, nullptr);
  EXPECT_EQ(std::uint64_t{leaf->ecx} * leaf->ebx / leaf->eax, 2'500'000'000U);
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A loader's finding, of Debian's own files and of files made wrong.
class Firmware : public FindingSamples {
 protected:
  std::string diagnosis_of(const std::string& path) {
    const auto findings = findings_of(replaced(kBase, test::kDebianFirmware, path));
    EXPECT_EQ(findings.size(), 1U) << ids_of(findings);
    EXPECT_NE(findings.at(0).message.find("'" + path + "'"), std::string::npos) << findings.at(0).message;
    return findings.at(0).id;
  }
  std::string diagnosis_of_bytes(const std::string& bytes) {
    const auto path = testing::TempDir() + "virttdx-firmware-" + std::to_string(getpid()) + ".fd";
    std::ofstream(path, std::ios::binary) << bytes;
    auto id = diagnosis_of(path);
    std::filesystem::remove(path);
    return id;
  }
};

TEST_F(Firmware, ThatIsHalfOfAPairSaysWhichHalf) {
  EXPECT_EQ(diagnosis_of(kVariables), "firmware-variables-half");
  EXPECT_EQ(diagnosis_of("/usr/share/OVMF/OVMF_VARS_4M.ms.fd"), "firmware-variables-half");
  EXPECT_EQ(diagnosis_of(kCode), "firmware-code-half");
  EXPECT_EQ(diagnosis_of("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"), "firmware-code-half");
}

// A pair put together again is whole; of the 4 MiB build, which knows no TDX, it still has no metadata.
TEST_F(Firmware, WithoutMetadataSaysSo) {
  EXPECT_EQ(diagnosis_of_bytes(std::string(2U << 20, '\0')), "firmware-no-metadata");
  EXPECT_EQ(diagnosis_of_bytes(bytes_of("/usr/share/OVMF/OVMF_VARS_4M.fd") +
                               bytes_of("/usr/share/OVMF/OVMF_CODE_4M.fd")),
            "firmware-no-metadata");
  EXPECT_EQ(diagnosis_of_bytes("not a firmware"), "firmware-no-metadata");
}

TEST_F(Firmware, OfNoDescriptorIsTheFallback) {
  PlanSources sources;
  sources.firmware_descriptors = {"/no/such/folder"};
  const auto xml = replaced(replaced(kBase, "<loader type='rom'>/usr/share/ovmf/OVMF.fd</loader>", ""),
                            "<os>", "<os firmware='efi'>");
  EXPECT_EQ(ids_of(findings_of(xml, test::kvm_host(), sources)), "firmware-fallback ");
}

TEST_F(Firmware, WithMetadataThatDisagreesSaysSo) {
  const auto whole = bytes_of(test::kDebianFirmware);
  EXPECT_EQ(diagnosis_of_bytes(whole.substr(4096)), "firmware-metadata-disagrees");
  EXPECT_EQ(diagnosis_of_bytes(std::string(4096, '\0') + whole), "firmware-metadata-disagrees");
}

}  // namespace
}  // namespace virttdx::domain_xml
