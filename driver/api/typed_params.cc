// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/typed_params.h"

#include <libvirt/libvirt.h>

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
void TypedParams::add_ullong(std::string_view name, std::uint64_t value) {
  add(name, VIR_TYPED_PARAM_ULLONG).remote_typed_param_value_u.ul = value;
}
void TypedParams::add_string(std::string_view name, std::string_view value) {
  add(name, VIR_TYPED_PARAM_STRING).remote_typed_param_value_u.s = arena_.text(value);
}

}  // namespace virttdx::driver::api
