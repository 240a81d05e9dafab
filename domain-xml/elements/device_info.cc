// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/device_info.h"

#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

// An address while it is read and written: its type besides its members.
template <typename Address>
struct Typed : Address {
  std::string type;
};

template <typename Address>
constexpr std::array kTypeTable = {property<&Typed<Address>::type, Text, Typed<Address>>("@type")};

using Pci = Typed<PciDeviceAddress>;
constexpr auto kPciTable =
    join_tables(kTypeTable<PciDeviceAddress>,
                std::array{
                    property<&PciDeviceAddress::domain, PciDomain, Pci>("@domain"),
                    property<&PciDeviceAddress::bus, PciBus, Pci>("@bus"),
                    property<&PciDeviceAddress::slot, PciSlot, Pci>("@slot"),
                    property<&PciDeviceAddress::function, PciFunction, Pci>("@function"),
                    property<&PciDeviceAddress::multifunction, OnOff, Pci>("@multifunction"),
                });
using Drive = Typed<DriveAddress>;
constexpr auto kDriveTable = join_tables(
    kTypeTable<DriveAddress>, std::array{
                                  property<&DriveAddress::controller, Number, Drive>("@controller"),
                                  property<&DriveAddress::bus, Number, Drive>("@bus"),
                                  property<&DriveAddress::target, Number, Drive>("@target"),
                                  property<&DriveAddress::unit, Number, Drive>("@unit"),
                              });
using VirtioSerial = Typed<VirtioSerialAddress>;
constexpr auto kVirtioSerialTable =
    join_tables(kTypeTable<VirtioSerialAddress>,
                std::array{
                    property<&VirtioSerialAddress::controller, Number, VirtioSerial>("@controller"),
                    property<&VirtioSerialAddress::bus, Number, VirtioSerial>("@bus"),
                    property<&VirtioSerialAddress::port, Number, VirtioSerial>("@port"),
                });
using Usb = Typed<UsbAddress>;
constexpr auto kUsbTable =
    join_tables(kTypeTable<UsbAddress>, std::array{
                                            property<&UsbAddress::bus, Number, Usb>("@bus"),
                                            property<&UsbAddress::port, NonEmptyText, Usb>("@port"),
                                        });
using Isa = Typed<IsaAddress>;
constexpr auto kIsaTable =
    join_tables(kTypeTable<IsaAddress>, std::array{
                                            property<&IsaAddress::iobase, NonEmptyText, Isa>("@iobase"),
                                            property<&IsaAddress::irq, NonEmptyText, Isa>("@irq"),
                                        });

template <typename Address, std::size_t kSize>
Result<std::optional<DeviceAddress>> read_typed(const Place& place,
                                                const std::array<Row<Typed<Address>>, kSize>& table) {
  Typed<Address> typed;
  TRY(read_properties(place, table, typed));
  return DeviceAddress(Address(typed));
}

template <typename Address, std::size_t kSize>
void write_typed(xml::Element& parent, const char* type, const Address& address,
                 const std::array<Row<Typed<Address>>, kSize>& table) {
  write_properties(parent.add_child("address"), table, Typed<Address>{address, type}, {});
}

constexpr std::array kBootTable = {property<&DeviceInfo::boot_order, Count>("@order", {.required = true})};
constexpr std::array kAliasTable = {property<&DeviceInfo::alias, NonEmptyText>("@name")};
constexpr std::array kAcpiTable = {property<&DeviceInfo::acpi_index, Count>("@index", {.required = true})};

}  // namespace

Result<std::optional<DeviceAddress>> read_address(const Place& place) {
  const auto* type = place.element.attribute("type");
  if (type == nullptr) return tl::unexpected<Error>(missing_value(place, "@type"));
  if (type->value == "pci" && place.element.attributes.size() == 1) {
    Typed<PciDeviceAddress> bare;
    TRY(read_properties(place, kPciTable, bare));
    return std::optional<DeviceAddress>();
  }
  if (type->value == "pci") return read_typed<PciDeviceAddress>(place, kPciTable);
  if (type->value == "drive") return read_typed<DriveAddress>(place, kDriveTable);
  if (type->value == "virtio-serial") return read_typed<VirtioSerialAddress>(place, kVirtioSerialTable);
  if (type->value == "usb") return read_typed<UsbAddress>(place, kUsbTable);
  if (type->value == "isa") return read_typed<IsaAddress>(place, kIsaTable);
  return tl::unexpected<Error>(
      invalid_value(place, "@type", type->value,
                    Error(Error::Code::XmlInvalid, "expected one of: pci, drive, virtio-serial, usb, isa")));
}

void write_address(xml::Element& parent, const DeviceAddress& address) {
  if (const auto* pci = std::get_if<PciDeviceAddress>(&address)) write_typed(parent, "pci", *pci, kPciTable);
  if (const auto* drive = std::get_if<DriveAddress>(&address))
    write_typed(parent, "drive", *drive, kDriveTable);
  if (const auto* port = std::get_if<VirtioSerialAddress>(&address))
    write_typed(parent, "virtio-serial", *port, kVirtioSerialTable);
  if (const auto* usb = std::get_if<UsbAddress>(&address)) write_typed(parent, "usb", *usb, kUsbTable);
  if (const auto* isa = std::get_if<IsaAddress>(&address)) write_typed(parent, "isa", *isa, kIsaTable);
}

Result<> read_device_info(const Place& place, DeviceInfo& info) {
  info.line.number = place.element.line;
  for (const auto& child : place.element.children) {
    const auto inner = place.child(child);
    if (child.name == "boot") TRY(read_properties(inner, kBootTable, info));
    if (child.name == "alias") TRY(read_properties(inner, kAliasTable, info));
    if (child.name == "acpi") TRY(read_properties(inner, kAcpiTable, info));
    if (child.name == "address") info.address = TRY(read_address(inner));
  }
  return {};
}

void write_device_info(xml::Element& element, const DeviceInfo& info, const WriteContext& context) {
  if (info.boot_order) write_properties(element.add_child("boot"), kBootTable, info, context);
  if (info.alias && (!context.inactive || is_user_alias(*info.alias)))
    write_properties(element.add_child("alias"), kAliasTable, info, context);
  if (info.acpi_index) write_properties(element.add_child("acpi"), kAcpiTable, info, context);
  if (info.address) write_address(element, *info.address);
}

bool is_user_alias(std::string_view alias) { return alias.starts_with("ua-"); }

}  // namespace virttdx::domain_xml
