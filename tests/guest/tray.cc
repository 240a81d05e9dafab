// SPDX-License-Identifier: GPL-2.0-or-later
// tray DRIVE open|close: moves the tray of a CD-ROM drive (linux/cdrom.h), as eject(1) does.
#include <fcntl.h>
#include <linux/cdrom.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

int main(int count, char** words) {
  if (count != 3) return 2;
  const int drive = open(words[1], O_RDONLY | O_NONBLOCK);
  if (ioctl(drive, std::strcmp(words[2], "open") == 0 ? CDROMEJECT : CDROMCLOSETRAY, 0) == 0) return 0;
  std::printf("%s\n", std::strerror(errno));
  return 1;
}
