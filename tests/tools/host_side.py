# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's side of a Linux guest that uses everything: a server for passt, a vsock both ways, a quote generation service."""
import functools
import http.server
import os
import pathlib
import socket
import subprocess
import sys
import threading
import unittest

import harness

GUEST = harness.SOURCE / 'tests/guest'
sys.path.insert(0, str(GUEST))
from guest_files import guest_files  # noqa: E402, F401  pylint: disable=wrong-import-position,unused-import
VIRT_TDX = harness.BUILD / 'tools/virt-tdx'
MR_CONFIG_ID = '5a' * 48
# A version 4 quote: its header, then the TD report of 584 bytes (Intel's TDX DCAP quoting library, appendix A.3).
QUOTE_HEADER = 48
REPORT_FIELDS = {'mrtd': 136, 'mr_config_id': 184, 'rtmr0': 328, 'rtmr1': 376, 'rtmr2': 424, 'rtmr3': 472}
# Where the kernel has it the monitor leaves the vsock to it.
KERNEL_VSOCK = os.access('/dev/vhost-vsock', os.R_OK | os.W_OK)
VSOCK_FAMILY = socket.AF_VSOCK if KERNEL_VSOCK else socket.AF_UNIX
GUEST_CID = 5
ECHOED = bytes(range(256)) * 4096
SENT_BY_GUEST = b'hello from the guest\n' + b'g' * (1 << 20)


def start_quote_service(test, socket):
    """Quotes of nobody at `socket` until the test ends."""
    service = subprocess.Popen([VIRT_TDX, 'qgs-sim', '--socket', socket], stdout=subprocess.DEVNULL)
    test.addCleanup(service.wait)
    test.addCleanup(service.terminate)
    harness.wait_until(socket.exists, 'the quote service')


def report_in(quote):
    """The fields of the TD report in a quote, in hexadecimal."""
    body = quote[QUOTE_HEADER:]
    return {name: body[offset:offset + 48].hex() for name, offset in REPORT_FIELDS.items()}


class QuietServer(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class HostSide(unittest.TestCase):
    """For tests with a directory of their own, and the path of their TD's vsock."""
    directory = vsock = pathlib.Path()

    def serve_file(self):
        """The port of a server on this host's loopback."""
        served = self.directory / 'served'
        served.mkdir()
        (served / 'hello.txt').write_text('from the host')
        handler = functools.partial(QuietServer, directory=served)
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_port

    def listen_for_guest(self):
        """A server at port 80 of the guest's host: what it was sent."""
        listener = socket.socket(VSOCK_FAMILY)
        listener.bind((socket.VMADDR_CID_ANY, 80) if KERNEL_VSOCK else f'{self.vsock}_80')
        listener.listen(1)
        sent = []

        def serve():
            with listener, listener.accept()[0] as connection, connection.makefile('rwb') as stream:
                sent.append(stream.read())
                stream.write(b'hello from the host')

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 1)
        return sent

    def talk_to_guest(self):
        """The answer of the Unix socket, if it is one, and what the guest sends back, once it listens."""
        with socket.socket(VSOCK_FAMILY) as connection:
            connection.connect((GUEST_CID, 1234) if KERNEL_VSOCK else str(self.vsock))
            if not KERNEL_VSOCK:
                connection.sendall(b'CONNECT 1234\n')
            with connection.makefile('rb') as stream:
                answer = b'OK 0\n' if KERNEL_VSOCK else stream.readline()
                sender = threading.Thread(target=lambda: (connection.sendall(ECHOED), connection.shutdown(socket.SHUT_WR)))
                sender.start()
                echoed = stream.read()
                sender.join()
        return answer, echoed

    def make_vsock_talk(self):
        program = self.directory / 'vsock_talk'
        subprocess.run(['c++', '-O2', '-static', '-o', program, GUEST / 'vsock_talk.cc'], check=True)
        return program
