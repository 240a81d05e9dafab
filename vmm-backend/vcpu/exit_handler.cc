// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu/exit_handler.h"

#include <cerrno>

namespace virttdx {
namespace {

using Stop = std::optional<VcpuStop>;

VcpuStop crash(std::string message) { return {StopReason::Crashed, std::move(message)}; }

/// The overloads below are the table: std::visit does not compile when one is missing.
struct ExitVisitor {
  const ExitServices& services;
  std::uint32_t vcpu;

  Stop operator()(const IoExit& exit) const {
    for (auto rest = exit.data; exit.size != 0 && rest.size() >= exit.size; rest = rest.subspan(exit.size)) {
      if (exit.is_write)
        services.ports.write(exit.port, rest.first(exit.size));
      else
        services.ports.read(exit.port, rest.first(exit.size));
    }
    return {};
  }

  Stop operator()(const MmioExit& exit) const {
    if (exit.is_write)
      services.mmio.write(exit.gpa.value, exit.data);
    else
      services.mmio.read(exit.gpa.value, exit.data);
    return {};
  }

  /// KVM checked TDVMCALL<MapGPA> and split it into pieces before it came here.
  Stop operator()(const HypercallExit& exit) const {
    if (exit.number != kvm::KVM_HC_MAP_GPA_RANGE) {
      *exit.answer = EINVAL;
      return {};
    }
    const auto& [gpa, pages, attributes, unused0, unused1, unused2] = exit.args;
    std::uint64_t size = 0;
    const bool fits = !__builtin_mul_overflow(pages, kPageSize, &size);
    const auto range = fits ? GpaRange::create({gpa}, size) : std::nullopt;
    *exit.answer = EINVAL;
    if (!range) return {};
    const auto converted =
        services.memory.convert(*range, (attributes & kvm::KVM_MAP_GPA_RANGE_ENCRYPTED) != 0);
    if (!converted && converted.error().code() != Error::Code::InvalidArgument)
      return crash(converted.error().message());
    if (converted) *exit.answer = 0;
    return {};
  }

  /// The guest used a page as private that is shared, or the reverse, without a MapGPA.
  Stop operator()(const MemoryFaultExit& exit) const {
    const bool to_private = (exit.flags & kvm::KVM_MEMORY_EXIT_FLAG_PRIVATE) != 0;
    const auto range = GpaRange::create(exit.gpa, exit.size);
    if ((exit.flags & ~kvm::KVM_MEMORY_EXIT_FLAG_PRIVATE) != 0 || !range)
      return crash(fmt::format("memory fault at {:#x}+{:#x} with unknown flags {:#x}", exit.gpa.value,
                               exit.size, exit.flags));
    if (const auto converted = services.memory.convert(*range, to_private); !converted)
      return crash(fmt::format("guest accessed {:#x} as {} memory: {}", exit.gpa.value,
                               to_private ? "private" : "shared", converted.error().message()));
    return {};
  }

  Stop operator()(const TdxExit& exit) const {
    services.td_vmcalls.td_vmcall(*exit.run, vcpu);
    return {};
  }

  Stop operator()(const SystemEventExit& exit) const {
    switch (exit.type) {
      case kvm::KVM_SYSTEM_EVENT_SHUTDOWN:
        return VcpuStop{StopReason::GuestShutdown, ""};
      case kvm::KVM_SYSTEM_EVENT_RESET:
        return VcpuStop{StopReason::Reset, ""};
      case kvm::KVM_SYSTEM_EVENT_TDX_FATAL:
        return VcpuStop{StopReason::Crashed, describe_fatal_error(exit.data), true};
      default:
        return crash(fmt::format("KVM reports system event {}", exit.type));
    }
  }

  Stop operator()(const ShutdownExit&) const { return crash(fmt::format("triple fault on vCPU {}", vcpu)); }
  Stop operator()(const HltExit&) const { return crash(fmt::format("vCPU {} halted outside of KVM", vcpu)); }
  Stop operator()(const InternalErrorExit& exit) const {
    return crash(fmt::format("KVM internal error {} on vCPU {}", exit.suberror, vcpu));
  }
  Stop operator()(const FailEntryExit& exit) const {
    return crash(fmt::format("KVM could not enter vCPU {}: hardware reason {:#x}", vcpu, exit.reason));
  }
  Stop operator()(const InterruptedExit&) const { return {}; }
  Stop operator()(const UnknownExit& exit) const {
    return crash(fmt::format("KVM exit reason {} on vCPU {} is not known", exit.reason, vcpu));
  }
};

}  // namespace

std::optional<VcpuStop> handle_exit(const VcpuExit& exit, const ExitServices& services, std::uint32_t vcpu) {
  const ExitVisitor visitor{services, vcpu};
  if (services.counts != nullptr) services.counts->count(vcpu, exit);
  if (services.trace == nullptr || !services.trace->is_on()) return std::visit(visitor, exit);
  const std::uint64_t kind = ExitTrace::kind_of(exit);
  const std::uint64_t begin = trace_clock_ns();
  auto stop = std::visit(visitor, exit);
  services.trace->record(vcpu, kind, begin, trace_clock_ns());
  return stop;
}

std::string describe_fatal_error(const std::array<std::uint64_t, 16>& registers) {
  // Index of each register in KVM's order RAX RCX RDX RBX RSP RBP RSI RDI R8..R15.
  constexpr std::size_t kR12 = 12;
  constexpr std::size_t kR13 = 13;
  constexpr std::size_t kTextRegisters[] = {14, 15, 3, 7, 6, 8, 9, 2};
  constexpr std::uint64_t kGpaIsValid = 1ULL << 63;
  std::string text;
  for (const std::size_t name : kTextRegisters)
    for (unsigned shift = 0; shift < 64; shift += 8)
      text.push_back(static_cast<char>(registers.at(name) >> shift & 0xFF));
  text.erase(text.find_last_not_of('\0') + 1);
  std::string printable;
  for (const char letter : text)
    printable += letter >= ' ' && letter <= '~'
                     ? std::string(1, letter)
                     : fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
  std::string message =
      fmt::format("guest reports fatal error {:#x}: \"{}\"", registers[kR12] & ~kGpaIsValid, printable);
  if ((registers[kR12] & kGpaIsValid) != 0) message += fmt::format(", data at {:#x}", registers[kR13]);
  return message;
}

}  // namespace virttdx
