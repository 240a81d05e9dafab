// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/irqfd.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/eventfd_argument.h"
#include "softhost/kvm/vm.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kFlagDeassign = 1;

int add_to_epoll(int epoll, int fd, int number) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.fd = number;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

}  // namespace

int Irqfds::start() {
  if (thread_.joinable()) return 0;
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  stop_event_.reset(eventfd(0, EFD_CLOEXEC));
  if (!epoll_ || !stop_event_) return -errno;
  if (const int status = add_to_epoll(epoll_.get(), stop_event_.get(), -1); status != 0) return status;
  thread_ = std::thread([this] { wait_for_events(); });
  return 0;
}

void Irqfds::stop() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_event_.get(), 1);
  thread_.join();
}

int Irqfds::assign(int fd, std::uint32_t gsi) {
  UniqueFd duplicate(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!duplicate) return -errno;
  const std::lock_guard guard(mutex_);
  if (assignments_.contains(fd)) return -EBUSY;
  if (const int status = start(); status != 0) return status;
  // A file without poll support (EPERM) is no eventfd.
  const int status = add_to_epoll(epoll_.get(), duplicate.get(), fd);
  if (status != 0) return status == -EPERM ? -EINVAL : status;
  assignments_[fd] = {std::move(duplicate), gsi};
  return 0;
}

int Irqfds::deassign(int fd, std::uint32_t gsi) {
  const std::lock_guard guard(mutex_);
  const auto found = assignments_.find(fd);
  if (found == assignments_.end() || found->second.gsi != gsi) return 0;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.eventfd.get(), nullptr);
  assignments_.erase(found);
  return 0;
}

void Irqfds::wait_for_events() {
  for (;;) {
    epoll_event event{};
    const int count = epoll_wait(epoll_.get(), &event, 1, -1);
    if (count < 0 && errno != EINTR) return;
    if (count != 1) continue;
    if (event.data.fd == -1) return;
    raise_interrupt_of(event.data.fd);
  }
}

void Irqfds::raise_interrupt_of(int fd) {
  std::uint32_t gsi = 0;
  {
    const std::lock_guard guard(mutex_);
    const auto found = assignments_.find(fd);
    if (found == assignments_.end()) return;
    eventfd_t count = 0;
    if (eventfd_read(found->second.eventfd.get(), &count) != 0) return;
    gsi = found->second.gsi;
  }
  raise_(gsi);
}

int assign_irqfd(Vm& vm, std::uintptr_t argument) {
  kvm::kvm_irqfd request{};
  if (const int status = read_argument(argument, request); status != 0) return status;
  // Resampling needs the guest's EOI, which KVM does not see in a TD.
  if ((request.flags & ~kFlagDeassign) != 0) return -EINVAL;
  const int fd = static_cast<int>(request.fd);
  if ((request.flags & kFlagDeassign) != 0) {
    const int status = check_eventfd(fd);
    return status != 0 ? status : vm.irqfds.deassign(fd, request.gsi);
  }
  {
    const std::lock_guard guard(vm.lock);
    if (!vm.split_irqchip) return -EINVAL;
  }
  if (const int status = check_eventfd(fd); status != 0) return status;
  return vm.irqfds.assign(fd, request.gsi);
}

}  // namespace virttdx::softhost
