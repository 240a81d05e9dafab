#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""virttdxd byte for byte: replies that libvirt's own daemon gave to the same calls, and clients that mean no good.

Usage: wire_test.py VIRTTDXD SOURCE_ROOT
"""
import os
import random
import select
import socket
import struct
import threading

from process_memory import assert_memory_less, memory_kib
from wire_case import (CALL_WITH_FDS, CONTINUE, ERROR, KEEPALIVE, MESSAGE, OK, PATIENCE, QEMU, REMOTE, REPLY, SOURCE, STREAM, WireTest,
                       frame, main, text)

AUTH_LIST, CLOSE = 66, 2
UUID = '5f4f866e728e4a6bb6bdf995f0634555'
# {name "lvt", uuid, id -1 or 1} as libvirt's client sends it.
INACTIVE = '000000036c767400' + UUID + 'ffffffff'
ACTIVE = '000000036c767400' + UUID + '00000001'


class Golden(WireTest):
    """Payloads as recorded between virsh 9.0.0 and libvirtd 9.0.0."""

    def test_opens_as_virsh_does(self):
        client = self.connect()
        for procedure, payload, reply in ((66, '', '0000000100000000'), (60, '0000000a', '00000001'),
                                          (1, '000000010000000d' + b'tdx:///system'.hex() + '000000' + '00000000', ''),
                                          (60, '0000000e', '00000001'), (60, '0000000f', '00000001'), (360, '', ''),
                                          (361, '', ''), (2, '', '')):
            self.assertEqual(self.call(client, procedure, bytes.fromhex(payload)), (OK, bytes.fromhex(reply)), procedure)

    def test_opens_a_session_as_an_ordinary_users_virsh_does(self):
        # Flag 4 is the client library's own: it would have started a session daemon.
        opened = self.call(self.connect(), 1, b'\0\0\0\1' + text('tdx:///session') + b'\0\0\0\4')
        self.assertEqual(opened, (OK, b''))

    def test_serves_a_domain_as_libvirtd_does(self):
        client = self.open()
        xml = (SOURCE / 'docs/examples/td.xml').read_text()
        xml = xml.replace('>td<', '>lvt<').replace('<memory', '<uuid>5f4f866e-728e-4a6b-b6bd-f995f0634555</uuid><memory')
        lifecycle = '0000000000000000'
        for procedure, payload, reply in (
                (11, text(xml).hex(), INACTIVE), (23, '000000036c767400', INACTIVE), (24, UUID, INACTIVE),
                (273, '0000000100000003', '00000001' + INACTIVE + '00000001'), (273, '0000000000000003', '0000000000000001'),
                (450, INACTIVE + '00000001', ''), (449, INACTIVE, '00000001'), (450, INACTIVE + '00000000', ''), (449, INACTIVE, '00000000'),
                (212, INACTIVE + '00000000', '0000000500000000'), (316, lifecycle, '00000000'), (317, '00000000', ''),
                (9, INACTIVE, ''), (24, UUID, ACTIVE), (22, '00000001', ACTIVE), (212, ACTIVE + '00000000', '0000000100000001'),
                (150, ACTIVE, '00000001'), (19, ACTIVE, '0000000368766d00'), (12, ACTIVE, ''),
                (212, INACTIVE + '00000000', '0000000500000002'), (231, INACTIVE + '00000000', '')):
            self.assertEqual(self.call(client, procedure, bytes.fromhex(payload)), (OK, bytes.fromhex(reply)), procedure)

    def test_reports_a_missing_domain_as_libvirtd_does(self):
        # As recorded, but for the error's origin: VIR_FROM_DOMAIN (0x14), not VIR_FROM_QEMU.
        recorded = ('0000002a00000014000000010000003c446f6d61696e206e6f7420666f756e643a206e6f20646f6d61696e2077697468206d617463'
                    '68696e67206e616d6520276e6f6e6578697374656e742700000002000000000000000100000014446f6d61696e206e6f7420666f75'
                    '6e643a202573000000010000002a6e6f20646f6d61696e2077697468206d61746368696e67206e616d6520276e6f6e657869737465'
                    '6e7427000000000000ffffffffffffffff00000000')
        answer = self.call(self.open(), 23, bytes.fromhex('0000000b6e6f6e6578697374656e7400'))
        self.assertEqual(answer, (ERROR, bytes.fromhex(recorded)))

    def test_sends_events_as_libvirtd_does(self):
        client, other = self.open(), self.open()
        self.call(client, 316, bytes(8))
        xml = (SOURCE / 'docs/examples/td.xml').read_text().replace('>td<', '>lvt<')
        xml = xml.replace('<memory', '<uuid>5f4f866e-728e-4a6b-b6bd-f995f0634555</uuid><memory')
        self.call(other, 11, text(xml))
        header, payload = self.read_frame(client)
        self.assertEqual(header, (REMOTE, 1, 318, MESSAGE, 1, OK))
        self.assertEqual(payload.hex(), '00000000' + INACTIVE + '00000000' + '00000000')
        self.call(other, 35, bytes.fromhex(INACTIVE))


class Console(WireTest):
    """The fake monitor echoes what it is sent: every byte goes through the daemon twice."""
    PATTERN = bytes(range(256)) * 16

    def setUp(self):
        self.client = self.open()
        xml = (SOURCE / 'docs/examples/td.xml').read_text().replace('>td<', '>lvt<')
        xml = xml.replace('<memory', '<uuid>5f4f866e-728e-4a6b-b6bd-f995f0634555</uuid><memory')
        self.assertEqual(self.call(self.client, 10, text(xml) + bytes(4))[0], OK)
        self.addCleanup(lambda: self.call(self.open(), 12, bytes.fromhex(ACTIVE)))
        # The stream has the serial of the call that opens it.
        self.assertEqual(self.call(self.client, 201, bytes.fromhex(ACTIVE) + bytes(8), serial=7), (OK, b''))
        self.assertEqual(self.read_stream(15), b'fake firmware\r\n')

    def packet(self):
        return frame(201, self.PATTERN, serial=7, kind=STREAM, status=CONTINUE)

    def read_stream(self, size):
        data = b''
        while len(data) < size:
            header, payload = self.read_frame(self.client)
            self.assertEqual(header, (REMOTE, 1, 201, STREAM, 7, CONTINUE))
            data += payload
        return data

    def test_carries_both_directions_at_once(self):
        sender = threading.Thread(target=lambda: [self.client.sendall(self.packet()) for _ in range(1024)])
        sender.start()
        self.assertEqual(self.read_stream(1024 * len(self.PATTERN)), 1024 * self.PATTERN)
        sender.join()

    def test_goes_on_when_a_client_reads_after_it_was_no_longer_read(self):
        packets, sent = self.packet() * 1024, 0
        self.client.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True:
                sent += self.client.send(packets[sent:])
                select.select([], [self.client], [], 1)
        self.client.settimeout(PATIENCE)
        sender = threading.Thread(target=self.client.sendall, args=(packets[sent:],))
        sender.start()
        self.assertEqual(self.read_stream(1024 * len(self.PATTERN)), 1024 * self.PATTERN)
        sender.join()


class OlderEvents(WireTest):
    def test_come_without_callback_ids(self):
        client, other = self.open(), self.open()
        self.assertEqual(self.call(client, 105), (OK, b'\0\0\0\1'))
        self.assert_error(self.call(client, 105), 1, 'already registered')
        self.assertEqual(self.call(client, 167, b'\0\0\0\1')[0], OK)
        xml = (SOURCE / 'docs/examples/td.xml').read_text().replace('>td<', '>lvt<')
        self.call(other, 11, text(xml.replace('<memory', '<uuid>5f4f866e-728e-4a6b-b6bd-f995f0634555</uuid><memory')))
        header, payload = self.read_frame(client)
        self.assertEqual((header, payload.hex()), ((REMOTE, 1, 107, MESSAGE, 1, OK), INACTIVE + '00000000' + '00000000'))
        self.assertEqual(self.call(client, 106), (OK, bytes(4)))
        self.assertEqual(self.call(client, 168, b'\0\0\0\1')[0], OK)
        self.assert_error(self.call(client, 106), 1, 'not registered')
        self.call(other, 35, bytes.fromhex(INACTIVE))
        self.assertEqual(self.call(client, 3)[0], OK)


class Protocol(WireTest):
    def test_answers_what_it_does_not_know(self):
        client = self.open()
        self.assert_error(self.call(client, 1, program=0x12345678), 39, 'Cannot find program 305419896 version 1')
        self.assert_error(self.call(client, 1, version=2), 39, 'version 2')
        self.assert_error(self.call(client, 9999), 39, 'unknown procedure: 9999')
        self.assert_error(self.call(client, -1), 39, 'unknown procedure: -1')
        self.assert_error(self.call(client, 318), 39, 'unknown procedure: 318')
        self.assert_error(self.call(client, 284, bytes(8)), 3, 'virConnectListAllInterfaces')
        self.assert_error(self.call(client, 295, bytes(64)), 3, 'virDomainSendProcessSignal')

    def test_knows_the_calls_of_the_qemu_program(self):
        """libvirt's client keeps DOMAIN_MONITOR_COMMAND_WITH_FILES (7) to itself where descriptors are not passed."""
        client = self.open()
        arguments = text('none') + bytes(16) + struct.pack('>i', -1) + text('{}') + bytes(4)
        for procedure in (1, 7):
            self.assert_error(self.call(client, procedure, arguments, program=QEMU), 42, "no domain with matching uuid")
        self.assert_error(self.call(client, 6, program=QEMU), 39, 'unknown procedure: 6')

    def test_serves_nothing_before_open(self):
        client = self.connect()
        self.assert_error(self.call(client, 3), 1, 'hypervisor connection not open')
        opened = self.open()
        self.assert_error(self.call(opened, 1, bytes(8)), 1, 'connection already open')
        self.assertEqual(self.call(opened, 3)[0], OK)

    def test_forbids_what_a_read_only_client_may_not(self):
        client = self.open('-ro')
        rows = [line.split() for line in (SOURCE / 'schemas/remote_procedures.txt').read_text().splitlines()
                if line[0] != '#']
        for number, name, rule, *_ in rows:
            if name == 'CONNECT_CLOSE':
                continue
            _, payload = self.call(client, int(number))
            if rule == 'forbidden' and b'read only access prevents' not in payload:
                self.assertIn(b'not supported by the connection driver', payload, name)
            elif rule != 'forbidden':
                self.assertNotIn(b'read only access prevents', payload, name)

    def test_answers_keepalive_at_once(self):
        client = self.connect()
        client.sendall(frame(1, program=KEEPALIVE, kind=MESSAGE))
        self.assertEqual(self.read_frame(client), ((KEEPALIVE, 1, 2, MESSAGE, 0, OK), b''))

    def test_takes_pipelined_calls(self):
        client = self.open()
        client.sendall(b''.join(frame(3, serial=serial) for serial in range(1000)))
        self.assertEqual([self.read_frame(client)[0][4] for _ in range(1000)], list(range(1000)))


