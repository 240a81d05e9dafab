#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""virttdxd and clients that want too much: one that never reads its events, and more of them at once than may be.

Usage: hostile_test.py VIRTTDXD SOURCE_ROOT
"""
import itertools
import os
import resource
import select
import socket
import struct
import time

from process_memory import assert_memory_less, memory_kib
from wire_case import MESSAGE, OK, PATIENCE, REMOTE, REPLY, SOURCE, WireTest, frame, main, text

AUTH_LIST, DEFINE, UNDEFINE, REGISTER, LIFECYCLE = 66, 11, 35, 316, 318
MAX_CLIENTS = 5000  # max_clients of virttdxd.conf, when it does not say
WAITING = 1000
# What the daemon and this test have open besides.
OTHER_DESCRIPTORS = 300


class Events(WireTest):
    CALLBACKS = 500
    # ClientLimits::output_maximum of the daemon, and what it costs to keep that much in pieces.
    OUTPUT_MAXIMUM_KIB, PIECES_KIB = 64 << 10, 96 << 10
    NAME = 'a' * 200

    def register(self, client, times=1):
        for _ in range(times):
            self.assertEqual(self.call(client, REGISTER, bytes(8))[0], OK)

    def define_and_undefine(self, client):
        xml = (SOURCE / 'docs/examples/td.xml').read_text().replace('>td<', f'>{self.NAME}<')
        status, domain = self.call(client, DEFINE, text(xml))
        self.assertEqual(status, OK)
        self.assertEqual(self.call(client, UNDEFINE, domain)[0], OK)

    def assert_two_events(self, client):
        for _ in ('defined', 'undefined'):
            self.assertEqual(self.read_frame(client)[0], (REMOTE, 1, LIFECYCLE, MESSAGE, 1, OK))

    def test_that_one_client_never_reads_end_it_and_reach_all_others(self):
        deaf, other, listener = self.open(), self.open(), self.open()
        self.register(deaf, self.CALLBACKS)
        self.register(listener)
        hung_up = select.poll()
        hung_up.register(deaf, 0)  # POLLHUP comes unasked
        memory, events = memory_kib(self.daemon.pid, 'VmRSS'), 0
        while not hung_up.poll(0):
            self.define_and_undefine(other)
            self.assert_two_events(listener)
            events += 2 * self.CALLBACKS
            self.assertLess(events, 4 << 20)
        self.assertGreater(events, 10000)
        assert_memory_less(self, self.daemon.pid, 'VmHWM', memory + self.OUTPUT_MAXIMUM_KIB + self.PIECES_KIB)
        self.define_and_undefine(other)
        self.assert_two_events(listener)


class Crowd(WireTest):
    @classmethod
    def prepare(cls):
        needed, (soft, hard) = MAX_CLIENTS + WAITING + OTHER_DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)
        cls.possible = hard == resource.RLIM_INFINITY or hard >= needed
        if cls.possible and soft != resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))

    def setUp(self):
        if not self.possible:
            self.skipTest(f'a process may not have {MAX_CLIENTS + WAITING + OTHER_DESCRIPTORS} descriptors here')

    def join(self, blocking):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('@ll', PATIENCE, 0))
        client.setblocking(blocking)
        client.connect(str(self.root / 'run/libvirt/virttdxd-sock'))
        client.settimeout(PATIENCE)
        return client

    def wait_in_line(self):
        """As many as may; the kernel's limit on the length of a queue may be lower than the daemon's."""
        waiting = []
        try:
            for _ in range(WAITING):
                waiting.append(self.join(False))
        except BlockingIOError:
            pass
        return waiting

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.daemon.pid}/fd'))

    def wait_until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def assert_served(self, clients):
        for client in clients:
            self.assertEqual(self.call(client, AUTH_LIST)[0], OK)

    def test_of_more_than_there_may_be_waits_and_is_served_as_others_leave(self):
        before, memory = self.descriptors(), memory_kib(self.daemon.pid, 'VmRSS')
        inside = [self.join(True) for _ in range(MAX_CLIENTS)]
        self.assert_served(inside)
        waiting = self.wait_in_line()
        self.assertTrue(waiting)
        answered = select.poll()
        for client in waiting:
            client.sendall(frame(AUTH_LIST))
            answered.register(client, select.POLLIN)
        self.assert_served(itertools.islice(inside, 0, None, 100))
        self.assertEqual(answered.poll(0), [], 'answered or closed')
        self.assertLessEqual(self.descriptors(), before + MAX_CLIENTS)
        for client in inside[:len(waiting)]:
            client.close()
        for client in waiting:
            self.assertEqual(self.read_frame(client)[0], (REMOTE, 1, AUTH_LIST, REPLY, 0, OK))
        self.assert_served(inside[len(waiting):])
        assert_memory_less(self, self.daemon.pid, 'VmHWM', memory + (MAX_CLIENTS + WAITING) * 16)
        for client in inside + waiting:
            client.close()
        self.wait_until(lambda: self.descriptors() <= before)


main()
