// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>

#include "kvm/kvm_statistics.h"

namespace virttdx::test {

inline std::map<std::string, std::uint64_t> named_counts(const KvmStatistics& statistics) {
  const auto values = statistics.read();
  EXPECT_TRUE(values) << values.error().message();
  std::map<std::string, std::uint64_t> named;
  for (std::size_t i = 0; i < statistics.columns().size(); ++i)
    named.emplace(statistics.columns()[i].name, values->at(i));
  return named;
}

}  // namespace virttdx::test
