// SPDX-License-Identifier: GPL-2.0-or-later
// libvirt's typed parameters: built one by one, and read.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/wire_error.h"
#include "rpc/xdr_codec.h"

namespace virttdx::driver::api {

class TypedParams {
 public:
  explicit TypedParams(Arena& arena) : arena_(arena) {}
  void add_int(std::string_view name, int value);
  void add_uint(std::string_view name, std::uint32_t value);
  void add_llong(std::string_view name, std::int64_t value);
  void add_ullong(std::string_view name, std::uint64_t value);
  void add_boolean(std::string_view name, bool value);
  void add_string(std::string_view name, std::string_view value);
  std::vector<remote_typed_param> take() { return std::move(params_); }

 private:
  remote_typed_param_value& add(std::string_view name, int type);
  Arena& arena_;
  std::vector<remote_typed_param> params_;
};

/// Typed parameters that a client sent. Errors are libvirt's for parameters that a call does not take.
class ParamsRead {
 public:
  ParamsRead(const remote_typed_param* params, u_int count) : params_(params, count) {}
  /// Refuses names that are not in `known`, types that differ and names that come twice.
  struct Known {
    std::string_view name;
    int type;
  };
  WireResult<> check(std::span<const Known> known) const;
  std::optional<std::uint64_t> ullong(std::string_view name) const;
  std::optional<std::int64_t> llong(std::string_view name) const;
  std::optional<int> integer(std::string_view name) const;
  std::optional<std::uint32_t> uint(std::string_view name) const;
  std::optional<std::string> string(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }

 private:
  const remote_typed_param_value* find(std::string_view name) const;
  std::span<const remote_typed_param> params_;
};

}  // namespace virttdx::driver::api
