// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu/vcpu_thread.h"

#include <pthread.h>

#include <csignal>
#include <ctime>

#include "tdx/explained.h"

namespace virttdx {
namespace {

/// Makes KVM_RUN return. It is blocked in the thread but for KVM_RUN itself, so none gets lost in between,
/// and no handler ever runs; immediate_exit tells KVM_RUN that is about to start.
int kick_signal() { return SIGRTMIN; }

/// All of the process's signals are other threads' business, but what this thread does wrong itself is its
/// own: blocked, it would end the process without its handler.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&all, fault);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

Result<> let_kicks_interrupt(KvmVcpu& vcpu) {
  sigset_t all_but_kick;
  sigfillset(&all_but_kick);
  sigdelset(&all_but_kick, kick_signal());
  return vcpu.set_signal_mask(all_but_kick);
}

void consume_kicks() {
  sigset_t kick;
  sigemptyset(&kick);
  sigaddset(&kick, kick_signal());
  constexpr timespec kNow{};
  while (sigtimedwait(&kick, nullptr, &kNow) > 0) {
  }
}

std::uint64_t nanoseconds_of(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

Result<std::unique_ptr<VcpuThread>> VcpuThread::create(KvmVcpu& vcpu, const ExitServices& services,
                                                       StopHandler on_stop) {
  TRY(let_kicks_interrupt(vcpu));
  return std::unique_ptr<VcpuThread>(new VcpuThread(vcpu, services, std::move(on_stop)));
}

VcpuThread::VcpuThread(KvmVcpu& vcpu, const ExitServices& services, StopHandler on_stop)
    : vcpu_(vcpu),
      services_(services),
      on_stop_(std::move(on_stop)),
      thread_([this] { thread_main(); }),
      handle_(thread_.native_handle()) {
  named_.wait();
}

void VcpuThread::end() {
  request(State::Ended);
  if (thread_.joinable()) thread_.join();
}

void VcpuThread::resume() { request(State::Running); }
void VcpuThread::request_pause() { request(State::Paused); }

void VcpuThread::request(State state) {
  const std::lock_guard lock(mutex_);
  if (requested_ == State::Ended) return;
  requested_ = state;
  changed_.notify_all();
  // Set after requested_: a thread that clears immediate_exit afterwards reads requested_ later still.
  if (state != State::Running && running_) {
    vcpu_.set_immediate_exit(true);
    pthread_kill(handle_, kick_signal());
  }
}

void VcpuThread::wait_paused() {
  if (pthread_equal(pthread_self(), handle_) != 0) return;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !running_ || requested_ == State::Running; });
}

std::uint64_t VcpuThread::cpu_time_ns() const {
  const std::lock_guard lock(mutex_);
  if (time_at_end_) return *time_at_end_;
  clockid_t clock = 0;
  // The thread cannot end while the lock is held, so its handle is good.
  if (pthread_getcpuclockid(handle_, &clock) != 0) return 0;
  return nanoseconds_of(clock);
}

void VcpuThread::thread_main() {
  block_signals();
  pthread_setname_np(pthread_self(), fmt::format("vcpu{}", vcpu_.id()).c_str());
  named_.count_down();
  while (wait_until_running()) run_until_requested();
  const std::lock_guard lock(mutex_);
  time_at_end_ = nanoseconds_of(CLOCK_THREAD_CPUTIME_ID);
}

bool VcpuThread::wait_until_running() {
  std::unique_lock lock(mutex_);
  running_ = false;
  changed_.notify_all();
  changed_.wait(
      lock, [this] { return requested_ == State::Ended || (requested_ == State::Running && !finished_); });
  running_ = requested_ == State::Running;
  return running_;
}

void VcpuThread::run_until_requested() {
  while (true) {
    auto exit = vcpu_.run();
    if (!exit) return finish({StopReason::Crashed, with_causes(std::move(exit).error()).message()});
    if (const auto stop = handle_exit(*exit, services_, vcpu_.id())) return finish(*stop);
    if (!std::holds_alternative<InterruptedExit>(*exit)) continue;
    vcpu_.set_immediate_exit(false);
    consume_kicks();
    const std::lock_guard lock(mutex_);
    if (requested_ != State::Running) return;
  }
}

void VcpuThread::finish(const VcpuStop& stop) {
  finished_ = true;
  on_stop_(stop);
}

}  // namespace virttdx
