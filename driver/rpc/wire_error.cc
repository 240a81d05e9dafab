// SPDX-License-Identifier: GPL-2.0-or-later
#include "rpc/wire_error.h"

#include <libvirt/virterror.h>

#include <array>

#include "rpc/xdr_codec.h"

namespace virttdx::driver {
namespace {

struct ErrorRow {
  Error::Code code;
  int number;
  std::string_view prefix;  ///< libvirt's message for the number, before ": DETAIL"
};

// In the order of Error::Code. A prefix that is empty means that libvirt shows the detail alone.
constexpr std::array kErrorTable = {
    ErrorRow{Error::Code::InvalidArgument, VIR_ERR_INVALID_ARG, "invalid argument"},
    ErrorRow{Error::Code::InvalidData, VIR_ERR_INTERNAL_ERROR, "internal error"},
    ErrorRow{Error::Code::XmlSyntax, VIR_ERR_XML_DETAIL, ""},
    ErrorRow{Error::Code::XmlInvalid, VIR_ERR_XML_ERROR, "XML error"},
    ErrorRow{Error::Code::MissingName, VIR_ERR_NO_NAME, ""},
    ErrorRow{Error::Code::ConfigUnsupported, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported configuration"},
    ErrorRow{Error::Code::Unsupported, VIR_ERR_OPERATION_UNSUPPORTED, "Operation not supported"},
    ErrorRow{Error::Code::NotFound, VIR_ERR_NO_DOMAIN, "Domain not found"},
    ErrorRow{Error::Code::AlreadyExists, VIR_ERR_OPERATION_FAILED, "operation failed"},
    ErrorRow{Error::Code::WrongState, VIR_ERR_OPERATION_INVALID, "Requested operation is not valid"},
    ErrorRow{Error::Code::Busy, VIR_ERR_OPERATION_FAILED, "operation failed"},
    ErrorRow{Error::Code::Interrupted, VIR_ERR_OPERATION_ABORTED, "operation aborted"},
    ErrorRow{Error::Code::TimedOut, VIR_ERR_OPERATION_TIMEOUT, "Timed out during operation"},
    ErrorRow{Error::Code::PermissionDenied, VIR_ERR_OPERATION_DENIED, "operation forbidden"},
    ErrorRow{Error::Code::NoSpace, VIR_ERR_SYSTEM_ERROR, ""},
    ErrorRow{Error::Code::System, VIR_ERR_SYSTEM_ERROR, ""},
    ErrorRow{Error::Code::Internal, VIR_ERR_INTERNAL_ERROR, "internal error"},
};
static_assert([] {
  for (std::size_t i = 0; i < kErrorTable.size(); ++i)
    if (static_cast<std::size_t>(kErrorTable[i].code) != i) return false;
  return kErrorTable.size() == static_cast<std::size_t>(Error::Code::Internal) + 1;
}());

struct CodePrefix {
  int number;
  std::string_view prefix;
};
// Codes that no Error::Code stands for.
constexpr std::array kCodePrefixes = {
    CodePrefix{VIR_ERR_NO_SUPPORT, "this function is not supported by the connection driver"},
    CodePrefix{VIR_ERR_INVALID_ARG, "invalid argument"},
    CodePrefix{VIR_ERR_OPERATION_INVALID, "Requested operation is not valid"},
    CodePrefix{VIR_ERR_OPERATION_UNSUPPORTED, "Operation not supported"},
    CodePrefix{VIR_ERR_ARGUMENT_UNSUPPORTED, "argument unsupported"},
    CodePrefix{VIR_ERR_INTERNAL_ERROR, "internal error"},
    CodePrefix{VIR_ERR_NO_DOMAIN_SNAPSHOT, "Domain snapshot not found"},
    CodePrefix{VIR_ERR_NO_DOMAIN_CHECKPOINT, "Domain checkpoint not found"},
    CodePrefix{VIR_ERR_NO_DOMAIN_BACKUP, "Domain backup job id not found"},
    CodePrefix{VIR_ERR_NO_DOMAIN_METADATA, "metadata not found"},
    CodePrefix{VIR_ERR_AGENT_UNRESPONSIVE, "Guest agent is not responding"},
    CodePrefix{VIR_ERR_DEVICE_MISSING, "device not found"},
    CodePrefix{VIR_ERR_AUTH_FAILED, "authentication failed"},
    CodePrefix{VIR_ERR_AUTH_CANCELLED, "authentication cancelled"},
    CodePrefix{VIR_ERR_DBUS_SERVICE, "error from service"},
    CodePrefix{VIR_ERR_AUTH_UNAVAILABLE, "authentication unavailable"},
    CodePrefix{VIR_ERR_ACCESS_DENIED, "access denied"},
    CodePrefix{VIR_ERR_NO_SERVER, "Server not found"},
    CodePrefix{VIR_ERR_NO_CLIENT, "Client not found"},
};

std::string_view prefix_of(int code) {
  for (const auto& row : kCodePrefixes)
    if (row.number == code) return row.prefix;
  return {};
}

}  // namespace

WireError wire_error(int code, std::string detail) {
  const std::string_view prefix = prefix_of(code);
  WireError error;
  error.code = code;
  error.domain = VIR_FROM_DOMAIN;
  error.message = prefix.empty() ? detail : fmt::format("{}: {}", prefix, detail);
  error.format = prefix.empty() ? "%s" : fmt::format("{}: %s", prefix);
  error.detail = std::move(detail);
  return error;
}

WireError::WireError(const Error& error) : domain(VIR_FROM_DOMAIN) {
  const ErrorRow& row = kErrorTable.at(static_cast<std::size_t>(error.code()));
  code = row.number;
  message = row.prefix.empty() ? error.message() : fmt::format("{}: {}", row.prefix, error.message());
  format = row.prefix.empty() ? "%s" : fmt::format("{}: %s", row.prefix);
  detail = error.message();
}

WireError rpc_error(std::string message) {
  WireError error;
  error.code = VIR_ERR_RPC;
  error.domain = VIR_FROM_RPC;
  error.format = "%s";
  error.detail = message;
  error.message = std::move(message);
  return error;
}

WireError unsupported_flags(unsigned flags, std::string_view function) {
  WireError error;
  error.code = VIR_ERR_INVALID_ARG;
  error.domain = VIR_FROM_DOMAIN;
  error.message = fmt::format("unsupported flags (0x{:x}) in function {}", flags, function);
  error.format = function;
  error.detail = "flags";
  error.int1 = 0;
  return error;
}

WireError read_only_error(std::string_view function) {
  return Error(Error::Code::PermissionDenied, fmt::format("read only access prevents {}", function));
}

std::string encode_error(const WireError& error) {
  Arena arena;
  virNetMessageError wire{};
  wire.code = error.code;
  wire.domain = error.domain;
  // A message of a megabyte would be somebody's input quoted back; its start says enough.
  wire.message = arena.optional_text(std::string_view(error.message).substr(0, 65536));
  wire.level = VIR_ERR_ERROR;
  if (error.format) wire.str1 = arena.optional_text(*error.format);
  if (error.detail) wire.str2 = arena.optional_text(std::string_view(*error.detail).substr(0, 65536));
  wire.int1 = error.int1;
  wire.int2 = error.int2;
  const auto bytes = xdr_encode(wire);
  CHECK(bytes.has_value());
  return *bytes;
}

}  // namespace virttdx::driver
