// SPDX-License-Identifier: GPL-2.0-or-later
// What a port exit costs in the monitor: without a trace, with one that nobody reads, and while somebody
// does.
#include <benchmark/benchmark.h>

#include <array>
#include <optional>

#include "../kvm/fake_kernel.h"
#include "vcpu/exit_handler.h"

namespace virttdx::test {
namespace {

class Silent final : public BusRegion {
 public:
  void read(std::uint64_t, std::span<std::byte>) override {}
  void write(std::uint64_t, std::span<const std::byte>) override {}
};

class NoVmcalls final : public TdVmcallHandler {
 public:
  void td_vmcall(kvm::kvm_run&, std::uint32_t) override {}
};

enum class Tracing { None, Off, On };

void port_write(benchmark::State& state, Tracing tracing) {
  FakeKernel kernel;
  auto vm = std::move(*Kvm::open(kernel)->create_vm(kvm::KVM_X86_TDX_VM));
  auto memory = std::move(*GuestMemory::create(vm, {}));
  PortBus ports;
  MmioBus mmio;
  Silent device;
  NoVmcalls vmcalls;
  CHECK(ports.add(0x3F8, 1, "silent", device));
  ExitTrace trace(1);
  if (tracing == Tracing::On) trace.read();
  const ExitServices services{ports, mmio, *memory, vmcalls, tracing == Tracing::None ? nullptr : &trace};
  std::array<std::byte, 1> data{};
  const VcpuExit exit = IoExit{.is_write = true, .port = 0x3F8, .size = 1, .data = data};
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(handle_exit(exit, services, 0));
}

BENCHMARK_CAPTURE(port_write, no_trace, Tracing::None);
BENCHMARK_CAPTURE(port_write, trace_off, Tracing::Off);
BENCHMARK_CAPTURE(port_write, trace_on, Tracing::On);

}  // namespace
}  // namespace virttdx::test

BENCHMARK_MAIN();
