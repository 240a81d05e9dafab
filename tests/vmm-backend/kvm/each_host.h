// SPDX-License-Identifier: GPL-2.0-or-later
// Tests that run against each implementation of the seam.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "kvm/kernel_calls.h"
#include "softhost/soft_host.h"

namespace virttdx::test {

struct Host {
  const char* name;
  std::unique_ptr<KernelCalls> (*create)();
  bool is_soft;
};

inline auto each_host() {
  const auto soft = []() -> std::unique_ptr<KernelCalls> { return softhost::create_soft_host(); };
  return testing::Values(Host{"Kvm", linux_kernel_calls, false}, Host{"Soft", soft, true});
}
inline std::string name_of(const testing::TestParamInfo<Host>& host) { return host.param.name; }

}  // namespace virttdx::test
