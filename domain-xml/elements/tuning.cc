// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 4> kNumaModes = {"strict", "preferred", "interleave", "restrictive"};
constexpr std::array<std::string_view, 2> kPlacements = {"static", "auto"};

// "unlimited" of an older libvirt is no number and has never been written for years.
struct Unsigned64 {
  static Result<std::uint64_t> decode(std::string_view text) {
    const auto number = TRY(SignedNumber::decode(text));
    if (number < 0) return fail(Error::Code::XmlInvalid, "expected a number of at least 0");
    return static_cast<std::uint64_t>(number);
  }
  static std::string encode(std::uint64_t value) { return std::to_string(value); }
};

struct CpuSet {
  static Result<std::string> decode(std::string_view text) { return format_cpuset(TRY(parse_cpuset(text))); }
  static std::string encode(const std::string& value) { return value; }
};

constexpr std::array kCpuTable = {
    property<&CpuTune::shares, Unsigned64>("shares"),
    property<&CpuTune::period, Unsigned64>("period"),
    property<&CpuTune::quota, SignedNumber>("quota"),
    property<&CpuTune::global_period, Unsigned64>("global_period"),
    property<&CpuTune::global_quota, SignedNumber>("global_quota"),
    property<&CpuTune::emulator_period, Unsigned64>("emulator_period"),
    property<&CpuTune::emulator_quota, SignedNumber>("emulator_quota"),
};
constexpr std::array kEmulatorTable = {
    property<&CpuTune::emulator_cpuset, CpuSet>("emulatorpin/@cpuset"),
};
constexpr std::array kCpuChildren = {ChildRule{"vcpupin", true}};
constexpr std::array kPinTable = {
    property<&CpuPin::vcpu, Number>("@vcpu", {.required = true}),
    property<&CpuPin::cpuset, CpuSet>("@cpuset", {.required = true}),
};
constexpr std::array kBlkioTable = {property<&BlkioTune::weight, Number>("weight")};
constexpr std::array kBlkioChildren = {ChildRule{"device", true}};
constexpr std::array kBlkioDeviceTable = {
    property<&BlkioTune::Device::path, AbsolutePath>("path", {.required = true}),
    property<&BlkioTune::Device::weight, Unsigned64>("weight"),
    property<&BlkioTune::Device::read_iops_sec, Unsigned64>("read_iops_sec"),
    property<&BlkioTune::Device::write_iops_sec, Unsigned64>("write_iops_sec"),
    property<&BlkioTune::Device::read_bytes_sec, Unsigned64>("read_bytes_sec"),
    property<&BlkioTune::Device::write_bytes_sec, Unsigned64>("write_bytes_sec"),
};
constexpr std::array kNumaTable = {
    property<&NumaTune::mode, Word<kNumaModes>>("memory/@mode"),
    property<&NumaTune::nodeset, CpuSet>("memory/@nodeset"),
    property<&NumaTune::placement, Word<kPlacements>>("memory/@placement"),
};
constexpr std::array kNumaChildren = {ChildRule{"memnode", true}};
constexpr std::array kCellMemoryTable = {
    property<&NumaTune::CellMemory::cell, Number>("@cellid", {.required = true}),
    property<&NumaTune::CellMemory::mode, Word<kNumaModes>>("@mode"),
    property<&NumaTune::CellMemory::nodeset, CpuSet>("@nodeset", {.required = true}),
};
struct MemoryLimit {
  std::string_view name;
  std::optional<std::uint64_t> MemoryTune::*value;
};
constexpr std::array kMemoryLimits = {MemoryLimit{"hard_limit", &MemoryTune::hard_limit},
                                      MemoryLimit{"soft_limit", &MemoryTune::soft_limit},
                                      MemoryLimit{"swap_hard_limit", &MemoryTune::swap_hard_limit}};
constexpr std::array kMemoryChildren = {ChildRule{"hard_limit"}, ChildRule{"soft_limit"},
                                        ChildRule{"swap_hard_limit"}};

// One more of `list`, which has its `key` alone; `what` names the key.
template <typename Member, typename Key, typename Table>
Result<> add_keyed(std::vector<Member>& list, Key Member::*key, std::string_view what, const Table& table,
                   const Place& place) {
  Member member;
  TRY(read_properties(place, table, member));
  if (std::ranges::count(list, member.*key, key) != 0)
    return fail_at(place.element, Error::Code::XmlInvalid, "more than one '{}' of {} {}", place.path, what,
                   member.*key);
  list.push_back(std::move(member));
  return {};
}

}  // namespace

Result<CpuTune> read_cpu_tune(const Place& place) {
  CpuTune tune;
  TRY(read_properties(place, join_tables(kCpuTable, kEmulatorTable), tune, kCpuChildren));
  for (const auto& child : place.element.children)
    if (child.name == "vcpupin")
      TRY(add_keyed(tune.vcpu_pins, &CpuPin::vcpu, "vCPU", kPinTable, place.child(child)));
  std::ranges::sort(tune.vcpu_pins, {}, &CpuPin::vcpu);
  return tune;
}

void write_cpu_tune(xml::Element& parent, const CpuTune& tune, const WriteContext& context) {
  auto& element = parent.add_child("cputune");
  write_properties(element, kCpuTable, tune, context);
  for (const auto& pin : tune.vcpu_pins)
    write_properties(element.add_child("vcpupin"), kPinTable, pin, context);
  write_properties(element, kEmulatorTable, tune, context);
}

Result<MemoryTune> read_memory_tune(const Place& place) {
  MemoryTune tune;
  TRY(refuse_unknown(place, {}, kMemoryChildren));
  for (const auto& limit : kMemoryLimits)
    if (const auto* child = place.element.child(limit.name))
      tune.*limit.value = TRY(read_memory(place.child(*child)));
  return tune;
}

void write_memory_tune(xml::Element& parent, const MemoryTune& tune) {
  auto& element = parent.add_child("memtune");
  for (const auto& limit : kMemoryLimits)
    if (const auto& value = tune.*limit.value) write_memory(element, limit.name, *value);
}

Result<BlkioTune> read_blkio_tune(const Place& place) {
  BlkioTune tune;
  TRY(read_properties(place, kBlkioTable, tune, kBlkioChildren));
  for (const auto& child : place.element.children)
    if (child.name == "device")
      TRY(add_keyed(tune.devices, &BlkioTune::Device::path, "device", kBlkioDeviceTable, place.child(child)));
  return tune;
}

void write_blkio_tune(xml::Element& parent, const BlkioTune& tune, const WriteContext& context) {
  auto& element = parent.add_child("blkiotune");
  write_properties(element, kBlkioTable, tune, context);
  for (const auto& device : tune.devices)
    write_properties(element.add_child("device"), kBlkioDeviceTable, device, context);
}

Result<NumaTune> read_numa_tune(const Place& place) {
  NumaTune tune;
  TRY(read_properties(place, kNumaTable, tune, kNumaChildren));
  for (const auto& child : place.element.children)
    if (child.name == "memnode")
      TRY(add_keyed(tune.cells, &NumaTune::CellMemory::cell, "cell", kCellMemoryTable, place.child(child)));
  std::ranges::sort(tune.cells, {}, &NumaTune::CellMemory::cell);
  return tune;
}

void write_numa_tune(xml::Element& parent, const NumaTune& tune, const WriteContext& context) {
  auto& element = parent.add_child("numatune");
  write_properties(element, kNumaTable, tune, context);
  for (const auto& cell : tune.cells)
    write_properties(element.add_child("memnode"), kCellMemoryTable, cell, context);
}

}  // namespace virttdx::domain_xml
