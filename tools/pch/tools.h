// SPDX-License-Identifier: GPL-2.0-or-later
// What nearly every sub-command reads, compiled once. Each file includes what it uses all the same.
#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <tl/expected.hpp>

#include <QCommandLineParser>
#include <QStringList>
