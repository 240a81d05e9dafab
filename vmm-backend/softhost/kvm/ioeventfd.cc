// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/ioeventfd.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/eventfd_argument.h"
#include "softhost/kvm/vm.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kFlagDatamatch = 1, kFlagPort = 2, kFlagDeassign = 4;

bool is_access_size(std::uint32_t size) { return size == 1 || size == 2 || size == 4 || size == 8; }

// Two events for the same writes: as KVM compares them, a missing length or value matches any.
bool collide(const IoEvents::Event& a, const IoEvents::Event& b) {
  return a.is_port == b.is_port && a.address == b.address &&
         (a.length == 0 || b.length == 0 ||
          (a.length == b.length && (!a.value || !b.value || *a.value == *b.value)));
}

bool matches(const IoEvents::Event& event, bool is_port, std::uint64_t address, std::uint32_t size,
             std::uint64_t value) {
  return event.is_port == is_port && event.address == address &&
         (event.length == 0 || event.length == size) && (!event.value || *event.value == value);
}

}  // namespace

int IoEvents::add(Event event) {
  const std::lock_guard guard(mutex_);
  if (std::any_of(events_.begin(), events_.end(), [&](const Event& other) { return collide(event, other); }))
    return -EEXIST;
  events_.push_back(std::move(event));
  return 0;
}

int IoEvents::remove(const Event& event) {
  const std::lock_guard guard(mutex_);
  const auto count = std::erase_if(events_, [&](const Event& other) {
    return other.caller_fd == event.caller_fd && other.is_port == event.is_port &&
           other.address == event.address && other.length == event.length && other.value == event.value;
  });
  return count == 0 ? -ENOENT : 0;
}

bool IoEvents::write(bool is_port, std::uint64_t address, std::uint32_t size, std::uint64_t value) const {
  const std::lock_guard guard(mutex_);
  const auto found = std::find_if(events_.begin(), events_.end(), [&](const Event& event) {
    return matches(event, is_port, address, size, value);
  });
  if (found == events_.end()) return false;
  eventfd_write(found->eventfd.get(), 1);
  return true;
}

// What KVM checks of a new event, not of one that goes.
bool is_valid(const kvm::kvm_ioeventfd& request) {
  if ((request.flags & ~(kFlagDatamatch | kFlagPort)) != 0) return false;
  if (request.len != 0 && !is_access_size(request.len)) return false;
  if (request.addr + request.len < request.addr) return false;
  return request.len != 0 || (request.flags & kFlagDatamatch) == 0;
}

int assign_ioeventfd(Vm& vm, std::uintptr_t argument) {
  kvm::kvm_ioeventfd request{};
  if (const int status = read_argument(argument, request); status != 0) return status;
  const bool deassign = (request.flags & kFlagDeassign) != 0;
  if (!deassign && !is_valid(request)) return -EINVAL;
  if (const int status = check_eventfd(request.fd); status != 0) return status;
  const bool datamatch = (request.flags & kFlagDatamatch) != 0;
  IoEvents::Event event{.is_port = (request.flags & kFlagPort) != 0,
                        .address = request.addr,
                        .length = request.len,
                        .value = datamatch ? std::optional(request.datamatch) : std::nullopt,
                        .caller_fd = request.fd,
                        .eventfd = {}};
  if (deassign) return vm.io_events.remove(event);
  event.eventfd.reset(fcntl(request.fd, F_DUPFD_CLOEXEC, 0));
  if (!event.eventfd) return -EBADF;
  return vm.io_events.add(std::move(event));
}

}  // namespace virttdx::softhost
