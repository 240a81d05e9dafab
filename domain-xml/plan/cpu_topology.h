// SPDX-License-Identifier: GPL-2.0-or-later
// The leaves that tell a guest how its vCPUs are arranged.
#pragma once

#include <cstdint>
#include <vector>

#include "domain_xml/domain.h"
#include "vmm_backend/cpuid.h"
#include "vmm_backend/vm_config.h"

namespace virttdx::domain_xml {

/// `packages` sockets with a core a vCPU, unless the definition says otherwise.
CpuTopology topology_of(const std::optional<Cpu>& cpu, std::uint32_t vcpus, std::uint32_t packages = 1);

/// A socket for each node where the nodes are blocks of vCPUs of one size, in their order: Linux doubts a
/// package that lies in several nodes. Else one.
std::uint32_t packages_of(const std::vector<NumaNodeConfig>& nodes);

/// x2APIC ids of all vCPUs, whose bit fields tell threads, cores, dies and sockets apart, as leaf 0x1F needs.
/// Empty: they are 0, 1, 2 ... The topology's product is the number of vCPUs.
std::vector<std::uint32_t> vcpu_ids_of(const CpuTopology& topology);

/// Replaces leaves 0xB and 0x1F, and adapts leaves 1 and 4. Ids of single vCPUs stay 0.
void apply_topology(CpuidEntries& entries, const CpuTopology& topology);

}  // namespace virttdx::domain_xml
