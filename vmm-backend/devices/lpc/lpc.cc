// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/lpc/lpc.h"

#include "devices/lpc/lpc_spec.h"

namespace virttdx {

using namespace lpc_spec;

Lpc::Lpc(std::function<void(std::optional<std::uint16_t>)> on_pm_block)
    : PciFunction({.vendor_id = kVendorIntel,
                   .device_id = kDeviceLpc,
                   .revision = kRevision,
                   .base_class = pci_spec::kClassBridge,
                   .sub_class = pci_spec::kSubClassIsa,
                   .header_type = pci_spec::kMultiFunction,
                   .command = kCommandAtReset,
                   .command_writable = kCommandWritable,
                   .status = kStatus}),
      on_pm_block_(std::move(on_pm_block)) {
  define<std::uint32_t>(kPmbase, kPmbaseAtReset, kPmbaseWritable);
  define<std::uint8_t>(kAcpiCntl, 0, kAcpiCntlWritable);
  define<std::uint32_t>(kPirqAToD, kPirqsAtReset, kPirqsWritable);
  define<std::uint32_t>(kPirqEToH, kPirqsAtReset, kPirqsWritable);
  define<std::uint32_t>(kLpcDecode, 0, kLpcDecodeWritable);
  define<std::uint16_t>(kGenPmcon1, 0, kGenPmcon1Writable);
  define<std::uint8_t>(kGenPmcon3, 0, kGenPmcon3Writable);
  define<std::uint32_t>(kRcba, 0, kRcbaWritable);
}

void Lpc::written(std::size_t offset, std::size_t size) {
  if (offset > kAcpiCntl || offset + size <= kPmbase) return;
  const bool enabled = (get<std::uint8_t>(kAcpiCntl) & kAcpiEnable) != 0;
  const auto base = static_cast<std::uint16_t>(get<std::uint32_t>(kPmbase) & kPmbaseWritable);
  on_pm_block_(enabled ? std::optional(base) : std::nullopt);
}

}  // namespace virttdx
