// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/run_environment.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "softhost/kvm/ordinary_environment.h"
#include "softhost/kvm/td_environment.h"
#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
void RunEnvironment::enter(CpuEngine& engine, const RunSignals& signals) {
  engine_ = &engine;
  signals_ = &signals;
  polls_ = 0;
  step_ = {};
}

CodePages* RunEnvironment::code_pages() { return &vcpu_.vm.code_pages; }

RunStep RunEnvironment::take_step() { return std::exchange(step_, {}); }

void RunEnvironment::poll_stop() {
  // KVM_RUN has looked for signals right before the first poll.
  const bool signal = polls_++ != 0 && signals_->pending();
  if (signal || vcpu_.run_page.immediate_exit()) engine_->request_stop();
}

std::unique_ptr<RunEnvironment> make_run_environment(Vcpu& vcpu) {
  if (vcpu.vm.is_td) return std::make_unique<TdEnvironment>(vcpu);
  return std::make_unique<OrdinaryEnvironment>(vcpu);
}

bool wait_for_event(Vcpu& vcpu, const RunSignals& signals, std::optional<std::uint64_t> deadline_ns) {
  // The signals are blocked now; the signalfd is readable while one is pending and takes none away.
  const int signal_fd =
      signalfd(vcpu.signal_event.get(), &signals.interrupting(), SFD_CLOEXEC | SFD_NONBLOCK);
  if (signal_fd >= 0 && !vcpu.signal_event) vcpu.signal_event.reset(signal_fd);
  std::array<pollfd, 2> events = {pollfd{vcpu.wake_event.get(), POLLIN, 0}, pollfd{signal_fd, POLLIN, 0}};
  timespec timeout{};
  if (deadline_ns) {
    const std::uint64_t now = monotonic_ns();
    const std::uint64_t wait = *deadline_ns > now ? *deadline_ns - now : 0;
    timeout.tv_sec = static_cast<time_t>(wait / 1'000'000'000);
    timeout.tv_nsec = static_cast<long>(wait % 1'000'000'000);
  }
  ppoll(events.data(), events.size(), deadline_ns ? &timeout : nullptr, nullptr);
  if ((events[0].revents & POLLIN) != 0) {
    eventfd_t count = 0;
    eventfd_read(vcpu.wake_event.get(), &count);
  }
  return (events[1].revents & POLLIN) == 0;
}

}  // namespace virttdx::softhost
