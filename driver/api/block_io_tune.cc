// SPDX-License-Identifier: GPL-2.0-or-later
// Limits of one disk's rates (virsh blkdeviotune), and of those that share them by a group.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>

#include "api/domain_reply.h"
#include "api/find_device.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/tunables.h"
#include "api/typed_params.h"
#include "domain_xml/live_change.h"

namespace virttdx::driver::api {
namespace {

using domain_xml::IoTune;
using Known = ParamsRead::Known;

/// What a change gives the other limits of a group that it names one of: none. Groups that it does not name
/// stay.
enum class Group : std::uint8_t {
  Bytes,
  Requests,
  BytesMaximum,
  RequestsMaximum,
  BytesLength,
  RequestsLength,
  Size
};

struct Limit {
  const char* name;
  IoTune::Limit IoTune::*member;
  Group group;
};
// In the order of libvirt's QEMU driver; the group's name stands behind the size of a request there.
constexpr std::array kLimits = {
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC, &IoTune::total_bytes_sec, Group::Bytes},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC, &IoTune::read_bytes_sec, Group::Bytes},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC, &IoTune::write_bytes_sec, Group::Bytes},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC, &IoTune::total_iops_sec, Group::Requests},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC, &IoTune::read_iops_sec, Group::Requests},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC, &IoTune::write_iops_sec, Group::Requests},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC_MAX, &IoTune::total_bytes_sec_max, Group::BytesMaximum},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC_MAX, &IoTune::read_bytes_sec_max, Group::BytesMaximum},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC_MAX, &IoTune::write_bytes_sec_max, Group::BytesMaximum},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC_MAX, &IoTune::total_iops_sec_max, Group::RequestsMaximum},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC_MAX, &IoTune::read_iops_sec_max, Group::RequestsMaximum},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC_MAX, &IoTune::write_iops_sec_max, Group::RequestsMaximum},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_SIZE_IOPS_SEC, &IoTune::size_iops_sec, Group::Size},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC_MAX_LENGTH, &IoTune::total_bytes_sec_max_length,
          Group::BytesLength},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC_MAX_LENGTH, &IoTune::read_bytes_sec_max_length,
          Group::BytesLength},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC_MAX_LENGTH, &IoTune::write_bytes_sec_max_length,
          Group::BytesLength},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC_MAX_LENGTH, &IoTune::total_iops_sec_max_length,
          Group::RequestsLength},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC_MAX_LENGTH, &IoTune::read_iops_sec_max_length,
          Group::RequestsLength},
    Limit{VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC_MAX_LENGTH, &IoTune::write_iops_sec_max_length,
          Group::RequestsLength}};
constexpr std::size_t kParamCount = kLimits.size() + 1;

constexpr auto kKnown = [] {
  std::array<Known, kParamCount> known{};
  for (std::size_t i = 0; i < kLimits.size(); ++i) known[i] = {kLimits[i].name, VIR_TYPED_PARAM_ULLONG};
  known[kLimits.size()] = {VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME, VIR_TYPED_PARAM_STRING};
  return known;
}();

// Numbers are signed in libvirt's drivers.
constexpr std::uint64_t kMaximum = 1'000'000'000'000'000;

// A total beside a direction's, of bytes or of requests.
Result<> check_totals(const IoTune& tune) {
  const auto both = [](const IoTune::Limit& total, const IoTune::Limit& read, const IoTune::Limit& write) {
    return total && (read || write);
  };
  constexpr auto kText = "total and read/write of {} cannot be set at the same time";
  if (both(tune.total_bytes_sec, tune.read_bytes_sec, tune.write_bytes_sec))
    return fail(Error::Code::InvalidArgument, kText, "bytes_sec");
  if (both(tune.total_iops_sec, tune.read_iops_sec, tune.write_iops_sec))
    return fail(Error::Code::InvalidArgument, kText, "iops_sec");
  if (both(tune.total_bytes_sec_max, tune.read_bytes_sec_max, tune.write_bytes_sec_max))
    return fail(Error::Code::InvalidArgument, kText, "bytes_sec_max");
  if (both(tune.total_iops_sec_max, tune.read_iops_sec_max, tune.write_iops_sec_max))
    return fail(Error::Code::InvalidArgument, kText, "iops_sec_max");
  return {};
}

bool names_group(const ParamsRead& params, Group group) {
  return std::ranges::any_of(
      kLimits, [&](const Limit& limit) { return limit.group == group && params.has(limit.name); });
}

Result<> set_limits(IoTune& tune, const ParamsRead& params) {
  for (const Limit& limit : kLimits) {
    if (!names_group(params, limit.group)) continue;
    const auto value = params.ullong(limit.name).value_or(0);
    if (value > kMaximum)
      return fail(Error::Code::InvalidArgument, "block I/O throttle limit must be no more than {} using QEMU",
                  kMaximum);
    tune.*limit.member = value == 0 ? IoTune::Limit() : IoTune::Limit(value);
  }
  if (const auto group = params.string(VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME))
    tune.group_name = group->empty() ? std::nullopt : std::optional(*group);
  return check_totals(tune);
}

