// SPDX-License-Identifier: GPL-2.0-or-later
// What nearly every file of the driver reads, compiled once. Each file includes what it uses all the same.
#include <libvirt/libvirt.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <tl/expected.hpp>

#include <QObject>
#include <QSocketNotifier>
#include <QTimer>
