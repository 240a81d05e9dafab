// SPDX-License-Identifier: GPL-2.0-or-later
// ACPI Machine Language, as far as our DSDT needs it: every function gives the bytes of one term, terms are
// put together by join(). Arguments are our own constants: wrong ones CHECK.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace virttdx::aml {

using Bytes = std::vector<std::byte>;

Bytes join(std::span<const Bytes> parts);
inline Bytes join(std::initializer_list<Bytes> parts) { return join(std::span(parts.begin(), parts.size())); }

/// A path of names of 1 to 4 characters each, "PCI0" or "\\_SB.PCI0".
Bytes path(std::string_view text);
/// The shortest form.
Bytes integer(std::uint64_t value);
Bytes string(std::string_view text);
/// "PNP0A08" as EISA packs it.
Bytes eisa_id(std::string_view id);
Bytes buffer(const Bytes& content);
/// ToUUID() of an RFC 9562 text form.
Bytes uuid(std::string_view text);
Bytes package(std::span<const Bytes> elements);

Bytes name(std::string_view path, const Bytes& value);
Bytes scope(std::string_view path, const Bytes& body);
Bytes device(std::string_view path, const Bytes& body);
Bytes method(std::string_view path, unsigned arguments, const Bytes& body);

/// Terms inside of methods.
Bytes argument(unsigned number);
/// CreateDWordField (buffer, byte offset, name).
Bytes dword_field(const Bytes& buffer, unsigned offset, std::string_view name);
Bytes equal(const Bytes& left, const Bytes& right);
Bytes logical_not(const Bytes& operand);
/// The value of name & mask.
Bytes masked(std::string_view name, std::uint64_t mask);
/// Name = name & value, name = name | value.
Bytes and_into(std::string_view name, std::uint64_t value);
Bytes or_into(std::string_view name, std::uint64_t value);
Bytes if_then(const Bytes& condition, const Bytes& body);
Bytes otherwise(const Bytes& body);
Bytes give(const Bytes& value);

}  // namespace virttdx::aml
