#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects that are not domains: forwarded to the daemons of their classes, and what is answered without them.

Usage: forward_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import os
import socket
import struct
import threading

from wire_case import (CONTINUE, ERROR, MESSAGE, OK, PATIENCE, REMOTE, REPLY, STREAM, WireTest, frame, main, read_frame, text)

AUTH_LIST, OPEN, SET_IDENTITY, AUTH_POLKIT = 66, 1, 419, 70
NUM_OF_NETWORKS, NETWORK_LOOKUP, NETWORK_DEFINE, LIST_ALL_NETWORKS, LIST_ALL_INTERFACES = 52, 46, 41, 283, 284
LIST_ALL_POOLS, NUM_OF_DEVICES, LIST_ALL_SECRETS, VOL_UPLOAD, VOL_DOWNLOAD = 281, 111, 287, 208, 209
REGISTER_NETWORK_EVENTS = 313


class Secondary:
    """A daemon of another class: takes one connection as libvirt's do, then hands every frame to `serve`."""
    def __init__(self, path, serve, authentication=0, refuse=None):
        self.serve, self.authentication, self.refuse = serve, authentication, refuse
        self.opening = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(peer,), daemon=True).start()

    def talk(self, peer):
        try:
            while True:
                header, payload = read_frame(peer)
                procedure, serial = header[2], header[4]
                if procedure in (AUTH_LIST, AUTH_POLKIT, OPEN, SET_IDENTITY):
                    self.opening.append((procedure, payload))
                    error = self.refuse == procedure
                    answer = struct.pack('>II', 1, self.authentication) if procedure == AUTH_LIST else b''
                    if error:
                        answer = struct.pack('>iiI', 88, 7, 1) + text('told to refuse') + bytes(4 * 8)
                    peer.sendall(frame(procedure, answer, serial, kind=REPLY, status=ERROR if error else OK))
                else:
                    self.serve(peer, header, payload)
        except (EOFError, OSError):
            peer.close()


def echo(peer, header, payload):
    peer.sendall(frame(header[2], b'reply to ' + payload, header[4], kind=REPLY))


class ForwardTest(WireTest):
    def secondary(self, name, serve=echo, **options):
        path = self.root / 'run/libvirt' / name
        daemon = Secondary(path, serve, **options)
        self.addCleanup(os.unlink, path)
        self.addCleanup(daemon.listener.close)
        return daemon


class WithoutDaemons(ForwardTest):
    def test_lists_and_counts_are_empty(self):
        client = self.open()
        for procedure in (NUM_OF_NETWORKS, NUM_OF_DEVICES):
            self.assertEqual(self.call(client, procedure), (OK, bytes(4)))
        for procedure in (LIST_ALL_NETWORKS, LIST_ALL_POOLS, LIST_ALL_SECRETS):
            self.assertEqual(self.call(client, procedure, bytes(8)), (OK, bytes(8)))

    def test_the_rest_is_not_supported(self):
        client = self.open()
        self.assert_error(self.call(client, NETWORK_LOOKUP, text('default')), 3, 'virNetworkLookupByName: it is another daemon')
        self.assert_error(self.call(client, LIST_ALL_INTERFACES, bytes(8)), 3, 'start libvirtd or virtinterfaced')
        self.assert_error(self.call(client, REGISTER_NETWORK_EVENTS, bytes(8)), 3, 'not supported by the connection driver')


