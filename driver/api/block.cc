// SPDX-License-Identifier: GPL-2.0-or-later
// Questions about disks: what they did, how large they are, which is in error; and another size.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>

#include "api/domain_reply.h"
#include "api/find_device.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/typed_params.h"

namespace virttdx::driver::api {
namespace {

Result<RecordPtr> find_running(Session& session, const remote_nonnull_domain& dom) {
  RecordPtr record = TRY(find_record(session, dom));
  TRY(check_operation(Operation::Query, record->phase));
  return record;
}

struct Count {
  std::string_view name;
  std::uint64_t DiskStatistics::*value;
};
// In the order of libvirt's QEMU driver.
constexpr std::array kCounts = {
    Count{VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, &DiskStatistics::write_bytes},
    Count{VIR_DOMAIN_BLOCK_STATS_WRITE_REQ, &DiskStatistics::write_requests},
    Count{VIR_DOMAIN_BLOCK_STATS_READ_BYTES, &DiskStatistics::read_bytes},
    Count{VIR_DOMAIN_BLOCK_STATS_READ_REQ, &DiskStatistics::read_requests},
    Count{VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ, &DiskStatistics::flush_requests},
    Count{VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES, &DiskStatistics::write_time_ns},
    Count{VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES, &DiskStatistics::read_time_ns},
    Count{VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES, &DiskStatistics::flush_time_ns}};

void add(DiskStatistics& sum, const DiskStatistics& disk) {
  for (const auto& count : kCounts) sum.*count.value += disk.*count.value;
  sum.errors += disk.errors;
}

// Of the disk that `path` names, of all of them together when it names none.
using DiskHandler = std::function<void(const DiskStatistics&)>;
template <typename Ret>
Answer ask_disk(Session& session, const RecordPtr& record, const char* path, const Deferred<Ret>& reply,
                const DiskHandler& handler) {
  const auto* disk = find_disk(record->live->definition, path);
  if (disk == nullptr && *path != '\0')
    return fail(Error::Code::InvalidArgument, "invalid path: {}", shortened(path));
  session.service().device_statistics(
      record, [reply, handler, target = disk == nullptr ? "" : disk->target_dev](const auto& statistics) {
        if (!statistics) return reply.fail(statistics.error());
        DiskStatistics sum;
        for (const auto& each : statistics->disks)
          if (target.empty() || each.target == target) add(sum, each);
        handler(sum);
      });
  return {};
}

remote_domain_get_block_info_ret block_info(const ImageSize& size) {
  return {.allocation = size.allocation, .capacity = size.capacity, .physical = size.physical};
}

Answer info_of_image(Session& session, const domain_xml::Disk& disk,
                     const Deferred<remote_domain_get_block_info_ret>& reply) {
  if (path_of(disk).empty())
    return fail(Error::Code::InvalidArgument, "disk '{}' does not currently have a source assigned",
                disk.target_dev);
  session.context().image_sizes.ask(image_of(disk), [reply](const Result<ImageSize>& size) {
    size ? reply.succeed(block_info(*size)) : reply.fail(size.error());
  });
  return {};
}

}  // namespace

Answer domain_block_stats(Session& session, const remote_domain_block_stats_args& args,
                          Deferred<remote_domain_block_stats_ret> reply) {
  const RecordPtr record = TRY(find_running(session, args.dom));
  return ask_disk(session, record, args.path, reply, [reply](const DiskStatistics& disk) {
    // -1 is libvirt's word for unknown; the monitor counts them.
    reply.succeed({.rd_req = static_cast<std::int64_t>(disk.read_requests),
                   .rd_bytes = static_cast<std::int64_t>(disk.read_bytes),
                   .wr_req = static_cast<std::int64_t>(disk.write_requests),
                   .wr_bytes = static_cast<std::int64_t>(disk.write_bytes),
                   .errs = static_cast<std::int64_t>(disk.errors)});
  });
}

Answer domain_block_stats_flags(Session& session, const remote_domain_block_stats_flags_args& args,
                                Deferred<remote_domain_block_stats_flags_ret> reply) {
  CHECK_FLAGS(args.flags, VIR_TYPED_PARAM_STRING_OKAY, "virDomainBlockStatsFlags");
  const RecordPtr record = TRY(find_running(session, args.dom));
  const auto wanted = static_cast<std::size_t>(std::max(args.nparams, 0));
  return ask_disk(session, record, args.path, reply, [reply, wanted](const DiskStatistics& disk) {
    Arena arena;
    TypedParams params(arena);
    for (const auto& count : kCounts)
      params.add_llong(count.name, static_cast<std::int64_t>(disk.*count.value));
    auto list = params.take();
    remote_domain_block_stats_flags_ret ret{};
    // Asked for none, a client wants to know how many there are.
    ret.nparams = static_cast<int>(wanted == 0 ? list.size() : std::min(list.size(), wanted));
    list.resize(std::min(list.size(), wanted));
    arena.array(ret.params.params_len, ret.params.params_val, std::move(list));
    reply.succeed(ret);
  });
}

Answer domain_get_block_info(Session& session, const remote_domain_get_block_info_args& args,
                             Deferred<remote_domain_get_block_info_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainGetBlockInfo");
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto* disk = find_disk(record->current(), args.path);
  if (disk == nullptr)
    return fail(Error::Code::InvalidArgument, "invalid path {} not assigned to domain", shortened(args.path));
  if (!check_operation(Operation::Query, record->phase)) return info_of_image(session, *disk, reply);
  session.service().device_statistics(record, [reply, disk = *disk](const auto& statistics) {
    if (!statistics) return reply.fail(statistics.error());
    const auto* found = statistics_of(*statistics, disk);
    if (found == nullptr)
      return reply.fail(
          Error(Error::Code::Internal,
                fmt::format("the monitor tells nothing of disk '{}'; see its log", disk.target_dev)));
    reply.succeed(block_info({found->capacity, found->allocated, found->physical}));
  });
  return {};
}

// There never is a job.
Answer domain_get_block_job_info(Session& session, const remote_domain_get_block_job_info_args& args,
                                 remote_domain_get_block_job_info_ret&, Arena&) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES, "virDomainGetBlockJobInfo");
  const RecordPtr record = TRY(find_running(session, args.dom));
  if (find_disk(record->live->definition, args.path) == nullptr)
    return fail(Error::Code::InvalidArgument, "disk '{}' not found in domain", shortened(args.path));
  return {};
}

