// SPDX-License-Identifier: GPL-2.0-or-later
// struct kvm_run as no kernel should leave it: handled, or the end of the TD with a reason; all in its area.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "../vmm-backend/kvm/fake_kernel.h"
#include "vcpu/exit_handler.h"

namespace {
using namespace virttdx;

struct Vmcalls final : TdVmcallHandler {
  void td_vmcall(kvm::kvm_run& run, std::uint32_t) override { run.tdx.unknown.ret = run.tdx.nr; }
};
struct Device final : BusRegion {
  void read(std::uint64_t, std::span<std::byte> data) override { std::ranges::fill(data, std::byte{0x5A}); }
  void write(std::uint64_t, std::span<const std::byte> data) override { last = {data.begin(), data.end()}; }
  std::vector<std::byte> last;
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::FakeKernel kernel;
  auto vm = Kvm::open(kernel).value().create_vm(kvm::KVM_X86_TDX_VM).value();
  const GpaRange ram = *GpaRange::create({0}, 0x10000);
  const auto memory = std::move(GuestMemory::create(vm, std::span(&ram, 1)).value());
  Device device;
  PortBus ports;
  MmioBus mmio;
  CHECK(ports.add(0, 0x8000, "ports", device) && mmio.add(0xFEC00000, 0x1000, "mmio", device));
  Vmcalls vmcalls;
  std::vector<std::byte> area(test::FakeKernel::kRunAreaSize);
  std::ranges::copy(std::as_bytes(std::span(data, std::min(size, area.size()))), area.begin());
  const auto stop = handle_exit(decode_exit(area), {ports, mmio, *memory, vmcalls}, 0);
  CHECK(!stop || stop->reason != StopReason::Crashed || !stop->message.empty());
  return 0;
}
