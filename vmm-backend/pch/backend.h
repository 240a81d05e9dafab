// SPDX-License-Identifier: GPL-2.0-or-later
// What nearly every file of this room reads, compiled once for each library. Each file includes what it uses
// all the same.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include "support/result.h"
