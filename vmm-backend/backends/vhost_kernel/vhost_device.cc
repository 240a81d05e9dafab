// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/vhost_kernel/vhost_device.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <vector>

#include "backends/vhost_kernel/vhost_spec.h"
#include "devices/virtio/virtio_spec.h"

namespace virttdx {

using namespace virtio_spec;

namespace {

// The transport offers them to every driver.
constexpr std::uint64_t kNeeded = kFeatureVersion1 | kFeatureIndirectDescriptors | kFeatureEventIndex;

std::uint64_t address_of(std::span<const std::byte> bytes) {
  return reinterpret_cast<std::uint64_t>(bytes.data());
}

}  // namespace

Result<VhostDevice> VhostDevice::open(const std::string& path, const std::string& name) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail_errno(errno, "{}: cannot open '{}'", name, path);
  VhostDevice device(std::move(fd), name);
  TRY(device.command(VHOST_SET_OWNER, nullptr, "VHOST_SET_OWNER"));
  TRY(device.command(VHOST_GET_FEATURES, &device.features_, "VHOST_GET_FEATURES"));
  if ((device.features_ & kNeeded) != kNeeded)
    return fail(Error::Code::ConfigUnsupported, "{}: '{}' lacks features {:#x}", name, path,
                kNeeded & ~device.features_);
  return device;
}

Result<> VhostDevice::command(unsigned long request, const void* argument, const char* name) const {
  if (::ioctl(fd_.get(), request, argument) >= 0) return {};
  return fail_errno(errno, "{}: {}", name_, name);
}

// The kernel takes 64 regions by default (max_mem_regions); RAM has two.
Result<> VhostDevice::set_memory(std::span<const DmaFile> files) {
  static_assert(alignof(vhost_memory) <= alignof(std::uint64_t));
  const std::size_t size = sizeof(vhost_memory) + files.size() * sizeof(vhost_memory_region);
  std::vector<std::uint64_t> bytes(size / sizeof(std::uint64_t));
  // SAFETY: a header and as many regions as it says, in zeroed memory that is aligned for them.
  auto* const memory = reinterpret_cast<vhost_memory*>(bytes.data());
  memory->nregions = static_cast<std::uint32_t>(files.size());
  for (std::size_t i = 0; i < files.size(); ++i)
    memory->regions[i] = {.guest_phys_addr = files[i].gpa.value,
                          .memory_size = files[i].bytes.size(),
                          .userspace_addr = address_of(files[i].bytes),
                          .flags_padding = 0};
  return command(VHOST_SET_MEM_TABLE, memory, "VHOST_SET_MEM_TABLE");
}

Result<> VhostDevice::set_features(std::uint64_t features) {
  const std::uint64_t passed = features & features_ & ~kFeatureAccessPlatform;
  return command(VHOST_SET_FEATURES, &passed, "VHOST_SET_FEATURES");
}

Result<> VhostDevice::set_queue(std::uint32_t index, const VhostQueue& queue) {
  vhost_vring_state state{.index = index, .num = queue.size};
  TRY(command(VHOST_SET_VRING_NUM, &state, "VHOST_SET_VRING_NUM"));
  state.num = 0;
  TRY(command(VHOST_SET_VRING_BASE, &state, "VHOST_SET_VRING_BASE"));
  const vhost_vring_addr address{.index = index,
                                 .flags = 0,
                                 .desc_user_addr = address_of(queue.descriptors),
                                 .used_user_addr = address_of(queue.used),
                                 .avail_user_addr = address_of(queue.available),
                                 .log_guest_addr = 0};
  TRY(command(VHOST_SET_VRING_ADDR, &address, "VHOST_SET_VRING_ADDR"));
  vhost_vring_file file{.index = index, .fd = queue.kick};
  TRY(command(VHOST_SET_VRING_KICK, &file, "VHOST_SET_VRING_KICK"));
  file.fd = queue.call;
  return command(VHOST_SET_VRING_CALL, &file, "VHOST_SET_VRING_CALL");
}

}  // namespace virttdx
