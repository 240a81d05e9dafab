// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "support/log.h"
#include "support/result.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// The command line of virttdx-vmm (docs/man/virttdx-vmm.8.rst).
struct Options {
  enum class Mode : std::uint8_t { Run, HostCapabilities, AddDisk, AddInterface, Help, Version };
  Mode mode = Mode::Run;
  std::string config;  ///< file, or "-" for standard input; AddDisk, AddInterface: the device
  std::filesystem::path control_socket;  ///< may be empty with console
  bool console = false;
  HostKind host = HostKind::Kvm;       ///< HostCapabilities only
  std::filesystem::path soft_faults;   ///< faults of the software TDX host; empty: none
  std::filesystem::path soft_profile;  ///< recorded host that the software TDX host plays; empty: none
  std::filesystem::path vsock_socket;  ///< where programs of the host reach the TD's vsock; empty: nowhere
  std::filesystem::path log;           ///< AddDisk, AddInterface: of what they start; empty: standard error
  log::Priority log_level = log::Priority::Info;
};

/// Error InvalidArgument names the option.
Result<Options> parse_options(int argc, char** argv);
/// What --help prints.
std::string usage_text();

}  // namespace virttdx
