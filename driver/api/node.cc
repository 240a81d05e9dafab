// SPDX-License-Identifier: GPL-2.0-or-later
// The host: capabilities, processors, memory.
#include <libvirt/libvirt.h>

#include <algorithm>
#include <cstring>

#include "api/emulator_request.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "domain_xml/machine_name.h"
#include "host/host_hardware.h"

namespace virttdx::driver::api {
namespace {

void write_chars(char (&target)[32], std::string_view text) {
  std::memcpy(target, text.data(), std::min(text.size(), sizeof(target) - 1));
}

std::uint32_t cpu_count(const domain_xml::HostDescription& host) {
  std::size_t count = 0;
  for (const auto& cell : host.cells) count += cell.cpus.size();
  return static_cast<std::uint32_t>(count);
}

}  // namespace

Answer connect_get_capabilities(Session& session, remote_connect_get_capabilities_ret& ret, Arena& arena) {
  const HostAccess& host = session.service().host();
  ret.capabilities =
      arena.text(domain_xml::format_capabilities(host.capabilities, host.description, host_hardware()));
  return {};
}

Answer connect_get_domain_capabilities(Session& session,
                                       const remote_connect_get_domain_capabilities_args& args,
                                       remote_connect_get_domain_capabilities_ret& ret, Arena& arena) {
  const HostAccess& host = session.service().host();
  CHECK_FLAGS(args.flags, 0, "virConnectGetDomainCapabilities");
  const EmulatorRequest emulator{args.emulatorbin, args.arch, args.machine, args.virttype};
  if (const auto checked = check_emulator(host, emulator); !checked) return checked;
  domain_xml::DomainCapabilitiesRequest request{.emulator_path = host.monitor_binary.native()};
  if (args.machine != nullptr) request.machine = *domain_xml::canonical_machine(*args.machine);
  ret.capabilities = arena.text(domain_xml::format_domain_capabilities(host.capabilities, request));
  return {};
}

Answer connect_get_max_vcpus(Session& session, const remote_connect_get_max_vcpus_args& args,
                             remote_connect_get_max_vcpus_ret& ret, Arena&) {
  if (!is_absent_or(args.type, "kvm"))
    return fail(Error::Code::InvalidArgument, "unknown type '{}', only kvm is offered", *args.type);
  ret.max_vcpus =
      static_cast<int>(std::min<std::uint32_t>(session.service().host().capabilities.max_vcpus, INT_MAX));
  return {};
}

Answer node_get_info(Session& session, remote_node_get_info_ret& ret, Arena&) {
  const auto& host = session.service().host().description;
  write_chars(ret.model, "x86_64");
  ret.memory = host.memory_kib;
  ret.cpus = static_cast<int>(cpu_count(host));
  ret.mhz = static_cast<int>(session.service().host().capabilities.tsc_khz / 1000);
  ret.nodes = static_cast<int>(host.cells.size());
  // libvirt counts the sockets of one node.
  ret.sockets = std::max(static_cast<int>(host.cpu_sockets) / std::max(ret.nodes, 1), 1);
  ret.cores = static_cast<int>(host.cpu_cores);
  ret.threads = static_cast<int>(host.cpu_threads);
  return {};
}

Answer node_get_cpu_map(Session& session, const remote_node_get_cpu_map_args& args,
                        remote_node_get_cpu_map_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virNodeGetCPUMap");
  std::vector<char> map;
  for (const auto& cell : session.service().host().description.cells)
    for (const auto& cpu : cell.cpus) {
      map.resize(std::max<std::size_t>(map.size(), cpu.id / 8 + 1));
      map[cpu.id / 8] = static_cast<char>(map[cpu.id / 8] | 1 << cpu.id % 8);
      ret.ret = std::max(ret.ret, static_cast<int>(cpu.id) + 1);
    }
  if (args.need_online != 0) ret.online = cpu_count(session.service().host().description);
  if (args.need_map != 0) arena.array(ret.cpumap.cpumap_len, ret.cpumap.cpumap_val, std::move(map));
  return {};
}

// No security driver confines monitors.
Answer node_get_security_model(Session&, remote_node_get_security_model_ret&, Arena&) { return {}; }

}  // namespace virttdx::driver::api
