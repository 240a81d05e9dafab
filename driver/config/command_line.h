// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "config/daemon_config.h"

namespace virttdx::driver {

struct CommandLine {
  std::optional<HostChoice> host;
  std::optional<std::filesystem::path> config_file;
  std::optional<std::filesystem::path> root;
  unsigned idle_timeout_seconds = 0;  ///< 0: never ends by itself
  bool help = false;
  bool version = false;
};

/// `arguments` without the program's name; "--option value" and "--option=value" both do.
Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments);

std::string_view usage();

}  // namespace virttdx::driver
