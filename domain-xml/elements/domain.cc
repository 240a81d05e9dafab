// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>

#include "elements/elements.h"
#include "elements/shapes.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 4> kLifecycleActions = {"destroy", "restart", "preserve",
                                                               "rename-restart"};
constexpr std::array<std::string_view, 6> kCrashActions = {
    "destroy", "restart", "preserve", "rename-restart", "coredump-destroy", "coredump-restart"};
constexpr std::array<std::string_view, 2> kPlacements = {"static", "auto"};

struct KvmType {
  static Result<std::string> decode(std::string_view text) {
    if (text == "kvm") return std::string(text);
    return fail(Error::Code::ConfigUnsupported, "this driver runs domains of type 'kvm' only");
  }
  static std::string encode(const std::string& value) { return value; }
};

// A name is also a file name and a line of virsh's list.
struct DomainName {
  static Result<std::string> decode(std::string_view text) {
    if (text.find_first_of("/\n") != std::string_view::npos)
      return fail(Error::Code::XmlInvalid, "a name cannot contain '/' or a line break");
    if (text == "." || text == "..") return fail(Error::Code::XmlInvalid, "a name cannot be '.' or '..'");
    return NonEmptyText::decode(text);
  }
  static std::string encode(const std::string& value) { return value; }
};

struct CpuSet {
  static Result<std::string> decode(std::string_view text) { return format_cpuset(TRY(parse_cpuset(text))); }
  static std::string encode(const std::string& value) { return value; }
};

// A uuid that is not there yet is not written.
constexpr Row<Domain> kUuidRow = {"uuid",
                                  [](Domain& domain, std::string_view text) -> Result<> {
                                    domain.uuid = TRY(Uuid::decode(text));
                                    return {};
                                  },
                                  [](const Domain& domain) -> std::optional<std::string> {
                                    if (domain.uuid.empty()) return std::nullopt;
                                    return Uuid::encode(domain.uuid);
                                  }};

constexpr std::array kHeadTable = {
    property<&Domain::type, KvmType>("@type", {.required = true}),
    property<&Domain::id, DomainId>("@id", {.live = true}),
    property<&Domain::name, DomainName>("name"),
    kUuidRow,
    property<&Domain::title, Text>("title"),
    property<&Domain::description, Text>("description"),
};
constexpr std::array kVcpuTable = {
    property<&Domain::vcpu_placement, Word<kPlacements>>("vcpu/@placement"),
    property<&Domain::vcpu_cpuset, CpuSet>("vcpu/@cpuset"),
    property<&Domain::current_vcpus, Count>("vcpu/@current"),
    property<&Domain::vcpus, Count>("vcpu"),
};
constexpr std::array kActionTable = {
    property<&Domain::on_poweroff, EnumName<LifecycleAction, kLifecycleActions>>("on_poweroff"),
    property<&Domain::on_reboot, EnumName<LifecycleAction, kLifecycleActions>>("on_reboot"),
    property<&Domain::on_crash, EnumName<CrashAction, kCrashActions>>("on_crash"),
};
constexpr std::array kChildren = {
    ChildRule{"metadata"},       ChildRule{"memory"},  ChildRule{"currentMemory"}, ChildRule{"blkiotune"},
    ChildRule{"memtune"},        ChildRule{"cputune"}, ChildRule{"numatune"},      ChildRule{"os"},
    ChildRule{"features"},       ChildRule{"cpu"},     ChildRule{"clock"},         ChildRule{"devices"},
    ChildRule{"launchSecurity"},
};

// libvirt's order of everything in a domain.
constexpr std::array<std::string_view, 34> kOrder = {"name",
                                                     "uuid",
                                                     "genid",
                                                     "title",
                                                     "description",
                                                     "metadata",
                                                     "maxMemory",
                                                     "memory",
                                                     "currentMemory",
                                                     "blkiotune",
                                                     "memtune",
                                                     "memoryBacking",
                                                     "vcpu",
                                                     "vcpus",
                                                     "iothreads",
                                                     "iothreadids",
                                                     "defaultiothread",
                                                     "cputune",
                                                     "numatune",
                                                     "resource",
                                                     "sysinfo",
                                                     "os",
                                                     "features",
                                                     "cpu",
                                                     "clock",
                                                     "on_poweroff",
                                                     "on_reboot",
                                                     "on_crash",
                                                     "on_lockfailure",
                                                     "pm",
                                                     "perf",
                                                     "devices",
                                                     "seclabel",
                                                     "launchSecurity"};

struct ChildReader {
  std::string_view name;
  Result<> (*read)(Domain&, const Place&);
};

template <auto kMember, auto kRead>
Result<> read_child(Domain& domain, const Place& place) {
  domain.*kMember = TRY(kRead(place));
  return {};
}