TypedParams params_of(Arena& arena, const IoTune& tune) {
  TypedParams params(arena);
  for (const Limit& limit : kLimits) {
    params.add_ullong(limit.name, (tune.*limit.member).value_or(0));
    if (limit.group == Group::Size)
      params.add_string(VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME, tune.group_name.value_or(""));
  }
  return params;
}

// libvirt's two ways to say it.
Error no_disk(std::string_view path, bool live) {
  if (live) return {Error::Code::InvalidArgument, fmt::format("disk '{}' not found in domain", path)};
  return {Error::Code::InvalidArgument, fmt::format("disk '{}' was not found in the domain config", path)};
}

}  // namespace

// A client asks how many there are by having room for none.
Answer domain_get_block_io_tune(Session& session, const remote_domain_get_block_io_tune_args& args,
                                remote_domain_get_block_io_tune_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetBlockIoTune");
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto* domain = TRY(definition_asked(*record, args.flags));
  ret.nparams = static_cast<int>(kParamCount);
  if (args.nparams == 0) return {};
  const std::string path(args.disk == nullptr ? "" : shortened(*args.disk));
  const auto* disk = find_disk(*domain, path);
  if (disk == nullptr)
    return tl::unexpected(WireError(no_disk(path, record->live && domain == &record->live->definition)));
  auto list = params_of(arena, disk->iotune).take();
  if (list.size() > static_cast<std::size_t>(std::max(args.nparams, 0)))
    list.resize(static_cast<std::size_t>(std::max(args.nparams, 0)));
  arena.array(ret.params.params_len, ret.params.params_val, std::move(list));
  return {};
}

namespace {

Result<domain_xml::Disk*> disk_to_change(domain_xml::Domain& domain, std::string_view path, bool live) {
  const auto* found = find_disk(domain, path);
  if (found == nullptr) return tl::unexpected(no_disk(path, live));
  return &domain.devices.disks.at(static_cast<std::size_t>(found - domain.devices.disks.data()));
}

// The disks of its group have the same limits.
Result<> change_limits(domain_xml::Domain& domain, std::string_view path, const IoTune& tune) {
  TRY(disk_to_change(domain, path, false))->iotune = tune;
  if (!tune.group_name) return {};
  for (auto& disk : domain.devices.disks)
    if (disk.iotune.group_name == tune.group_name) disk.iotune = tune;
  return {};
}

// With this change, of the definition in force for one that changes both.
Result<IoTune> changed_limits(const DomainRecord& record, const Impact& impact, std::string_view path,
                              const ParamsRead& params) {
  auto domain = impact.live ? record.live->definition : *record.definition;
  auto& disk = *TRY(disk_to_change(domain, path, impact.live));
  const auto group = disk.iotune.group_name;
  TRY(set_limits(disk.iotune, params));
  if (impact.live && disk.iotune.group_name != group)
    return fail(Error::Code::Unsupported, "the group of a running domain's disk cannot be changed");
  return disk.iotune;
}

}  // namespace

Answer domain_set_block_io_tune(Session& session, const remote_domain_set_block_io_tune_args& args,
                                Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainSetBlockIoTune");
  const ParamsRead params(args.params.params_val, args.params.params_len);
  CHECK_ANSWER(params.check(kKnown));
  const RecordPtr record = TRY(find_record(session, args.dom));
  const Impact impact = TRY(impact_of(*record, args.flags));
  const std::string path(shortened(args.disk));
  const IoTune tune = TRY(changed_limits(*record, impact, path, params));
  DomainService::MonitorCommand command{
      control_command::kDiskLimits, {}, "remoteDispatchDomainSetBlockIoTune"};
  const DiskLimits limits = domain_xml::disk_limits(tune);
  std::string alias;
  if (impact.live) alias = find_disk(record->live->definition, path)->alias.value_or("");
  command.arguments = {{"id", alias}, {"limits", disk_limits_to_json(limits)}};
  std::vector<Tunable> tunables;
  if (impact.live) {
    tunables = tunables_of(params, kKnown, "blkdeviotune.");
    tunables.insert(tunables.begin(), {VIR_DOMAIN_TUNABLE_BLKDEV_DISK, std::string(args.disk)});
  }
  auto& service = session.service();
  service.change_with_monitor(
      record, impact, command,
      [path, tune](domain_xml::Domain& domain) { return change_limits(domain, path, tune); },
      telling(session, record, std::move(tunables), finish(reply)));
  return {};
}

}  // namespace virttdx::driver::api
