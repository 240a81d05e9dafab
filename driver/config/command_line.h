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
  std::optional<std::filesystem::path> pid_file;
  unsigned idle_timeout_seconds = 0;  ///< 0: never ends by itself
  bool background = false;
  bool verbose = false;
  bool help = false;
  bool version = false;
};

/// `arguments` without the program's name, as getopt_long(3) takes them: "--option value", "--option=value",
/// "-o value", "-ovalue", and short options without a value together.
Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments);

std::string_view usage();

}  // namespace virttdx::driver
