// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "kvm/kvm.h"
#include "vcpu/exit_handler.h"

namespace virttdx {

/// Runs one vCPU on a thread of its own. All functions: any thread but where said.
class VcpuThread {
 public:
  /// Called once on the vCPU's thread when the TD came to its end there; the vCPU does not run again.
  using StopHandler = std::function<void(const VcpuStop&)>;

  /// Starts the thread, paused and named vcpuN: by that the daemon finds it. `vcpu`, the services and the
  /// handler's objects outlive it.
  static Result<std::unique_ptr<VcpuThread>> create(KvmVcpu& vcpu, const ExitServices& services,
                                                    StopHandler on_stop);
  VcpuThread(const VcpuThread&) = delete;
  VcpuThread& operator=(const VcpuThread&) = delete;
  ~VcpuThread() { end(); }

  /// Ends the thread and waits for that. Not on the vCPU's own thread; by one thread at a time.
  void end();

  void resume();
  /// The vCPU soon stops running; at once, from any place in the guest.
  void request_pause();
  /// Waits until it does not run. On its own thread (a device that it accesses) it returns at once.
  void wait_paused();
  /// CPU time of the thread, until now or its end.
  std::uint64_t cpu_time_ns() const;

 private:
  enum class State : std::uint8_t { Paused, Running, Ended };

  VcpuThread(KvmVcpu& vcpu, const ExitServices& services, StopHandler on_stop);
  void request(State state);
  void thread_main();
  /// False when the thread is to end.
  bool wait_until_running();
  void run_until_requested();
  void finish(const VcpuStop& stop);

  KvmVcpu& vcpu_;
  const ExitServices services_;
  const StopHandler on_stop_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State requested_ = State::Paused;           ///< guarded by mutex_
  bool running_ = false;                      ///< guarded by mutex_
  std::optional<std::uint64_t> time_at_end_;  ///< guarded by mutex_
  bool finished_ = false;                     ///< the guest came to its end; used by the thread alone
  std::latch named_{1};
  std::thread thread_;      ///< it uses all above
  const pthread_t handle_;  ///< thread_'s, also while another thread joins it
};

}  // namespace virttdx
