// SPDX-License-Identifier: GPL-2.0-or-later
// Elements without a part in the VmConfig. A row says what becomes of those that it describes: nothing is
// said where the machine is so anyway, a note or a warning where leaving it out is harmless, an error where
// it is not.
#include <algorithm>
#include <array>
#include <optional>

#include "elements/shape.h"
#include "plan/device_planning.h"

namespace virttdx::domain_xml {
namespace {

enum class Outcome : std::uint8_t { Silent, Note, Warning, Error };

// The first row that fits decides. `where`: a path of an attribute or element below, "" for the element
// itself; `value`: what the attribute says, "" for anything that is there.
struct Rule {
  std::string_view element, where, value;
  Outcome outcome;
  std::string_view message, remedy;
};

constexpr std::string_view kNoDisplay = "is left out: a TD has no display, its console is serial or virtio";

constexpr std::array kDeviceRules = {
    Rule{"input", "@bus", "ps2", Outcome::Silent, "", ""},
    Rule{"input", "", "", Outcome::Note, "is left out: nothing can type into a TD or point at it",
         "remove it"},
    Rule{"graphics", "", "", Outcome::Warning, kNoDisplay, "use virsh console"},
    Rule{"video", "model/@type", "none", Outcome::Silent, "", ""},
    Rule{"video", "", "", Outcome::Warning, kNoDisplay, "write <video><model type='none'/></video>"},
    Rule{"audio", "@type", "none", Outcome::Silent, "", ""},
    Rule{"audio", "", "", Outcome::Note, "is left out: a TD has no sound", "remove it"},
    Rule{"sound", "", "", Outcome::Note, "is left out: a TD has no sound", "remove it"},
    Rule{"redirdev", "", "", Outcome::Note, "is left out: a TD has no USB", "remove it"},
    Rule{"hub", "", "", Outcome::Note, "is left out: a TD has no USB", "remove it"},
    Rule{"watchdog", "@model", "itco", Outcome::Warning, "is left out: this machine has no watchdog",
         "remove it, and watch the TD from inside"},
    Rule{"panic", "@model", "isa", Outcome::Silent, "", ""},
    Rule{"panic", "@model", "hyperv", Outcome::Warning, "is left out: KVM offers TDs no Hyper-V interfaces",
         "write model='isa'"},
    Rule{"panic", "@model", "", Outcome::Error, "of this model is not offered", "write model='isa'"},
    Rule{"panic", "", "", Outcome::Silent, "", ""},
    Rule{"watchdog", "", "", Outcome::Error, "is not offered", "remove it, and watch the TD from inside"},
    Rule{"tpm", "", "", Outcome::Error,
         "is not offered: a TPM of the host would be outside of what a TD trusts; RTMRs take its place",
         "remove it"},
    Rule{"hostdev", "", "", Outcome::Error, "is not offered: host devices cannot reach a TD's private memory",
         "remove it"},
    Rule{"filesystem", "", "", Outcome::Error, "is not offered", "share files over the network"},
    Rule{"iommu", "", "", Outcome::Error, "is not offered: a TD's devices reach shared memory only",
         "remove it"},
};

constexpr std::array kSectionRules = {
    Rule{"genid", "", "", Outcome::Warning, "is kept without effect: the machine has no generation id device",
         "remove it"},
    Rule{"maxMemory", "", "", Outcome::Error,
         "is not possible: memory of a TD cannot be plugged in later, all is there before it starts",
         "remove it and give <memory> all"},
    Rule{"memoryBacking", "source/@type", "file", Outcome::Error,
         "<source type='file'/> is not possible: private memory of a TD comes from guest_memfd",
         "remove <source>"},
    // plan_huge_pages() says what becomes of them.
    Rule{"memoryBacking", "hugepages", "", Outcome::Silent, "", ""},
    Rule{"memoryBacking", "", "", Outcome::Note,
         "changes nothing: private memory of a TD comes from guest_memfd, is never swapped or merged, and "
         "counts "
         "against no limit of locked memory",
         ""},
    Rule{"vcpus", "", "", Outcome::Note, "changes nothing: all vCPUs of a TD are there from its start",
         "remove it"},
    Rule{"iothreads", "", "", Outcome::Note, "changes nothing: each device has threads of its own", ""},
    Rule{"iothreadids", "", "", Outcome::Note, "changes nothing: each device has threads of its own", ""},
    Rule{"defaultiothread", "", "", Outcome::Note, "changes nothing: each device has threads of its own", ""},
    Rule{"resource", "fibrechannel/@appid", "", Outcome::Note,
         "<fibrechannel> is kept without effect: monitors have no application identifier", ""},
    Rule{"sysinfo", "@type", "fwcfg", Outcome::Error, "of type 'fwcfg' is not offered",
         "use type='smbios' with <oemStrings>"},
    Rule{"on_lockfailure", "", "", Outcome::Note, "changes nothing: there is no lock manager", "remove it"},
    Rule{"pm", "suspend-to-mem/@enabled", "yes", Outcome::Error,
         "is not possible: a TD cannot suspend itself", "write enabled='no'"},
    Rule{"pm", "suspend-to-disk/@enabled", "yes", Outcome::Error,
         "is not possible: a TD cannot suspend itself", "write enabled='no'"},
    Rule{"perf", "", "", Outcome::Warning, "is kept without effect: a TD's counters are its own",
         "remove it"},
    Rule{"seclabel", "@type", "none", Outcome::Silent, "", ""},
    Rule{"seclabel", "", "", Outcome::Warning,
         "is kept without effect: monitors are confined by seccomp and the daemon's profile", "remove it"},
};

constexpr std::array kFeatureRules = {
    Rule{"hap", "", "", Outcome::Silent, "", ""},
    Rule{"hyperv", "", "", Outcome::Warning, "is left out: KVM offers TDs no Hyper-V interfaces",
         "remove it"},
    Rule{"kvm", "hidden/@state", "on", Outcome::Warning,
         "<hidden> is left out: KVM's signature stays visible", "remove it"},
    Rule{"pvspinlock", "", "", Outcome::Note, "changes nothing", ""},
    Rule{"vmport", "@state", "on", Outcome::Note, "is left out: the machine has no VMware port", "remove it"},
    Rule{"vmcoreinfo", "", "", Outcome::Note, "is left out: nobody can read a TD's memory to dump it",
         "remove it"},
};

constexpr std::array kCpuRules = {
    Rule{"cache", "@mode", "emulate", Outcome::Error,
         "<cache mode='emulate'/> is not possible: the TDX module shows the host's caches", "remove it"},
    Rule{"cache", "@mode", "disable", Outcome::Error,
         "<cache mode='disable'/> is not possible: the TDX module shows the host's caches", "remove it"},
};

// One element against the rules: most need no look into it, which is a parse.
class Subject {
 public:
  explicit Subject(const OtherElement& other) : other_(other) {}
  bool fits(const Rule& rule) {
    if (rule.element != other_.element) return false;
    if (rule.where.empty()) return true;
    if (!tree_) tree_ = parsed(other_);
    const auto value = value_at(*tree_, rule.where, {});
    return value && (rule.value.empty() || *value == rule.value);
  }

