// SPDX-License-Identifier: GPL-2.0-or-later
// `<serial>` and `<console>`: one back end, two kinds of target.
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 3> kTypes = {"pty", "file", "null"};
constexpr std::array<std::string_view, 1> kSerialTargets = {"isa-serial"};
constexpr std::array<std::string_view, 1> kConsoleTargets = {"serial"};

// The terminal of a running console, which libvirt writes twice.
struct ConsoleDocument : CharacterDevice {
  std::optional<std::string> tty;
};

template <typename Owner>
constexpr std::array kBackendTable = {
    property<&CharacterDevice::source_path, AbsolutePath, Owner>("source/@path"),
    property<&CharacterDevice::append, OnOff, Owner>("source/@append"),
    property<&CharacterDevice::log_file, AbsolutePath, Owner>("log/@file"),
    property<&CharacterDevice::log_append, OnOff, Owner>("log/@append"),
};
constexpr std::array kSerialTypeTable = {
    property<&CharacterDevice::type, Word<kTypes>>("@type", {.required = true})};
constexpr std::array kSerialTargetTable = {
    property<&CharacterDevice::target_type, Word<kSerialTargets>>("target/@type"),
    property<&CharacterDevice::target_port, Number>("target/@port"),
    property<&CharacterDevice::target_model, Word<kSerialTargets>>("target/model/@name"),
    property<&CharacterDevice::alias, NonEmptyText>("alias/@name", {.live = true}),
};
constexpr std::array kConsoleTypeTable = {
    property<&CharacterDevice::type, Word<kTypes>, ConsoleDocument>("@type", {.required = true}),
    property<&ConsoleDocument::tty, AbsolutePath>("@tty", {.live = true}),
};
constexpr std::array kConsoleTargetTable = {
    property<&CharacterDevice::target_type, Word<kConsoleTargets>, ConsoleDocument>("target/@type"),
    property<&CharacterDevice::target_port, Number, ConsoleDocument>("target/@port"),
    property<&CharacterDevice::alias, NonEmptyText, ConsoleDocument>("alias/@name", {.live = true}),
};
constexpr auto kSerialTable =
    join_tables(join_tables(kSerialTypeTable, kBackendTable<CharacterDevice>), kSerialTargetTable);
constexpr auto kConsoleTable =
    join_tables(join_tables(kConsoleTypeTable, kBackendTable<ConsoleDocument>), kConsoleTargetTable);

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

// A terminal's path is a fact of one run; a file's is configuration.
template <typename Device>
Device without_live_source(Device device, const WriteContext& context) {
  if (context.inactive && device.type == "pty") device.source_path.reset();
  return device;
}

}  // namespace

Result<CharacterDevice> read_serial(const Place& place) {
  CharacterDevice serial;
  serial.line = place.element.line;
  TRY(read_properties(place, kSerialTable, serial));
  TRY(check_source(place, serial));
  return serial;
}

Result<CharacterDevice> read_console(const Place& place) {
  ConsoleDocument console;
  console.line = place.element.line;
  TRY(read_properties(place, kConsoleTable, console));
  if (console.tty && !console.source_path) console.source_path = console.tty;
  TRY(check_source(place, console));
  return console;
}

void write_serial(xml::Element& parent, const CharacterDevice& serial, const WriteContext& context) {
  write_properties(parent.add_child("serial"), kSerialTable, without_live_source(serial, context), context);
}

void write_console(xml::Element& parent, const CharacterDevice& console, const WriteContext& context) {
  ConsoleDocument document{without_live_source(console, context), {}};
  if (document.type == "pty") document.tty = document.source_path;
  write_properties(parent.add_child("console"), kConsoleTable, document, context);
}

}  // namespace virttdx::domain_xml
