// SPDX-License-Identifier: GPL-2.0-or-later
// Expected outputs as files beside their inputs, below tests/data.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace virttdx::domain_xml::test {

inline std::filesystem::path data_path(const std::string& name) {
  return std::filesystem::path(VIRTTDX_TEST_DATA) / name;
}

inline std::string read_data(const std::string& name) {
  std::ifstream file(data_path(name), std::ios::binary);
  EXPECT_TRUE(file) << "no " << data_path(name);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Inputs of a folder: files ending in `extension`, expected outputs left out; sorted.
inline std::vector<std::string> data_files(const std::string& folder, std::string_view extension) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(data_path(folder))) {
    const auto name = entry.path().filename().string();
    if (name.ends_with(extension) && name.find(".out.") == std::string::npos)
      names.push_back(folder + "/" + name);
  }
  std::ranges::sort(names);
  return names;
}

inline std::string with_extension(const std::string& name, const std::string& extension) {
  return name.substr(0, name.rfind('.')) + extension;
}

/// For INSTANTIATE_TEST_SUITE_P: the file's name with what gtest does not take replaced.
inline std::string name_of_file(const testing::TestParamInfo<std::string>& info) {
  auto name = std::filesystem::path(info.param).stem().string();
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

inline void expect_golden(const std::string& name, const std::string& actual) {
  if (std::getenv("ACCEPT") != nullptr) {
    std::ofstream(data_path(name), std::ios::binary) << actual;
    GTEST_SKIP() << "accepted " << data_path(name);
  }
  EXPECT_EQ(actual, read_data(name)) << "ACCEPT=1 takes the new output over";
}

}  // namespace virttdx::domain_xml::test
