// SPDX-License-Identifier: GPL-2.0-or-later
// TDVMCALL<Instruction.IO> and <#VE.RequestMMIO>.
#include <cstring>

#include "softhost/kvm/td_vmcall.h"
#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

// Guests may leave more in the register than they access.
std::uint64_t truncate(std::uint64_t value, std::uint64_t size) {
  return size >= 8 ? value : value & ((std::uint64_t{1} << (8 * size)) - 1);
}

bool is_port_size(std::uint64_t size) { return size == 1 || size == 2 || size == 4; }

VmCallEnd complete_write(VmCall& call) { return call.answer(vmcall::kSuccess); }

VmCallEnd complete_port_read(VmCall& call) {
  std::uint64_t value = 0;
  std::memcpy(&value, call.vcpu.run_page.io_data().data(), call.in[kR12]);
  call.out[kR11] = value;
  return call.answer(vmcall::kSuccess);
}

VmCallEnd complete_mmio_read(VmCall& call) {
  std::uint64_t value = 0;
  std::memcpy(&value, call.vcpu.run().mmio.data, call.in[kR12]);
  call.out[kR11] = value;
  return call.answer(vmcall::kSuccess);
}

// First and last byte must be reached through the SHARED alias.
bool is_shared_access(const Vcpu& vcpu, std::uint64_t gpa, std::uint64_t size) {
  const std::uint64_t shared_bit = vcpu.vm.td->shared_bit();
  return (gpa & shared_bit) != 0 && ((gpa + size - 1) & shared_bit) != 0;
}

}  // namespace

VmCallEnd vmcall_io(VmCall& call) {
  ++call.vcpu.counters.io_exits;
  const std::uint64_t size = call.in[kR12];
  const std::uint64_t is_write = call.in[kR13];
  if (!is_port_size(size) || is_write > 1) return call.answer(vmcall::kInvalidOperand);
  const auto port = static_cast<std::uint16_t>(call.in[kR14]);
  const std::uint64_t value = truncate(call.in[kR15], size);
  if (is_write != 0 && call.vcpu.vm.io_events.write(true, port, static_cast<std::uint32_t>(size), value))
    return call.answer(vmcall::kSuccess);
  kvm::kvm_run& run = call.vcpu.run();
  run.exit_reason = kvm::KVM_EXIT_IO;
  run.io.direction = is_write != 0 ? kvm::KVM_EXIT_IO_OUT : kvm::KVM_EXIT_IO_IN;
  run.io.size = static_cast<std::uint8_t>(size);
  run.io.port = port;
  run.io.count = 1;
  run.io.data_offset = RunPage::kIoDataOffset;
  if (is_write != 0) std::memcpy(call.vcpu.run_page.io_data().data(), &value, size);
  call.complete = is_write != 0 ? complete_write : complete_port_read;
  return VmCallEnd::Exit;
}

VmCallEnd vmcall_mmio(VmCall& call) {
  const std::uint64_t size = call.in[kR12];
  const std::uint64_t is_write = call.in[kR13];
  const std::uint64_t gpa = call.in[kR14];
  if ((!is_port_size(size) && size != 8) || is_write > 1 || !is_shared_access(call.vcpu, gpa, size))
    return call.answer(vmcall::kInvalidOperand);
  const std::uint64_t address = gpa & ~call.vcpu.vm.td->shared_bit();
  const std::uint64_t value = truncate(call.in[kR15], size);
  if (is_write != 0 && call.vcpu.vm.io_events.write(false, address, static_cast<std::uint32_t>(size), value))
    return call.answer(vmcall::kSuccess);
  kvm::kvm_run& run = call.vcpu.run();
  run.exit_reason = kvm::KVM_EXIT_MMIO;
  run.mmio.phys_addr = address;
  run.mmio.len = static_cast<std::uint32_t>(size);
  run.mmio.is_write = is_write != 0;
  if (is_write != 0) std::memcpy(run.mmio.data, &value, sizeof(value));
  call.complete = is_write != 0 ? complete_write : complete_mmio_read;
  return VmCallEnd::Exit;
}

}  // namespace virttdx::softhost
