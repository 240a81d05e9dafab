// SPDX-License-Identifier: GPL-2.0-or-later
// For test programs that are built with the thread sanitizer. Debian's libunicorn leaves our hooks by
// __longjmp_chk(), which the sanitizer does not know: its stack of calls would grow with each until it is
// full.
#include <csetjmp>

// NOLINTNEXTLINE(bugprone-reserved-identifier): glibc's name
extern "C" [[noreturn]] void __longjmp_chk(sigjmp_buf environment, int value);

// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" void __longjmp_chk(sigjmp_buf environment, int value) { siglongjmp(environment, value); }
