// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/memory_policy.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string>
#include <vector>

namespace virttdx::driver {
namespace {

struct Mode {
  std::string_view name;
  int kernels;
};
// libvirt's default is strict.
constexpr std::array kModes = {Mode{"strict", MPOL_BIND}, Mode{"preferred", MPOL_PREFERRED},
                               Mode{"interleave", MPOL_INTERLEAVE}};

Result<int> mode_of(const std::string& name) {
  const auto found = std::ranges::find(kModes, name, &Mode::name);
  if (found == kModes.end())
    return fail(Error::Code::InvalidArgument,
                "<numatune> mode '{}' is not offered; use strict, preferred or interleave", name);
  return found->kernels;
}

constexpr std::size_t kWordBits = sizeof(unsigned long) * CHAR_BIT;

std::vector<unsigned long> mask_of(const std::vector<bool>& nodes) {
  std::vector<unsigned long> mask(nodes.size() / kWordBits + 1);
  for (std::size_t node = 0; node < nodes.size(); ++node)
    if (nodes[node]) mask[node / kWordBits] |= 1UL << node % kWordBits;
  return mask;
}

long set_policy(int mode, const std::vector<unsigned long>& mask) {
  // The kernel reads one bit less than it is told of.
  return syscall(SYS_set_mempolicy, mode, mask.empty() ? nullptr : mask.data(),
                 mask.empty() ? 0 : mask.size() * kWordBits + 1);
}

}  // namespace

Result<MemoryPolicy> MemoryPolicy::apply(const std::optional<domain_xml::NumaTune>& tune) {
  const auto policy = domain_xml::memory_policy_of(tune.value_or(domain_xml::NumaTune()));
  if (!policy.nodeset) return MemoryPolicy(false);
  const int mode = TRY(mode_of(policy.mode));
  const auto nodes = TRY(domain_xml::parse_cpuset(*policy.nodeset));
  if (set_policy(mode, mask_of(nodes)) != 0)
    return fail_errno(errno,
                      "Cannot take the TD's memory from NUMA nodes '{}' (<numatune>, mode '{}'; "
                      "/sys/devices/system/node/has_memory tells those that there are)",
                      *policy.nodeset, policy.mode);
  return MemoryPolicy(true);
}

MemoryPolicy::~MemoryPolicy() {
  if (applied_) set_policy(MPOL_DEFAULT, {});
}

}  // namespace virttdx::driver