// Of the disks that an error has stopped.
Answer domain_get_disk_errors(Session& session, const remote_domain_get_disk_errors_args& args,
                              Deferred<remote_domain_get_disk_errors_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainGetDiskErrors");
  const RecordPtr record = TRY(find_running(session, args.dom));
  if (args.maxerrors == 0) {
    reply.succeed({.errors = {}, .nerrors = static_cast<int>(record->live->definition.devices.disks.size())});
    return {};
  }
  session.service().device_statistics(record, [reply, maximum = args.maxerrors](const auto& statistics) {
    if (!statistics) return reply.fail(statistics.error());
    Arena arena;
    std::vector<remote_domain_disk_error> errors;
    for (const auto& disk : statistics->disks)
      if (disk.io_status != DiskIoStatus::Ok && errors.size() < maximum)
        errors.push_back({.disk = arena.text(disk.target),
                          .error = disk.io_status == DiskIoStatus::NoSpace ? VIR_DOMAIN_DISK_ERROR_NO_SPACE
                                                                           : VIR_DOMAIN_DISK_ERROR_UNSPEC});
    remote_domain_get_disk_errors_ret ret{.errors = {}, .nerrors = static_cast<int>(errors.size())};
    arena.array(ret.errors.errors_len, ret.errors.errors_val, std::move(errors));
    reply.succeed(ret);
  });
  return {};
}

Answer domain_block_resize(Session& session, const remote_domain_block_resize_args& args,
                           Deferred<void> reply) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_BLOCK_RESIZE_BYTES, "virDomainBlockResize");
  constexpr std::uint64_t kKibibyte = 1024;
  const bool in_bytes = (args.flags & VIR_DOMAIN_BLOCK_RESIZE_BYTES) != 0;
  if (!in_bytes && args.size > UINT64_MAX / kKibibyte)
    return tl::unexpected(
        wire_error(VIR_ERR_OVERFLOW, fmt::format("size must be less than {}", UINT64_MAX / kKibibyte)));
  const RecordPtr record = TRY(find_running(session, args.dom));
  const auto* disk = find_disk(record->live->definition, args.disk);
  if (disk == nullptr) return fail(Error::Code::InvalidArgument, "invalid path: {}", shortened(args.disk));
  const nlohmann::json arguments = {{"id", disk->alias.value_or("")},
                                    {"bytes", in_bytes ? args.size : args.size * kKibibyte}};
  session.service().tell_monitor(
      record, {control_command::kDiskResize, arguments, "remoteDispatchDomainBlockResize"}, finish(reply));
  return {};
}

}  // namespace virttdx::driver::api
