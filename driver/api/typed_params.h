// SPDX-License-Identifier: GPL-2.0-or-later
// libvirt's typed parameters, built one by one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rpc/xdr_codec.h"

namespace virttdx::driver::api {

class TypedParams {
 public:
  explicit TypedParams(Arena& arena) : arena_(arena) {}
  void add_int(std::string_view name, int value);
  void add_uint(std::string_view name, std::uint32_t value);
  void add_ullong(std::string_view name, std::uint64_t value);
  void add_string(std::string_view name, std::string_view value);
  std::vector<remote_typed_param> take() { return std::move(params_); }

 private:
  remote_typed_param_value& add(std::string_view name, int type);
  Arena& arena_;
  std::vector<remote_typed_param> params_;
};

}  // namespace virttdx::driver::api