template <auto kMember, auto kRead>
Result<> read_tuning(Domain& domain, const Place& place) {
  domain.tuning.*kMember = TRY(kRead(place));
  return {};
}

constexpr std::array kChildReaders = {
    ChildReader{"metadata", read_child<&Domain::metadata, read_metadata>},
    ChildReader{"memory", read_child<&Domain::memory_kib, read_memory>},
    ChildReader{"currentMemory", read_child<&Domain::current_memory_kib, read_memory>},
    ChildReader{"blkiotune", read_tuning<&Tuning::blkio, read_blkio_tune>},
    ChildReader{"memtune", read_tuning<&Tuning::memory, read_memory_tune>},
    ChildReader{"cputune", read_tuning<&Tuning::cpu, read_cpu_tune>},
    ChildReader{"numatune", read_tuning<&Tuning::numa, read_numa_tune>},
    ChildReader{"os", read_child<&Domain::os, read_os>},
    ChildReader{"features", read_child<&Domain::features, read_features>},
    ChildReader{"cpu", read_child<&Domain::cpu, read_cpu>},
    ChildReader{"clock", read_child<&Domain::clock, read_clock>},
    ChildReader{"devices", read_child<&Domain::devices, read_devices>},
    ChildReader{"launchSecurity", read_child<&Domain::launch_security, read_launch_security>},
};

// What a domain is nothing without.
Result<> check_present(const Place& place) {
  if (place.element.child("name") == nullptr)
    return fail_at(place.element, Error::Code::MissingName, "missing element '/domain/name'");
  for (const std::string_view name : {"memory", "os"})
    if (place.element.child(name) == nullptr) return tl::unexpected<Error>(missing_value(place, name));
  return {};
}

// As libvirt, which says it where some are not there only.
void drop_current(Domain& domain) {
  if (domain.current_vcpus == domain.vcpus) domain.current_vcpus.reset();
}

Result<> check_numbers(const Place& place, const Domain& domain) {
  if (domain.memory_kib == 0)
    return fail_at(*place.element.child("memory"), Error::Code::XmlInvalid, "'/domain/memory' is 0");
  if (domain.current_vcpus && *domain.current_vcpus > domain.vcpus)
    return fail_at(*place.element.child("vcpu"), Error::Code::XmlInvalid,
                   "attribute 'current' of '/domain/vcpu' is {}, more than the {} vCPUs there are",
                   *domain.current_vcpus, domain.vcpus);
  return {};
}

}  // namespace

Result<Domain> read_domain(const Place& place) {
  if (place.element.name != "domain" || !place.element.uri.empty())
    return fail_at(place.element, Error::Code::XmlInvalid, "unexpected root element '{}', expected 'domain'",
                   place.element.name);
  Domain domain;
  TRY(read_properties(place, join_tables(kHeadTable, kVcpuTable, kActionTable), domain,
                      with_shapes(kChildren, kSectionShapes)));
  TRY(check_present(place));
  for (const auto& reader : kChildReaders)
    if (const auto* child = place.element.child(reader.name)) TRY(reader.read(domain, place.child(*child)));
  domain.others = TRY(read_others(place, kSectionShapes));
  TRY(check_numbers(place, domain));
  drop_current(domain);
  return domain;
}

xml::Element write_domain(const Domain& domain, const WriteContext& context) {
  xml::Element element;
  element.name = "domain";
  write_properties(element, kHeadTable, domain, context);
  write_metadata(element, domain.metadata);
  write_memory(element, "memory", domain.memory_kib);
  if (domain.current_memory_kib) write_memory(element, "currentMemory", *domain.current_memory_kib);
  if (domain.tuning.blkio) write_blkio_tune(element, *domain.tuning.blkio, context);
  if (domain.tuning.memory) write_memory_tune(element, *domain.tuning.memory);
  write_properties(element, kVcpuTable, domain, context);
  if (domain.tuning.cpu) write_cpu_tune(element, *domain.tuning.cpu, context);
  if (domain.tuning.numa) write_numa_tune(element, *domain.tuning.numa, context);
  write_os(element, domain.os, context);
  if (domain.features) write_features(element, *domain.features, context);
  if (domain.cpu) write_cpu(element, *domain.cpu, context);
  if (domain.clock) write_clock(element, *domain.clock, context);
  write_properties(element, kActionTable, domain, context);
  if (domain.devices != Devices{}) write_devices(element, domain.devices, context);
  if (domain.launch_security) write_launch_security(element, *domain.launch_security, context);
  write_others(element, domain.others, context);
  order_children(element, kOrder);
  return element;
}

}  // namespace virttdx::domain_xml
