// SPDX-License-Identifier: GPL-2.0-or-later
// Boots docs/examples/td.xml on the software TDX host and prints where the time to the shell prompt goes.
#include <cstdio>
#include <cstdlib>

#include "counting_kernel_calls.h"
#include "example_td.h"
#include "machine/vm.h"
#include "memory_serial_backend.h"
#include "softhost/soft_host.h"

namespace {

using namespace virttdx;
using Clock = std::chrono::steady_clock;

double seconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

struct Boot {
  std::unique_ptr<softhost::SoftHost> host = softhost::create_soft_host();
  test::CountingKernelCalls kernel{*host};
  test::MemorySerialBackend console;
  Clock::time_point begin, launched, accepted, banner, prompt;

  Result<> run(std::uint32_t vcpus, std::uint64_t memory_mib) {
    VmConfig config = TRY(test::example_td(*host));
    config.vcpu_count = vcpus;
    config.memory_bytes = memory_mib << 20;
    const auto vm = TRY(Vm::create(config, {.kernel = kernel,
                                            .serials = {{0, &console}},
                                            .on_event = [](const MonitorEvent&) {},
                                            .host_mrtd = [](int) { return std::nullopt; }}));
    begin = Clock::now();
    TRY(vm->start());
    launched = Clock::now();
    const auto has_ended = [&] { return vm->status().state == VmState::Stopped; };
    const std::size_t after_banner = console.wait_for("UEFI Interactive Shell", 0, has_ended);
    banner = Clock::now();
    console.wait_for("seconds to skip", after_banner, has_ended);
    console.type(" ");  // ends the five seconds before startup.nsh
    const bool prompted = console.wait_for("Shell>", after_banner, has_ended) != std::string::npos;
    prompt = Clock::now();
    accepted = kernel.first_fw_cfg().value_or(launched);
    if (!prompted)
      return fail(Error::Code::Internal, "The TD ended before the prompt: {}", vm->status().message);
    return {};
  }
};

void print_exits(const Boot& boot) {
  for (const auto& [name, count] : boot.kernel.exits())
    std::printf("exits: %-16s %8llu\n", name.c_str(), static_cast<unsigned long long>(count));
}

}  // namespace

int main(int argc, char** argv) {
  Boot boot;
  const auto number = [&](int at, unsigned long fallback) {
    return argc > at ? std::strtoul(argv[at], nullptr, 10) : fallback;
  };
  const auto result = boot.run(static_cast<std::uint32_t>(number(1, 1)), number(2, 512));
  if (!result) {
    std::fprintf(stderr, "softhost-boot: %s\n%s\n", result.error().message().c_str(),
                 boot.console.output().c_str());
    print_exits(boot);
    return 1;
  }
  std::printf("launch to Shell>  %6.2f s\n", seconds(boot.begin, boot.prompt));
  std::printf("  launch          %6.2f s\n", seconds(boot.begin, boot.launched));
  std::printf("  to fw_cfg (SEC) %6.2f s\n", seconds(boot.launched, boot.accepted));
  std::printf("  to the banner   %6.2f s\n", seconds(boot.accepted, boot.banner));
  std::printf("  to the prompt   %6.2f s\n", seconds(boot.banner, boot.prompt));
  print_exits(boot);
  return 0;
}
