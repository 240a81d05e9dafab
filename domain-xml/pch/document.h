// SPDX-License-Identifier: GPL-2.0-or-later
// What nearly every file of elements/ reads, compiled once. Each file includes what it uses all the same.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "elements/elements.h"
#include "elements/shape.h"
#include "values/codecs.h"
