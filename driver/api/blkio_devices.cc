// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/blkio_devices.h"

#include <algorithm>
#include <charconv>

namespace virttdx::driver::api {
namespace {

using Device = domain_xml::BlkioTune::Device;
using Limit = std::optional<std::uint64_t> Device::*;

// In the order of kBlkioDeviceParams.
constexpr std::array<Limit, kBlkioDeviceParams.size()> kLimits = {
    &Device::weight, &Device::read_iops_sec, &Device::write_iops_sec, &Device::read_bytes_sec,
    &Device::write_bytes_sec};
/// The kernel's (cgroup-v2.rst, io.weight).
constexpr std::uint64_t kWeightMaximum = 10'000;

std::string_view take_word(std::string_view& text) {
  const auto comma = std::min(text.find(','), text.size());
  const auto word = text.substr(0, comma);
  text.remove_prefix(std::min(comma + 1, text.size()));
  return word;
}

Result<> parse(std::size_t limit, std::string_view text, std::vector<BlkioDeviceChange>& changes) {
  const auto whole = text;
  while (!text.empty()) {
    BlkioDeviceChange change{.limit = limit, .path = std::string(take_word(text))};
    const auto number = take_word(text);
    const auto* const end = number.data() + number.size();
    const auto read = std::from_chars(number.data(), end, change.value);
    if (!change.path.starts_with('/') || whole.ends_with(',') || number.empty() || read.ec != std::errc() ||
        read.ptr != end)
      return fail(Error::Code::InvalidArgument, "unable to parse blkio device '{}' '{}'",
                  kBlkioDeviceParams.at(limit).name, whole);
    if (limit == 0 && change.value > kWeightMaximum)
      return fail(Error::Code::InvalidArgument, "out of blkio device weight range.");
    changes.push_back(std::move(change));
  }
  return {};
}

Device& device_at(domain_xml::BlkioTune& tune, const std::string& path) {
  const auto found = std::ranges::find(tune.devices, path, &Device::path);
  if (found != tune.devices.end()) return *found;
  tune.devices.emplace_back().path = path;
  return tune.devices.back();
}

bool is_limited(const Device& device) {
  return std::ranges::any_of(kLimits, [&](Limit limit) { return (device.*limit).has_value(); });
}

}  // namespace

void add_blkio_devices(TypedParams& params, const domain_xml::BlkioTune& tune) {
  for (std::size_t i = 0; i < kLimits.size(); ++i) {
    std::string text;
    for (const auto& device : tune.devices)
      if (const auto value = device.*kLimits.at(i); value.value_or(0) != 0)
        text += fmt::format("{}{},{}", text.empty() ? "" : ",", device.path, *value);
    params.add_string(kBlkioDeviceParams.at(i).name, text);
  }
}

Result<std::vector<BlkioDeviceChange>> read_blkio_device_changes(const ParamsRead& params) {
  std::vector<BlkioDeviceChange> changes;
  for (std::size_t i = 0; i < kLimits.size(); ++i)
    if (const auto text = params.string(kBlkioDeviceParams.at(i).name)) TRY(parse(i, *text, changes));
  return changes;
}

void change_blkio_devices(domain_xml::BlkioTune& tune, const std::vector<BlkioDeviceChange>& changes) {
  for (const auto& change : changes)
    device_at(tune, change.path).*kLimits.at(change.limit) =
        change.value == 0 ? std::nullopt : std::optional(change.value);
  std::erase_if(tune.devices, [](const Device& device) { return !is_limited(device); });
}

}  // namespace virttdx::driver::api
