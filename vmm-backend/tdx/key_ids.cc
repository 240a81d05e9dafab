// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/key_ids.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "support/file.h"
#include "vmm_backend/gpa.h"

namespace virttdx {
namespace {

std::optional<std::uint32_t> read_misc_file(const std::string& path) {
  const auto text = read_text_file(path, kPageSize);
  return text ? tdx_of_misc_file(*text) : std::nullopt;
}

constexpr std::size_t kHoldersNamed = 5;
// Deeper than any service manager nests, and an end for a hierarchy that is none.
constexpr int kDeepest = 16;

/// Adds what `path` and the groups below it hold; returns it. A group's count includes those below.
std::uint32_t collect(const std::string& root, const std::string& path, std::vector<KeyIdHolder>& holders,
                      int depth = 0) {
  const std::uint32_t used = read_misc_file(root + path + "/misc.current").value_or(0);
  // The root has no misc.current in older kernels: look below it all the same.
  if ((used == 0 && depth != 0) || depth == kDeepest) return used;
  std::uint32_t below = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root + path, error))
    if (entry.is_directory(error) && !entry.is_symlink(error))
      below += collect(root, path + "/" + entry.path().filename().string(), holders, depth + 1);
  if (used > below)
    holders.push_back({path.empty() ? "/" : path, used - below, read_misc_file(root + path + "/misc.max")});
  return used;
}

}  // namespace

std::optional<std::uint32_t> tdx_of_misc_file(std::string_view text) {
  constexpr std::string_view kKey = "tdx ";
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!line.starts_with(kKey)) continue;
    std::uint32_t value = 0;
    const char* const last = line.data() + line.size();
    const auto [stop, status] = std::from_chars(line.data() + kKey.size(), last, value);
    if (status == std::errc() && stop == last) return value;
  }
  return std::nullopt;
}

KeyIds read_key_ids(const std::string& directory) {
  return {read_misc_file(directory + "/misc.capacity"), read_misc_file(directory + "/misc.current")};
}

std::vector<KeyIdHolder> key_id_holders(const std::string& directory) {
  std::vector<KeyIdHolder> holders;
  collect(directory, "", holders);
  std::stable_sort(holders.begin(), holders.end(),
                   [](const KeyIdHolder& a, const KeyIdHolder& b) { return a.used > b.used; });
  return holders;
}

std::string describe_key_ids(const std::string& directory) {
  const KeyIds key_ids = read_key_ids(directory);
  if (!key_ids.capacity || !key_ids.used) return "";
  std::string text = fmt::format("{} of {} key ids are in use", *key_ids.used, *key_ids.capacity);
  const auto holders = key_id_holders(directory);
  for (std::size_t i = 0; i < holders.size() && i < kHoldersNamed; ++i) {
    text += fmt::format("{}{} by cgroup {}", i == 0 ? ": " : ", ", holders[i].used, holders[i].cgroup);
    if (holders[i].limit) text += fmt::format(" (limit {})", *holders[i].limit);
  }
  if (holders.size() > kHoldersNamed) text += fmt::format(" and {} more", holders.size() - kHoldersNamed);
  return text;
}

Result<> check_key_ids(const std::string& directory) {
  const KeyIds key_ids = read_key_ids(directory);
  if (!key_ids.capacity || !key_ids.used || *key_ids.used < *key_ids.capacity) return {};
  return fail(Error::Code::Busy,
              "the host has no private key id left for another TD, each TD holds one: {}; end another TD, or "
              "give TDX "
              "more key ids in the firmware's setup (TME-MT/TDX key split)",
              describe_key_ids(directory));
}

}  // namespace virttdx
