# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk behind a web server that wants cookies; curl's block driver comes with Debian's package qemu-block-extra."""
import http.server
import pathlib
import subprocess
import threading
import unittest

import harness

SIZE = 1 << 20
SECRET = 'open-sesame'
DISK = """<disk type='network' device='cdrom'><driver name='qemu' type='raw'/>
  <source protocol='http' name='/a.iso'><host name='127.0.0.1' port='{port}'/>
    <cookies><cookie name='session'>{secret}</cookie><cookie name='lang'>en</cookie></cookies></source>
  <target dev='sda' bus='scsi'/><readonly/></disk>"""


class Server(http.server.BaseHTTPRequestHandler):
    """One file, in ranges, for those who know the secret."""
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, with_body):
        if self.headers['Cookie'] != f'session={SECRET}; lang=en':
            self.send_response(403)
            self.send_header('Content-Length', '0')
            return self.end_headers()
        first, last = 0, SIZE - 1
        if self.headers['Range']:
            first, last = (int(number) for number in self.headers['Range'].removeprefix('bytes=').split('-'))
        self.send_response(206 if self.headers['Range'] else 200)
        self.send_header('Accept-Ranges', 'bytes')
        self.send_header('Content-Length', str(last - first + 1))
        self.end_headers()
        if with_body:
            self.wfile.write(bytes(last - first + 1))
        return None


@unittest.skipUnless(list(pathlib.Path('/usr/lib').glob('*/qemu/block-curl.so')), 'no package qemu-block-extra')
class HttpDisk(harness.DaemonTest):
    def setUp(self):
        super().setUp()
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Server)
        threading.Thread(target=server.serve_forever).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.port = server.server_address[1]

    def define(self, secret):
        self.daemon.define(harness.td_xml(text={'  </devices>': DISK.format(port=self.port, secret=secret) + '</devices>'}))

    def test_is_served_to_who_has_its_cookies(self):
        self.define(SECRET)
        self.daemon.virsh('start', 'td', '--paused')
        self.assertIn(f'{SIZE}', self.daemon.virsh('domblkinfo', 'td', 'sda'))
        self.assertIn(SECRET, self.daemon.virsh('dumpxml', 'td', '--security-info'))

    def test_keeps_them_from_who_may_not_know(self):
        self.define(SECRET)
        self.daemon.virsh('start', 'td', '--paused')
        self.assertNotIn('session', self.daemon.virsh('dumpxml', 'td'))
        self.assertNotIn(SECRET, subprocess.run(['ps', '-eo', 'args'], capture_output=True, text=True, check=True).stdout)
        self.assertNotIn(SECRET, self.daemon.domain_log('td'))
        self.assertNotIn(SECRET, (self.daemon.root / 'virttdxd.log').read_text())

    def test_does_not_start_with_wrong_ones(self):
        self.define('wrong')
        self.assertIn("disk 'sda'", self.daemon.virsh_error('start', 'td', '--paused'))
        self.assertIn('403', self.daemon.domain_log('td'))


if __name__ == '__main__':
    harness.main()