class Hostile(WireTest):
    def test_lengths_end_the_connection(self):
        for length in (0, 3, 4, 27, 33554437, 0x7fffffff, 0xffffffff):
            client = self.connect()
            client.sendall(struct.pack('>I', length) + b'\xff' * 24)
            self.assert_closed(client)

    def test_half_a_message_costs_nothing(self):
        for size in range(0, 60, 7):
            client = self.connect()
            client.sendall(frame(1, b'\0\0\0\1' + text('tdx:///system') + b'\0' * 4)[:size])
            client.close()

    def test_payloads_of_other_types_are_refused(self):
        client = self.open()
        for procedure in (11, 23, 24, 212, 273, 344, 201, 350):
            self.assert_error(self.call(client, procedure, b'\xff'), 39, 'Unable to decode message payload')
            self.assertEqual(self.call(client, procedure, b'\xff' * 64)[0], ERROR)

    def test_lengths_inside_a_payload_are_bounded(self):
        client = self.open()
        self.assert_error(self.call(client, 23, struct.pack('>I', 0xffffffff)), 39, 'Unable to decode')
        self.assert_error(self.call(client, 344, struct.pack('>I', 16385) + bytes(64)), 39, 'Unable to decode')
        self.assert_error(self.call(client, 20, bytes.fromhex(INACTIVE) + struct.pack('>ii', 2 ** 31 - 1, 2 ** 31 - 1)), 8, 'maxinfo')

    def test_message_types_of_a_server_end_the_connection(self):
        for kind in (REPLY, MESSAGE, CALL_WITH_FDS, 99):
            client = self.connect()
            client.sendall(frame(66, kind=kind))
            self.assert_closed(client)

    def test_stream_packets_without_a_stream_are_dropped(self):
        client = self.open()
        client.sendall(frame(201, b'data', serial=7, kind=STREAM))
        self.assertEqual(self.call(client, 3)[0], OK)

    def test_calls_of_random_bytes_are_answered(self):
        """Every procedure of the protocol, and numbers beyond it; a reply each, and the connection stays."""
        client, random_ = self.open(), random.Random(5)
        for procedure in [number for number in range(470) if number != CLOSE]:
            for size in (4, 20, 28, 64, 300):
                # Small numbers pass for lengths, flags and ids more often than random bytes do.
                payload = b''.join(struct.pack('>I', random_.choice((0, 1, 2, 16, 255, random_.getrandbits(32)))) for _ in range(size // 4))
                self.call(client, procedure, payload)

    def test_thousands_of_connections_leave_nothing(self):
        def connect(count):
            """And waits until the last one is served."""
            for _ in range(count):
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(str(self.root / 'run/libvirt/virttdxd-sock'))
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(self.root / 'run/libvirt/virttdxd-sock'))
                self.call(client, AUTH_LIST)

        def descriptors():
            return len(os.listdir(f'/proc/{self.daemon.pid}/fd'))

        connect(1000)
        before, memory = descriptors(), memory_kib(self.daemon.pid, 'VmRSS')
        connect(10000)
        self.assertLessEqual(descriptors(), before + 1)
        assert_memory_less(self, self.daemon.pid, 'VmRSS', memory + 4096)

    def test_one_that_never_reads_is_not_read_either(self):
        client = self.open()
        client.setblocking(False)
        sent, packet = 0, frame(7) * 1000
        with self.assertRaises(BlockingIOError):
            while sent < 1 << 28:
                sent += client.send(packet)


main()
