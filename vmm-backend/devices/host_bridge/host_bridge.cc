// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/host_bridge/host_bridge.h"

#include "devices/host_bridge/host_bridge_spec.h"

namespace virttdx {

using namespace host_bridge_spec;

HostBridge::HostBridge(std::function<void(const std::optional<GpaRange>&)> on_window)
    : PciFunction({.vendor_id = kVendorIntel,
                   .device_id = kDeviceMch,
                   .revision = kRevision,
                   .base_class = pci_spec::kClassBridge,
                   .sub_class = pci_spec::kSubClassHost,
                   .header_type = 0,
                   .command = kCommandAtReset,
                   .command_writable = kCommandWritable,
                   .status = kStatus}),
      on_window_(std::move(on_window)) {
  define<std::uint64_t>(kPciexbar, kPciexbarAtReset, kPciexbarWritable);
  for (std::size_t i = 0; i < kPamCount; ++i) define<std::uint8_t>(kPam0 + i, 0, kPamWritable);
  define<std::uint8_t>(kSmram, kSmramAtReset, kSmramWritable);
  define<std::uint8_t>(kEsmramc, kEsmramcAtReset, kEsmramcWritable);
}

void HostBridge::written(std::size_t offset, std::size_t size) {
  if (offset < kPciexbar + sizeof(std::uint64_t) && offset + size > kPciexbar) on_window_(window());
}

std::optional<GpaRange> HostBridge::window() const {
  const auto value = get<std::uint64_t>(kPciexbar);
  const std::uint64_t length = (value & kPciexbarLength) >> kPciexbarLengthShift;
  if ((value & kPciexbarEnable) == 0 || length == 3) return std::nullopt;
  const std::uint64_t size = kPciexbarLargest >> length;
  return GpaRange::create(Gpa{value & kPciexbarBase & ~(size - 1)}, size);
}

}  // namespace virttdx
