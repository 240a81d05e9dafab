// SPDX-License-Identifier: GPL-2.0-or-later
// `<serial>`, `<console>` and `<channel>`: one host side, three kinds of target.
#include <array>

#include "elements/device_info.h"
#include "elements/elements.h"

namespace virttdx::domain_xml {
namespace {

using Types = OneOf<"null", "vc", "pty", "dev", "file", "pipe", "stdio", "udp", "tcp", "unix", "spicevmc",
                    "spiceport", "nmdm", "qemu-vdagent", "dbus">;

// The terminal of a running console, which libvirt writes twice.
struct ConsoleDocument : CharacterDevice {
  std::optional<std::string> tty;
};

template <typename Owner>
constexpr std::array kHostTable = {
    property<&CharacterDevice::source_mode, OneOf<"bind", "connect">, Owner>("source/@mode"),
    property<&CharacterDevice::source_host, NonEmptyText, Owner>("source/@host"),
    property<&CharacterDevice::source_service, NonEmptyText, Owner>("source/@service"),
    property<&CharacterDevice::source_path, AbsolutePath, Owner>("source/@path"),
    property<&CharacterDevice::append, OnOff, Owner>("source/@append"),
    property<&CharacterDevice::protocol, OneOf<"raw", "telnet", "telnets", "tls">, Owner>("protocol/@type"),
    property<&CharacterDevice::log_file, AbsolutePath, Owner>("log/@file"),
    property<&CharacterDevice::log_append, OnOff, Owner>("log/@append"),
};
constexpr std::array kTypeTable = {property<&CharacterDevice::type, Types>("@type", {.required = true})};
constexpr std::array kSerialTargetTable = {
    property<&CharacterDevice::target_type, OneOf<"isa-serial">>("target/@type"),
    property<&CharacterDevice::target_port, Number>("target/@port"),
    property<&CharacterDevice::target_model, OneOf<"isa-serial">>("target/model/@name"),
};
constexpr std::array kChannelTargetTable = {
    property<&CharacterDevice::target_type, OneOf<"virtio">>("target/@type", {.required = true}),
    property<&CharacterDevice::target_name, NonEmptyText>("target/@name"),
    property<&CharacterDevice::target_state, OneOf<"connected", "disconnected">>("target/@state",
                                                                                 {.live = true}),
};
constexpr std::array kConsoleTypeTable = {
    property<&CharacterDevice::type, Types, ConsoleDocument>("@type", {.required = true}),
    property<&ConsoleDocument::tty, AbsolutePath>("@tty", {.live = true}),
};
constexpr std::array kConsoleTargetTable = {
    property<&CharacterDevice::target_type, OneOf<"serial", "virtio">, ConsoleDocument>("target/@type"),
    property<&CharacterDevice::target_port, Number, ConsoleDocument>("target/@port"),
};
constexpr auto kSerialTable = join_tables(kTypeTable, kHostTable<CharacterDevice>, kSerialTargetTable);
constexpr auto kChannelTable = join_tables(kTypeTable, kHostTable<CharacterDevice>, kChannelTargetTable);
constexpr auto kConsoleTable =
    join_tables(kConsoleTypeTable, kHostTable<ConsoleDocument>, kConsoleTargetTable);

Result<> check_source(const Place& place, const CharacterDevice& device) {
  if (device.type == "file" && !device.source_path)
    return tl::unexpected<Error>(missing_value(place, "source/@path"));
  if (device.type == "null" && device.source_path)
    return fail_at(place.element, Error::Code::XmlInvalid, "'{}' of type 'null' has no source", place.path);
  if (device.type != "file" && device.append)
    return fail_at(place.element, Error::Code::XmlInvalid,
                   "attribute 'append' of '{}/source' needs type='file'", place.path);
  return {};
}

template <std::size_t kSize>
Result<CharacterDevice> read_device(const Place& place,
                                    const std::array<Row<CharacterDevice>, kSize>& table) {
  CharacterDevice device;
  TRY(read_properties(place, table, device, kInfoRules));
  TRY(check_source(place, device));
  TRY(read_device_info(place, device));
  return device;
}

// A terminal's path is a fact of one run; a file's is configuration.
template <typename Device>
Device without_live_source(Device device, const WriteContext& context) {
  if (context.inactive && device.type == "pty") device.source_path.reset();
  return device;
}

template <typename Device, std::size_t kSize>
void write_device(xml::Element& element, const std::array<Row<Device>, kSize>& table, const Device& device,
                  const WriteContext& context) {
  write_properties(element, table, device, context);
  write_device_info(element, device, context);
}

}  // namespace

Result<CharacterDevice> read_serial(const Place& place) { return read_device(place, kSerialTable); }
Result<CharacterDevice> read_channel(const Place& place) { return read_device(place, kChannelTable); }

Result<CharacterDevice> read_console(const Place& place) {
  ConsoleDocument console;
  TRY(read_properties(place, kConsoleTable, console, kInfoRules));
  if (console.tty && !console.source_path) console.source_path = console.tty;
  TRY(check_source(place, console));
  TRY(read_device_info(place, console));
  return CharacterDevice(console);
}

void write_serial(xml::Element& parent, const CharacterDevice& serial, const WriteContext& context) {
  write_device(parent.add_child("serial"), kSerialTable, without_live_source(serial, context), context);
}

void write_channel(xml::Element& parent, const CharacterDevice& channel, const WriteContext& context) {
  write_device(parent.add_child("channel"), kChannelTable, without_live_source(channel, context), context);
}

void write_console(xml::Element& parent, const CharacterDevice& console, const WriteContext& context) {
  ConsoleDocument document{without_live_source(console, context), {}};
  if (document.type == "pty") document.tty = document.source_path;
  write_device(parent.add_child("console"), kConsoleTable, document, context);
}

}  // namespace virttdx::domain_xml
