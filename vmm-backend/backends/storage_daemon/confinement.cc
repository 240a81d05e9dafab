// SPDX-License-Identifier: GPL-2.0-or-later
// A list of what is refused, not of what is allowed: the daemon's block drivers bring libraries (librbd,
// libcurl, libssh) whose calls differ between versions.
#include "backends/storage_daemon/confinement.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "support/unique_fd.h"

namespace virttdx {
namespace {

constexpr std::array kRefused = {
    // other processes
    SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd), SCMP_SYS(process_madvise), SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev), SCMP_SYS(ptrace),
    // the kernel
    SCMP_SYS(acct), SCMP_SYS(bpf), SCMP_SYS(delete_module), SCMP_SYS(finit_module), SCMP_SYS(init_module),
    SCMP_SYS(ioperm), SCMP_SYS(iopl), SCMP_SYS(kexec_file_load), SCMP_SYS(kexec_load),
    SCMP_SYS(perf_event_open), SCMP_SYS(quotactl), SCMP_SYS(reboot), SCMP_SYS(swapoff), SCMP_SYS(swapon),
    SCMP_SYS(syslog), SCMP_SYS(userfaultfd),
    // the view of the file system
    SCMP_SYS(chroot), SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fsopen), SCMP_SYS(mknod),
    SCMP_SYS(mknodat), SCMP_SYS(mount), SCMP_SYS(mount_setattr), SCMP_SYS(move_mount),
    SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at), SCMP_SYS(open_tree), SCMP_SYS(pivot_root),
    SCMP_SYS(setns), SCMP_SYS(umount2), SCMP_SYS(unshare),
    // who it is
    SCMP_SYS(add_key), SCMP_SYS(capset), SCMP_SYS(keyctl), SCMP_SYS(personality), SCMP_SYS(request_key),
    SCMP_SYS(setdomainname), SCMP_SYS(setfsgid), SCMP_SYS(setfsuid), SCMP_SYS(setgid), SCMP_SYS(setgroups),
    SCMP_SYS(sethostname), SCMP_SYS(setregid), SCMP_SYS(setresgid), SCMP_SYS(setresuid), SCMP_SYS(setreuid),
    SCMP_SYS(setuid),
    // the clock
    SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime), SCMP_SYS(clock_settime), SCMP_SYS(settimeofday)};

/// libseccomp's functions return 0 or -errno.
Result<> checked(int result) {
  if (result != 0) return fail_errno(-result, "cannot make the seccomp filter of a storage daemon");
  return {};
}

Result<> add_rules(scmp_filter_ctx filter, bool needs_network) {
  for (const int call : kRefused) TRY(checked(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0)));
  constexpr std::uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                                        CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  for (std::uint64_t flag = 1; flag != 0; flag <<= 1)
    if ((kNamespaces & flag) != 0)
      TRY(checked(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                   SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag))));
  // clone3's flags are in memory, where no filter sees them; the C library falls back to clone.
  TRY(checked(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0)));
  if (needs_network) return {};
  return checked(
      seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX)));
}

Result<std::vector<sock_filter>> read_program(int file) {
  const off_t size = ::lseek(file, 0, SEEK_END);
  if (size <= 0 || size % static_cast<off_t>(sizeof(sock_filter)) != 0)
    return fail(Error::Code::Internal, "libseccomp wrote a filter of {} bytes", size);
  std::vector<sock_filter> program(static_cast<std::size_t>(size) / sizeof(sock_filter));
  if (::pread(file, program.data(), static_cast<std::size_t>(size), 0) != size)
    return fail_errno(errno, "cannot read the seccomp filter of a storage daemon");
  return program;
}

}  // namespace

Result<std::vector<sock_filter>> storage_daemon_filter(bool needs_network) {
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_ALLOW),
                                                                 &seccomp_release);
  if (!filter) return fail(Error::Code::Internal, "cannot create a seccomp filter");
  TRY(add_rules(filter.get(), needs_network));
  const UniqueFd file(::memfd_create("filter", MFD_CLOEXEC));
  if (!file) return fail_errno(errno, "cannot create a memory file");
  TRY(checked(seccomp_export_bpf(filter.get(), file.get())));
  return read_program(file.get());
}

}  // namespace virttdx
