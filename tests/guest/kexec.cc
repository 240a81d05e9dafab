// SPDX-License-Identifier: GPL-2.0-or-later
// kexec KERNEL INITRD WORDS: loads another kernel (kexec_file_load(2)) and goes there (reboot(2)).
#include <fcntl.h>
#include <linux/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

int main(int count, char** words) {
  if (count != 4) return 2;
  const int kernel = open(words[1], O_RDONLY), initrd = open(words[2], O_RDONLY);
  if (syscall(SYS_kexec_file_load, kernel, initrd, std::strlen(words[3]) + 1, words[3], 0UL) == 0)
    syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, nullptr);
  std::printf("error kexec: %s\n", std::strerror(errno));
  return 1;
}
