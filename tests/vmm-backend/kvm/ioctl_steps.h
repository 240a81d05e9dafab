// SPDX-License-Identifier: GPL-2.0-or-later
// The grammar of generic ioctls: what can be asked of any KVM with an ordinary VM. Each kind of step has a
// few arguments, each with a few values: ordinary ones first, then those at the edges and beyond.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ioctl_machine.h"

namespace virttdx {

using StepArguments = std::array<std::uint64_t, 5>;

struct StepKind {
  const char* name;
  std::vector<std::vector<std::uint64_t>> values;  ///< of each argument; at most 5
  std::string (*perform)(IoctlMachine& machine, const StepArguments& arguments);
};

/// All kinds.
const std::vector<StepKind>& step_kinds();

struct Step {
  std::size_t kind = 0;
  std::array<std::size_t, 5> choice{};  ///< which value of each argument

  StepArguments arguments() const;
  /// Name and arguments: "KVM_CREATE_VCPU 0".
  std::string text() const;
  std::string perform(IoctlMachine& machine) const {
    return step_kinds()[kind].perform(machine, arguments());
  }
};

/// Asked of the system and of the VM.
const std::vector<std::uint64_t>& compared_capabilities();

// The families.
std::vector<StepKind> system_step_kinds();
std::vector<StepKind> vm_step_kinds();
std::vector<StepKind> vcpu_step_kinds();

/// An ioctl with its argument as a number.
template <int (IoctlMachine::*Descriptor)() const, unsigned long Request>
std::string plain_call(IoctlMachine& machine, const StepArguments& arguments) {
  return answer_text(machine.call((machine.*Descriptor)(), Request, arguments[0]));
}

}  // namespace virttdx
