#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots the same firmware as a TD on the software TDX host and as an ordinary guest of QEMU's TCG, one after
the other, and prints seconds to the shell banner, seconds of processor time to the prompt, and their ratios.

usage: boot_against_tcg.py SOFTHOST_BOOT [ROUNDS]
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import time

FIRMWARE = "/usr/share/ovmf/OVMF.fd"
SKIPPED = 77
QEMU = ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-m", "512", "-bios", FIRMWARE,
        "-display", "none", "-nodefaults", "-serial", "stdio", "-no-reboot"]


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def boot_in_qemu():
    """Seconds to the banner."""
    start = time.monotonic()
    guest = subprocess.Popen(QEMU, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = b""

    def wait_for(text):
        nonlocal seen
        while text not in seen:
            more = os.read(guest.stdout.fileno(), 4096)
            if not more:
                sys.exit(f"QEMU ended before {text.decode()!r}: {guest.stderr.read().decode().strip()}")
            seen += more
        return time.monotonic() - start

    try:
        banner = wait_for(b"UEFI Interactive Shell")
        wait_for(b"seconds to skip")
        guest.stdin.write(b" ")
        guest.stdin.flush()
        wait_for(b"Shell>")
        return banner
    finally:
        guest.kill()
        guest.wait()


def boot_as_td(program):
    """Seconds to the banner."""
    output = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout
    phases = re.findall(r"^  (?:launch|to fw_cfg \(SEC\)|to the banner) +([0-9.]+) s$", output, re.M)
    return sum(float(seconds) for seconds in phases)


def measure(boot):
    """Banner and processor seconds of one boot."""
    before = processor_seconds()
    banner = boot()
    return banner, processor_seconds() - before


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for needed in (shutil.which(QEMU[0]), os.path.exists(FIRMWARE)):
        if not needed:
            print(f"skipped: {QEMU[0]} (qemu-system-x86) and {FIRMWARE} (ovmf) are needed")
            return SKIPPED
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print("          banner (s)            processor (s)\nround   softhost   QEMU ratio   softhost   QEMU ratio")
    for number in range(1, rounds + 1):
        ours, theirs = measure(lambda: boot_as_td(sys.argv[1])), measure(boot_in_qemu)
        cells = "   ".join(f"{a:8.2f} {b:6.2f} {a / b:5.2f}" for a, b in zip(ours, theirs))
        print(f"{number:5}   {cells}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
