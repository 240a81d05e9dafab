// SPDX-License-Identifier: GPL-2.0-or-later
// libvirt's QEMU program (virsh qemu-agent-command, qemu-monitor-command): commands for the guest agent are
// served, for there is one; commands for QEMU's monitor are refused, for there is no QEMU.
#pragma once

#include <span>

#include "api/dispatch.h"
#include "api/procedures.h"

namespace virttdx::driver {

struct QemuProcedure {
  ProcedureInfo info;
  Served served;
  std::string_view refusal;  ///< why `served` refuses; empty: it serves
};

std::span<const QemuProcedure> all_qemu_procedures();
/// Null when the QEMU program has no such call.
const ProcedureInfo* find_qemu_procedure(int number);
/// Null: it is none of the above, but of the remote program.
const Served* find_qemu_served(const ProcedureInfo& procedure);

}  // namespace virttdx::driver
