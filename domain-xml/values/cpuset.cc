// SPDX-License-Identifier: GPL-2.0-or-later
#include <charconv>

#include "domain_xml/tuning.h"

namespace virttdx::domain_xml {
namespace {

// Far more than any machine has; libvirt's own limit for CPU maps.
constexpr std::uint32_t kNumberMaximum = 16383;

struct Range {
  std::uint32_t first = 0, last = 0;
  bool removed = false;
};

Result<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number > kNumberMaximum)
    return fail(Error::Code::XmlInvalid, "expected numbers up to {} such as \"0-3,8,^2\"", kNumberMaximum);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

Result<Range> take_range(std::string_view text) {
  Range range;
  range.removed = text.starts_with('^');
  if (range.removed) text.remove_prefix(1);
  range.first = range.last = TRY(take_number(text));
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    range.last = TRY(take_number(text));
  }
  if (!text.empty() || range.last < range.first)
    return fail(Error::Code::XmlInvalid, "expected ranges of numbers such as \"0-3,8,^2\"");
  return range;
}

}  // namespace

Result<std::vector<bool>> parse_cpuset(std::string_view text) {
  std::vector<bool> cpus;
  while (true) {
    const std::size_t comma = text.find(',');
    const Range range = TRY(take_range(text.substr(0, comma)));
    if (cpus.size() <= range.last) cpus.resize(range.last + 1);
    for (std::uint32_t cpu = range.first; cpu <= range.last; ++cpu) cpus[cpu] = !range.removed;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  for (const bool cpu : cpus)
    if (cpu) return cpus;
  return fail(Error::Code::XmlInvalid, "the set is empty");
}

std::string format_cpuset(const std::vector<bool>& cpus) {
  std::string text;
  for (std::size_t first = 0; first < cpus.size(); ++first) {
    if (!cpus[first]) continue;
    std::size_t last = first;
    while (last + 1 < cpus.size() && cpus[last + 1]) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", first);
    if (last > first) text += fmt::format("-{}", last);
    first = last;
  }
  return text;
}

MemoryPolicyAsked memory_policy_of(const NumaTune& tune) {
  MemoryPolicyAsked policy{.nodeset = tune.nodeset};
  std::string all = tune.nodeset.value_or("");
  for (const auto& cell : tune.cells) all += (all.empty() ? "" : ",") + cell.nodeset;
  // Canonical sets together are a set; one alone stays as it is.
  if (const auto nodes = parse_cpuset(all)) policy.nodeset = format_cpuset(*nodes);
  const auto mode = tune.mode || tune.cells.empty() ? tune.mode : tune.cells.front().mode;
  policy.mode = mode.value_or("strict");
  return policy;
}

}  // namespace virttdx::domain_xml
