// SPDX-License-Identifier: GPL-2.0-or-later
#include "complete/checks.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "complete/steps.h"

namespace virttdx::domain_xml {
namespace {

// The kernel's limits of its CPU controller, as libvirt writes them.
template <typename T>
struct CpuRange {
  std::string_view name;
  std::optional<T> CpuTune::*value;
};
constexpr std::array kPeriods = {CpuRange<std::uint64_t>{"period", &CpuTune::period},
                                 CpuRange<std::uint64_t>{"global_period", &CpuTune::global_period},
                                 CpuRange<std::uint64_t>{"emulator_period", &CpuTune::emulator_period}};
constexpr std::array kQuotas = {CpuRange<std::int64_t>{"quota", &CpuTune::quota},
                                CpuRange<std::int64_t>{"global_quota", &CpuTune::global_quota},
                                CpuRange<std::int64_t>{"emulator_quota", &CpuTune::emulator_quota}};
constexpr std::array kShares = {CpuRange<std::uint64_t>{"shares", &CpuTune::shares}};

// 0 is the default, and a negative quota none.
template <typename T, std::size_t kSize>
Result<> check_ranges(const CpuTune& tune, const std::array<CpuRange<T>, kSize>& table, T least, T most) {
  for (const auto& [name, member] : table) {
    const T value = (tune.*member).value_or(0);
    if (value > most || (value > 0 && value < least))
      return fail(Error::Code::ConfigUnsupported, "Value of cputune '{}' must be in range [{}, {}]", name,
                  least, most);
  }
  return {};
}

Result<> check_cpu_tune(const CpuTune& tune) {
  TRY((check_ranges<std::uint64_t>(tune, kShares, 2, 262144)));
  TRY((check_ranges<std::uint64_t>(tune, kPeriods, 1000, 1'000'000)));
  return check_ranges<std::int64_t>(tune, kQuotas, 1000, 17'592'186'044'415);
}

bool has_prefix(const Disk& disk) {
  constexpr std::array<std::string_view, 5> kHardDisks = {"hd", "sd", "vd", "xvd", "ubd"};
  if (disk.device == "floppy") return disk.target_dev.starts_with("fd");
  return std::ranges::any_of(kHardDisks,
                             [&](std::string_view prefix) { return disk.target_dev.starts_with(prefix); });
}

bool is_partition(std::string_view target_dev) {
  const auto digits = target_dev.find_first_of("0123456789");
  return digits != std::string_view::npos && disk_index(target_dev.substr(0, digits)) &&
         std::ranges::all_of(target_dev.substr(digits),
                             [](unsigned char letter) { return std::isdigit(letter) != 0; });
}

Result<> check_target(const Disk& disk) {
  const auto& name = disk.target_dev;
  if (is_partition(name))
    return fail(Error::Code::ConfigUnsupported,
                "invalid disk target '{}', partitions can't appear in disk targets", name);
  if (!disk_index(name) && !disk.address)
    return fail(Error::Code::XmlInvalid, "Unknown disk name '{}' and no address specified", name);
  if (!has_prefix(disk))
    return fail(Error::Code::Internal, "Invalid {} device name: {}",
                disk.device == "floppy" ? "floppy" : "harddisk", name);
  return {};
}

std::string source_of(const Disk& disk) {
  if (!disk.source) return "<null>";
  const auto& source = *disk.source;
  for (const auto* path : {&source.file, &source.dev, &source.name})
    if (*path) return **path;
  return "<null>";
}

Result<> check_disks(const std::vector<Disk>& disks) {
  for (auto disk = disks.begin(); disk != disks.end(); ++disk) {
    TRY(check_target(*disk));
    const auto other = std::find_if(disk + 1, disks.end(),
                                    [&](const Disk& each) { return each.target_dev == disk->target_dev; });
    if (other != disks.end())
      return fail(Error::Code::XmlInvalid, "target '{}' duplicated for disk sources '{}' and '{}'",
                  disk->target_dev, source_of(*disk), source_of(*other));
  }
  return {};
}

}  // namespace

Result<> check_definition(const Domain& domain) {
  if (domain.title && domain.title->find('\n') != std::string::npos)
    return fail(Error::Code::XmlInvalid, "Domain title can't contain newlines");
  if (domain.tuning.cpu) TRY(check_cpu_tune(*domain.tuning.cpu));
  return check_disks(domain.devices.disks);
}

}  // namespace virttdx::domain_xml