class Forwarding(ForwardTest):
    def test_opens_in_the_clients_name_once(self):
        daemon = self.secondary('virtnetworkd-sock')
        client = self.open()
        for name in ('a', 'b'):
            self.assertEqual(self.call(client, NETWORK_LOOKUP, text(name), serial=7), (OK, b'reply to ' + text(name)))
        self.assertEqual([procedure for procedure, _ in daemon.opening], [AUTH_LIST, OPEN, SET_IDENTITY])
        self.assertEqual(daemon.opening[1][1], b'\0\0\0\1' + text('network:///system') + bytes(4))
        identity = daemon.opening[2][1]
        self.assertIn(text('unix-user-id') + struct.pack('>IQ', 4, os.getuid()), identity)
        self.assertIn(text('process-id') + struct.pack('>Iq', 3, os.getpid()), identity)

    def test_asks_polkit_when_told_to(self):
        daemon = self.secondary('virtnetworkd-sock', authentication=2)
        self.assertEqual(self.call(self.open(), NETWORK_LOOKUP, text('a'))[0], OK)
        self.assertEqual([procedure for procedure, _ in daemon.opening], [AUTH_LIST, AUTH_POLKIT, OPEN, SET_IDENTITY])

    def test_falls_back_to_the_daemon_for_all(self):
        daemon = self.secondary('libvirt-sock')
        self.assertEqual(self.call(self.open(), LIST_ALL_POOLS, bytes(8)), (OK, b'reply to ' + bytes(8)))
        self.assertEqual(daemon.opening[1][1], b'\0\0\0\1' + text('storage:///system') + bytes(4))

    def test_keeps_read_only_clients_read_only(self):
        daemon = self.secondary('virtnetworkd-sock-ro')
        client = self.open('-ro')
        self.assertEqual(self.call(client, NETWORK_LOOKUP, text('a'))[0], OK)
        self.assertEqual(daemon.opening[1][1], b'\0\0\0\1' + text('network:///system') + struct.pack('>I', 1))
        self.assert_error(self.call(client, NETWORK_DEFINE, text('a')), 29, 'read only access prevents virNetworkDefineXML')

    def test_reports_why_it_cannot(self):
        self.secondary('virtnetworkd-sock', refuse=OPEN)
        client = self.open()
        self.assert_error(self.call(client, NETWORK_LOOKUP, text('a')), 88, 'told to refuse')
        self.assert_error(self.call(client, NUM_OF_NETWORKS), 88, 'told to refuse')
        self.assertEqual(self.call(client, 3)[0], OK)

    def test_passes_errors_and_events_unchanged(self):
        def serve(peer, header, payload):
            peer.sendall(frame(315, b'event!!!', 1, kind=MESSAGE))
            peer.sendall(frame(header[2], b'any error', header[4], kind=REPLY, status=ERROR))
        self.secondary('virtnetworkd-sock', serve)
        client = self.open()
        client.sendall(frame(REGISTER_NETWORK_EVENTS, bytes(8), 9))
        self.assertEqual(self.read_frame(client), ((REMOTE, 1, 315, MESSAGE, 1, OK), b'event!!!'))
        self.assertEqual(self.read_frame(client), ((REMOTE, 1, REGISTER_NETWORK_EVENTS, REPLY, 9, ERROR), b'any error'))

    def test_survives_the_daemons_end(self):
        def serve(peer, header, payload):
            if payload == text('die'):
                peer.shutdown(socket.SHUT_RDWR)
            else:
                echo(peer, header, payload)
        self.secondary('virtnetworkd-sock', serve)
        client = self.open()
        self.assert_error(self.call(client, NETWORK_LOOKUP, text('die')), 1, 'ended the connection')
        self.assertEqual(self.call(client, NETWORK_LOOKUP, text('a')), (OK, b'reply to ' + text('a')))

    def test_drops_replies_to_nothing(self):
        def serve(peer, header, payload):
            peer.sendall(frame(header[2], b'', 4711, kind=REPLY))
            echo(peer, header, payload)
        self.secondary('virtnetworkd-sock', serve)
        self.assertEqual(self.call(self.open(), NETWORK_LOOKUP, text('a')), (OK, b'reply to ' + text('a')))


class Streams(ForwardTest):
    def test_go_up(self):
        got, done = [], threading.Event()

        def serve(peer, header, payload):
            procedure, serial = header[2], header[4]
            if header[3] != STREAM:
                echo(peer, header, payload)
            elif header[5] == CONTINUE:
                got.append(payload)
            else:
                peer.sendall(frame(procedure, b'', serial, kind=STREAM, status=OK))
                done.set()
        self.secondary('virtstoraged-sock', serve)
        client, data = self.open(), bytes(range(256)) * 256
        self.assertEqual(self.call(client, VOL_UPLOAD, b'', serial=5)[0], OK)
        packets = 256
        for _ in range(packets):
            client.sendall(frame(VOL_UPLOAD, data, 5, kind=STREAM, status=CONTINUE))
        client.sendall(frame(VOL_UPLOAD, b'', 5, kind=STREAM, status=OK))
        self.assertEqual(self.read_frame(client), ((REMOTE, 1, VOL_UPLOAD, STREAM, 5, OK), b''))
        self.assertTrue(done.wait(PATIENCE))
        self.assertEqual(got, [data] * packets)

    def test_come_down(self):
        packets, data = 256, bytes(range(256)) * 256

        def serve(peer, header, payload):
            echo(peer, header, payload)
            for _ in range(packets):
                peer.sendall(frame(header[2], data, header[4], kind=STREAM, status=CONTINUE))
            peer.sendall(frame(header[2], b'', header[4], kind=STREAM, status=CONTINUE))
        self.secondary('virtstoraged-sock', serve)
        client = self.open()
        self.assertEqual(self.call(client, VOL_DOWNLOAD, b'', serial=5)[0], OK)
        # Nothing is read for a while: the daemon keeps a little and lets the rest wait where it is.
        self.assertEqual(self.call(self.open(), 3)[0], OK)
        for _ in range(packets):
            self.assertEqual(self.read_frame(client), ((REMOTE, 1, VOL_DOWNLOAD, STREAM, 5, CONTINUE), data))
        self.assertEqual(self.read_frame(client), ((REMOTE, 1, VOL_DOWNLOAD, STREAM, 5, CONTINUE), b''))

    def test_end_with_the_daemon(self):
        def serve(peer, header, payload):
            echo(peer, header, payload)
            peer.shutdown(socket.SHUT_RDWR)
        self.secondary('virtstoraged-sock', serve)
        client = self.open()
        self.assertEqual(self.call(client, VOL_DOWNLOAD, b'', serial=5)[0], OK)
        header, payload = self.read_frame(client)
        self.assertEqual(header, (REMOTE, 1, VOL_DOWNLOAD, STREAM, 5, ERROR))
        self.assertIn(b'ended the connection', payload)


main()
