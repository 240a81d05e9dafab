// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/typed_params.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>

namespace virttdx::driver::api {

remote_typed_param_value& TypedParams::add(std::string_view name, int type) {
  remote_typed_param& param = params_.emplace_back();
  param.field = arena_.text(name);
  param.value.type = type;
  return param.value;
}

void TypedParams::add_int(std::string_view name, int value) {
  add(name, VIR_TYPED_PARAM_INT).remote_typed_param_value_u.i = value;
}
void TypedParams::add_uint(std::string_view name, std::uint32_t value) {
  add(name, VIR_TYPED_PARAM_UINT).remote_typed_param_value_u.ui = value;
}
void TypedParams::add_llong(std::string_view name, std::int64_t value) {
  add(name, VIR_TYPED_PARAM_LLONG).remote_typed_param_value_u.l = value;
}
void TypedParams::add_ullong(std::string_view name, std::uint64_t value) {
  add(name, VIR_TYPED_PARAM_ULLONG).remote_typed_param_value_u.ul = value;
}
void TypedParams::add_boolean(std::string_view name, bool value) {
  add(name, VIR_TYPED_PARAM_BOOLEAN).remote_typed_param_value_u.b = value ? 1 : 0;
}
void TypedParams::add_string(std::string_view name, std::string_view value) {
  add(name, VIR_TYPED_PARAM_STRING).remote_typed_param_value_u.s = arena_.text(value);
}

WireResult<> ParamsRead::check(std::span<const Known> known) const {
  for (const auto& param : params_) {
    const std::string_view name = param.field;
    const auto row = std::find_if(known.begin(), known.end(), [&](const Known& k) { return k.name == name; });
    if (row == known.end())
      return tl::unexpected(
          wire_error(VIR_ERR_INVALID_ARG, fmt::format("parameter '{}' not supported", name.substr(0, 80))));
    if (row->type != param.value.type)
      return tl::unexpected(wire_error(
          VIR_ERR_INVALID_ARG,
          fmt::format("invalid type {} for parameter '{}', expected {}", param.value.type, name, row->type)));
    if (std::count_if(params_.begin(), params_.end(), [&](const auto& p) { return name == p.field; }) > 1)
      return tl::unexpected(
          wire_error(VIR_ERR_INVALID_ARG, fmt::format("parameter '{}' occurs multiple times", name)));
  }
  return {};
}

const remote_typed_param_value* ParamsRead::find(std::string_view name) const {
  for (const auto& param : params_)
    if (name == param.field) return &param.value;
  return nullptr;
}

std::optional<std::uint64_t> ParamsRead::ullong(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->type != VIR_TYPED_PARAM_ULLONG) return std::nullopt;
  return value->remote_typed_param_value_u.ul;
}
std::optional<std::int64_t> ParamsRead::llong(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->type != VIR_TYPED_PARAM_LLONG) return std::nullopt;
  return value->remote_typed_param_value_u.l;
}
std::optional<int> ParamsRead::integer(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->type != VIR_TYPED_PARAM_INT) return std::nullopt;
  return value->remote_typed_param_value_u.i;
}
std::optional<std::uint32_t> ParamsRead::uint(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->type != VIR_TYPED_PARAM_UINT) return std::nullopt;
  return value->remote_typed_param_value_u.ui;
}
std::optional<std::string> ParamsRead::string(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->type != VIR_TYPED_PARAM_STRING) return std::nullopt;
  return value->remote_typed_param_value_u.s;
}

}  // namespace virttdx::driver::api
