// SPDX-License-Identifier: GPL-2.0-or-later
// What a guest could make of a monitor that it took over, made small: libseccomp's allow list. The list holds
// what the run loop, the CPU engine (memory and its protection), a new TD after a reset (firmware read again,
// memory files, threads), a disk that is added (its file, threads) and the control socket use.
#include "control/sandbox.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace virttdx {
namespace {

constexpr std::array kAllowed = {
    // memory
    SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(membarrier), SCMP_SYS(memfd_create), SCMP_SYS(mmap),
    SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(munmap),
    // open files
    SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(fallocate), SCMP_SYS(fcntl), SCMP_SYS(fstat),
    SCMP_SYS(ftruncate), SCMP_SYS(ioctl), SCMP_SYS(lseek), SCMP_SYS(newfstatat), SCMP_SYS(pread64),
    SCMP_SYS(pwrite64), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(statx), SCMP_SYS(write), SCMP_SYS(writev),
    // disks; a ring of io_uring takes nothing but reads, writes, flushes and fallocate
    // (backends/file_ring.h)
    SCMP_SYS(fdatasync), SCMP_SYS(io_uring_enter), SCMP_SYS(preadv), SCMP_SYS(pwritev2), SCMP_SYS(statfs),
    // the control socket goes with its monitor
    SCMP_SYS(unlink), SCMP_SYS(unlinkat),
    // storage daemons too: pidfds come from before, none can be made
    SCMP_SYS(pidfd_send_signal), SCMP_SYS(wait4),
    // sockets; socket() itself has a rule of its own
    SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(getsockopt), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(setsockopt), SCMP_SYS(shutdown), SCMP_SYS(socketpair),
    // waiting and time
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_wait), SCMP_SYS(eventfd2),
    SCMP_SYS(gettimeofday), SCMP_SYS(nanosleep), SCMP_SYS(poll), SCMP_SYS(signalfd4), SCMP_SYS(ppoll),
    SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    // threads and signals
    SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(futex), SCMP_SYS(getpid), SCMP_SYS(getrusage),
    SCMP_SYS(gettid), SCMP_SYS(restart_syscall), SCMP_SYS(rseq), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list), SCMP_SYS(sigaltstack),
#ifdef __SANITIZE_ADDRESS__
    SCMP_SYS(pipe2),  // how the sanitizer finds out whether memory can be read
#endif
    // who asks
    SCMP_SYS(geteuid), SCMP_SYS(getrandom), SCMP_SYS(getuid), SCMP_SYS(sysinfo), SCMP_SYS(uname)};

// Between the call and the end of the process only what signal-safety(7) allows.
void report_forbidden_call(int, siginfo_t* information, void*) {
  std::array<char, 64> text{};
  constexpr const char* kText = "seccomp: forbidden system call, number ";
  std::size_t size = std::strlen(kText);
  std::memcpy(text.data(), kText, size);
  std::array<char, 12> digits{};
  std::size_t count = 0;
  for (auto number = static_cast<unsigned>(information->si_syscall); count == 0 || number != 0; number /= 10)
    digits.at(count++) = static_cast<char>('0' + number % 10);
  while (count > 0) text.at(size++) = digits.at(--count);
  text.at(size++) = '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), size);
  ::signal(SIGSYS, SIG_DFL);
  ::raise(SIGSYS);
  ::_exit(128 + SIGSYS);
}

Result<> report_forbidden_calls() {
  struct sigaction action {};
  action.sa_sigaction = report_forbidden_call;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;  // the handler raises it again
  if (::sigaction(SIGSYS, &action, nullptr) != 0) return fail_errno(errno, "cannot handle SIGSYS");
  return {};
}

/// libseccomp's functions return 0 or -errno.
Result<> checked(int result) {
  if (result != 0) return fail_errno(-result, "cannot load the seccomp filter");
  return {};
}

struct ConditionalRule {
  int call;
  scmp_arg_cmp argument;
};

// Allowed with one argument only.
Result<> add_conditional_rules(scmp_filter_ctx filter) {
  const auto creating = scmp_datum_t{O_CREAT | O_TRUNC};
  const auto own_pid = static_cast<scmp_datum_t>(::getpid());
  const ConditionalRule rules[] = {
      {SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, creating, 0)},
      // the quote generation service
      {SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_UNIX)},
      {SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_VSOCK)},
      {SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)},
      // a ring's file, which is one that is open (backends/file_ring.h)
      {SCMP_SYS(io_uring_register), SCMP_A1(SCMP_CMP_EQ, IORING_REGISTER_FILES_UPDATE)},
      {SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)},
      {SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, own_pid)},
      // The software host reads and writes what ioctls point at as the kernel does: a bad pointer is EFAULT.
      {SCMP_SYS(process_vm_readv), SCMP_A0(SCMP_CMP_EQ, own_pid)},
      {SCMP_SYS(process_vm_writev), SCMP_A0(SCMP_CMP_EQ, own_pid)},
  };
  for (const auto& rule : rules)
    TRY(checked(seccomp_rule_add(filter, SCMP_ACT_ALLOW, rule.call, 1, rule.argument)));
  // clone3's flags are in memory, where no filter sees them; the C library falls back to clone.
  return checked(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
}

Result<> load_filter(scmp_filter_ctx filter) {
  TRY(checked(seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1)));
  for (const int call : kAllowed) TRY(checked(seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0)));
  TRY(add_conditional_rules(filter));
  return checked(seccomp_load(filter));
}

}  // namespace

Result<> enter_sandbox() {
  TRY(report_forbidden_calls());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno(errno, "cannot set no_new_privs");
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_TRAP),
                                                                 &seccomp_release);
  if (!filter) return fail(Error::Code::Internal, "cannot create a seccomp filter");
  return load_filter(filter.get());
}

}  // namespace virttdx
