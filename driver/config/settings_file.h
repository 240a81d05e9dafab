// SPDX-License-Identifier: GPL-2.0-or-later
// The format of libvirt's configuration files (virConf): NAME = VALUE, a line each or between ';', comments
// after '#'. A value is "text", 'text', """text over lines""", a number, or a list of these over any lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "support/result.h"

namespace virttdx::driver {

using SettingAtom = std::variant<std::string, std::int64_t>;
using SettingValue = std::variant<std::string, std::int64_t, std::vector<SettingAtom>>;

struct Setting {
  std::string name;
  SettingValue value;
  int line = 0;  ///< of its name
};

/// In the order of the file. InvalidData names `origin` and the line.
Result<std::vector<Setting>> parse_settings(std::string_view text, std::string_view origin);

}  // namespace virttdx::driver
