// SPDX-License-Identifier: GPL-2.0-or-later
// What the host's CPUs and memory do now.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <array>

#include "api/flags.h"
#include "api/handlers.h"
#include "api/typed_params.h"
#include "domain_xml/sysinfo.h"
#include "host/host_statistics.h"

namespace virttdx::driver::api {
namespace {

// A client asks how many values there are by having no room, then has room for just as many.
template <typename Ret, typename Row>
Answer give_rows(Ret& ret, Arena& arena, std::vector<Row> rows, int room, std::string_view function) {
  ret.nparams = static_cast<int>(rows.size());
  if (room == 0) return {};
  if (std::cmp_not_equal(room, rows.size()))
    return fail(Error::Code::InvalidArgument, "nparams in {} must be equal to {}", function, rows.size());
  arena.array(ret.params.params_len, ret.params.params_val, std::move(rows));
  return {};
}

struct KsmParam {
  const char* name;
  std::string_view file;
  bool is_count;  ///< 64 bits
};
constexpr std::array kKsmParams = {
    KsmParam{VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN, "pages_to_scan", false},
    KsmParam{VIR_NODE_MEMORY_SHARED_SLEEP_MILLISECS, "sleep_millisecs", false},
    KsmParam{VIR_NODE_MEMORY_SHARED_PAGES_SHARED, "pages_shared", true},
    KsmParam{VIR_NODE_MEMORY_SHARED_PAGES_SHARING, "pages_sharing", true},
    KsmParam{VIR_NODE_MEMORY_SHARED_PAGES_UNSHARED, "pages_unshared", true},
    KsmParam{VIR_NODE_MEMORY_SHARED_PAGES_VOLATILE, "pages_volatile", true},
    KsmParam{VIR_NODE_MEMORY_SHARED_FULL_SCANS, "full_scans", true},
    KsmParam{VIR_NODE_MEMORY_SHARED_MERGE_ACROSS_NODES, "merge_across_nodes", false}};

std::size_t cell_count(Session& session) { return session.service().host().description.cells.size(); }

}  // namespace

Answer node_get_cpu_stats(Session&, const remote_node_get_cpu_stats_args& args,
                          remote_node_get_cpu_stats_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virNodeGetCPUStats");
  const bool all = args.cpuNum == VIR_NODE_CPU_STATS_ALL_CPUS;
  const auto times =
      args.cpuNum < VIR_NODE_CPU_STATS_ALL_CPUS
          ? Result<CpuTimes>(fail(Error::Code::NotFound, "negative"))
          : host_cpu_times(all ? std::nullopt : std::optional(static_cast<std::uint32_t>(args.cpuNum)));
  if (!times) return fail(Error::Code::InvalidArgument, "Invalid cpuNum in virNodeGetCPUStats");
  std::vector<remote_node_get_cpu_stats> rows = {
      {.field = arena.text(VIR_NODE_CPU_STATS_KERNEL), .value = times->kernel},
      {.field = arena.text(VIR_NODE_CPU_STATS_USER), .value = times->user},
      {.field = arena.text(VIR_NODE_CPU_STATS_IDLE), .value = times->idle},
      {.field = arena.text(VIR_NODE_CPU_STATS_IOWAIT), .value = times->io_wait}};
  return give_rows(ret, arena, std::move(rows), args.nparams, "virNodeGetCPUStats");
}

Answer node_get_memory_stats(Session& session, const remote_node_get_memory_stats_args& args,
                             remote_node_get_memory_stats_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virNodeGetMemoryStats");
  const bool all = args.cellNum == VIR_NODE_MEMORY_STATS_ALL_CELLS;
  if (args.cellNum < VIR_NODE_MEMORY_STATS_ALL_CELLS ||
      std::cmp_greater_equal(args.cellNum, cell_count(session)))
    return fail(Error::Code::InvalidArgument,
                "cellNum in virNodeGetMemoryStats must be less than or equal to {}", cell_count(session) - 1);
  const auto use =
      TRY(host_memory(all ? std::nullopt : std::optional(static_cast<std::uint32_t>(args.cellNum))));
  std::vector<remote_node_get_memory_stats> rows = {
      {.field = arena.text(VIR_NODE_MEMORY_STATS_TOTAL), .value = use.total},
      {.field = arena.text(VIR_NODE_MEMORY_STATS_FREE), .value = use.free}};
  if (all) {
    rows.push_back({.field = arena.text(VIR_NODE_MEMORY_STATS_BUFFERS), .value = use.buffers});
    rows.push_back({.field = arena.text(VIR_NODE_MEMORY_STATS_CACHED), .value = use.cached});
  }
  return give_rows(ret, arena, std::move(rows), args.nparams, "virNodeGetMemoryStats");
}

Answer node_get_free_memory(Session&, remote_node_get_free_memory_ret& ret, Arena&) {
  ret.freeMem = TRY(host_memory(std::nullopt)).free * 1024;
  return {};
}

Answer node_get_cells_free_memory(Session& session, const remote_node_get_cells_free_memory_args& args,
                                  remote_node_get_cells_free_memory_ret& ret, Arena& arena) {
  if (args.startCell < 0 || std::cmp_greater_equal(args.startCell, cell_count(session)))
    return fail(Error::Code::Internal, "start cell {} out of range (0-{})", args.startCell,
                cell_count(session) - 1);
  std::vector<std::uint64_t> cells;
  for (auto cell = static_cast<std::uint32_t>(args.startCell);
       cell < cell_count(session) && std::cmp_less(cells.size(), args.maxcells); ++cell)
    cells.push_back(TRY(host_memory(cell)).free * 1024);
  std::vector<u_quad_t> wire(cells.begin(), cells.end());
  arena.array(ret.cells.cells_len, ret.cells.cells_val, std::move(wire));
  return {};
}

Answer node_get_free_pages(Session& session, const remote_node_get_free_pages_args& args,
                           remote_node_get_free_pages_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virNodeGetFreePages");
  if (std::uint64_t{args.pages.pages_len} * args.cellCount > REMOTE_NODE_MAX_CELLS)
    return fail(Error::Code::InvalidArgument, "too many NUMA cells: {} * {} > {}", args.pages.pages_len,
                args.cellCount, REMOTE_NODE_MAX_CELLS);
  if (args.startCell < -1 || std::cmp_greater_equal(args.startCell, cell_count(session)))
    return fail(Error::Code::Internal, "start cell {} out of range (0-{})", args.startCell,
                cell_count(session) - 1);
  const auto first = static_cast<std::uint32_t>(std::max(args.startCell, 0));
  std::vector<u_quad_t> counts;
  for (std::uint32_t cell = first; cell < first + args.cellCount && cell < cell_count(session); ++cell)
    for (u_int i = 0; i < args.pages.pages_len; ++i) {
      const auto pages = free_pages(cell, args.pages.pages_val[i]);
      if (!pages)
        return tl::unexpected(wire_error(VIR_ERR_OPERATION_FAILED,
                                         fmt::format("operation failed: {}", pages.error().message())));
      counts.push_back(*pages);
    }
  arena.array(ret.counts.counts_len, ret.counts.counts_val, std::move(counts));
  return {};
}

Answer node_get_memory_parameters(Session&, const remote_node_get_memory_parameters_args& args,
                                  remote_node_get_memory_parameters_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, VIR_TYPED_PARAM_STRING_OKAY, "virNodeGetMemoryParameters");
  TypedParams params(arena);
  for (const auto& param : kKsmParams) {
    const auto value = ksm_value(param.file);
    if (!value) continue;
    param.is_count ? params.add_ullong(param.name, *value)
                   : params.add_uint(param.name, static_cast<std::uint32_t>(*value));
  }
  auto rows = params.take();
  ret.nparams = static_cast<int>(rows.size());
  if (args.nparams <= 0) return {};
  rows.resize(std::min(rows.size(), static_cast<std::size_t>(args.nparams)));
  ret.nparams = static_cast<int>(rows.size());
  arena.array(ret.params.params_len, ret.params.params_val, std::move(rows));
  return {};
}

Answer connect_get_sysinfo(Session&, const remote_connect_get_sysinfo_args& args,
                           remote_connect_get_sysinfo_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virConnectGetSysinfo");
  const auto xml = domain_xml::format_sysinfo(dmi_value);
  if (!xml) return fail(Error::Code::ConfigUnsupported, "Host SMBIOS information is not available");
  ret.sysinfo = arena.text(*xml);
  return {};
}

}  // namespace virttdx::driver::api
