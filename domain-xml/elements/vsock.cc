// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/device_info.h"
#include "elements/elements.h"

namespace virttdx::domain_xml {
namespace {

using Models = OneOf<"virtio", "virtio-transitional", "virtio-non-transitional">;

// Context ids: 0 to 2 have meanings, 0xFFFFFFFF is "any" (linux/vm_sockets.h).
struct GuestCid {
  static Result<std::uint32_t> decode(std::string_view text) {
    const auto cid = TRY(Number::decode(text));
    if (cid < 3 || cid == 0xFFFFFFFF)
      return fail(Error::Code::XmlInvalid, "expected a number from 3 to 4294967294");
    return cid;
  }
  static std::string encode(std::uint32_t value) { return std::to_string(value); }
};

constexpr std::array kTable = {
    property<&Vsock::model, Models>("@model"),
    property<&Vsock::cid_auto, YesNo>("cid/@auto"),
    property<&Vsock::cid, GuestCid>("cid/@address"),
};
constexpr std::array<Row<Vsock>, 3> kDriverTable = kVirtioRows<Vsock, &Vsock::virtio>;

}  // namespace

Result<Vsock> read_vsock(const Place& place) {
  Vsock vsock;
  TRY(read_properties(place, join_tables(kTable, kDriverTable), vsock, kInfoRules));
  TRY(read_device_info(place, vsock));
  return vsock;
}

// libvirt writes `<driver>` last here.
void write_vsock(xml::Element& parent, const Vsock& vsock, const WriteContext& context) {
  auto& element = parent.add_child("vsock");
  auto written = vsock;
  // Chosen for one run.
  if (context.inactive && vsock.cid_auto == true) written.cid.reset();
  write_properties(element, kTable, written, context);
  write_device_info(element, vsock, context);
  write_properties(element, kDriverTable, vsock, context);
}

}  // namespace virttdx::domain_xml