 private:
  const OtherElement& other_;
  std::optional<xml::Element> tree_;
};

void add_finding(Planning& planning, const Rule& rule, const OtherElement& other, const std::string& path) {
  static constexpr std::array kSeverities = {Severity::Note, Severity::Note, Severity::Warning,
                                             Severity::Error};
  const bool refused = rule.outcome == Outcome::Error;
  planning
      .add(kSeverities.at(static_cast<std::size_t>(rule.outcome)),
           refused ? "element-not-offered" : "element-without-effect", path,
           fmt::format("<{}> {}", other.element, rule.message), std::string(rule.remedy))
      .line = other.line.number;
}

template <std::size_t kSize>
const Rule* rule_of(const std::array<Rule, kSize>& rules, const OtherElement& other) {
  Subject subject(other);
  const auto rule =
      std::ranges::find_if(rules, [&](const Rule& candidate) { return subject.fits(candidate); });
  return rule == rules.end() ? nullptr : &*rule;
}

template <std::size_t kSize>
void apply(Planning& planning, const std::array<Rule, kSize>& rules, const std::vector<OtherElement>& others,
           const std::string& parent) {
  for (const auto& other : others) {
    const auto* const rule = rule_of(rules, other);
    if (rule != nullptr && rule->outcome != Outcome::Silent)
      add_finding(planning, *rule, other, parent + "/" + other.element);
  }
}

bool is_left_out(const OtherElement& device) {
  const auto* const rule = rule_of(kDeviceRules, device);
  return rule != nullptr && (rule->outcome == Outcome::Note || rule->outcome == Outcome::Warning);
}

}  // namespace

void plan_other_devices(Planning& planning) {
  const auto is_panic_device = [](const OtherElement& device) {
    return device.element == "panic" && rule_of(kDeviceRules, device)->outcome == Outcome::Silent;
  };
  planning.plan.config.panic_device = std::ranges::any_of(planning.domain.devices.others, is_panic_device);
  apply(planning, kDeviceRules, planning.domain.devices.others, "/domain/devices");
}

void remove_left_out_devices(Domain& domain) {
  std::erase_if(domain.devices.others, is_left_out);
  std::erase_if(domain.devices.channels, is_spice);
}

void plan_other_elements(Planning& planning) {
  const auto& domain = planning.domain;
  apply(planning, kSectionRules, domain.others, "/domain");
  apply(planning, kFeatureRules, domain.features.value_or(Features()).others, "/domain/features");
  apply(planning, kCpuRules, domain.cpu.value_or(Cpu()).others, "/domain/cpu");
}

}  // namespace virttdx::domain_xml
