#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs an interactive command (virsh console) on a pseudo-terminal, shows what it prints, waits for texts, types answers.

Usage: console_expect.py [--timeout SECONDS] [--since EPOCH] [--log FILE] STEP... -- COMMAND...
A STEP is expect:REGEX (wait until the output since the last match contains it), send:TEXT (\\r, \\x1d as in Python) or
time:LABEL (print the seconds since EPOCH). A send waits until the command has set its terminal raw: virsh discards what is
typed before.
Exit status: 0 when every step happened, 1 on a timeout, 2 when the command ended before.
"""
import argparse
import codecs
import os
import pty
import re
import select
import signal
import sys
import termios
import time

ESCAPES = re.compile(rb'\x1b\[[0-9;?=]*[A-Za-z]')
HALF_ESCAPE = re.compile(rb'\x1b(\[[0-9;?=]*)?$')


class Console:
    """A command on a pseudo-terminal. Output is kept without terminal escapes."""

    def __init__(self, command, show=None, log=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(command[0], command)
        self.clean = b''
        self.held = b''  # an escape sequence that has not arrived whole
        self.matched = 0
        self.show = show
        self.log = log

    def read(self, seconds):
        """One piece of output, b'' when none came in time; raises EOFError at the end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b''
        try:
            piece = os.read(self.fd, 65536)
        except OSError:
            piece = b''
        if not piece:
            raise EOFError
        text = self.without_escapes(piece)
        self.clean += text.replace(b'\r', b'')
        for sink in (self.show, self.log):
            if sink:
                sink.write(text)
                sink.flush()
        return piece

    def without_escapes(self, piece):
        data = self.held + piece
        half = HALF_ESCAPE.search(data)
        end = half.start() if half else len(data)
        self.held = data[end:]
        return ESCAPES.sub(b'', data[:end])

    def text(self):
        return self.clean

    def expect(self, pattern, seconds):
        """Waits for the pattern after the last match. False on a timeout."""
        end = time.monotonic() + seconds
        while True:
            found = re.compile(pattern.encode()).search(self.text(), self.matched)
            if found:
                self.matched = found.end()
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.read(min(left, 1.0))

    def is_raw(self):
        return not termios.tcgetattr(self.fd)[3] & termios.ICANON

    def send(self, text, seconds=60):
        end = time.monotonic() + seconds
        while not self.is_raw() and time.monotonic() < end:
            self.read(0.05)
        os.write(self.fd, codecs.decode(text, 'unicode_escape').encode('latin-1'))

    def close(self):
        if self.fd < 0:
            return
        os.close(self.fd)
        self.fd = -1
        try:
            os.kill(self.pid, signal.SIGHUP)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)


def run(console, steps, seconds, since):
    for step in steps:
        kind, _, value = step.partition(':')
        if kind == 'send':
            console.send(value)
        elif kind == 'time':
            print(f'\n({value}: {time.time() - since:.1f} s)', flush=True)
        elif not console.expect(value, seconds):
            print(f'\nconsole_expect: no {value!r} within {seconds} s', file=sys.stderr)
            return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--timeout', type=float, default=120)
    parser.add_argument('--since', type=float, default=time.time())
    parser.add_argument('--log', type=argparse.FileType('wb'))
    parser.add_argument('steps', nargs='+', metavar='STEP')
    split = sys.argv.index('--') if '--' in sys.argv else len(sys.argv)
    arguments = parser.parse_args(sys.argv[1:split])
    command = sys.argv[split + 1:]
    if not command:
        parser.error('no command after --')
    console = Console(command, sys.stdout.buffer, arguments.log)
    try:
        return run(console, arguments.steps, arguments.timeout, arguments.since)
    except EOFError:
        print('\nconsole_expect: the command ended', file=sys.stderr)
        return 2
    finally:
        console.close()


if __name__ == '__main__':
    sys.exit(main())
