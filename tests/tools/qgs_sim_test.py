# SPDX-License-Identifier: GPL-2.0-or-later
"""virt-tdx qgs-sim: its quotes are read by hand and checked with the openssl program, as a verifier would."""
import hashlib
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import unittest

import harness
from harness import BUILD

REPORT_SIZE = 1024


def report(attributes=0x10000000, data=b'nonce'):
    """A TDREPORT_STRUCT whose hashes fit: type, CPUSVN, hashes at 32 and 80, REPORTDATA at 128, parts at 256 and 512."""
    whole = bytearray(REPORT_SIZE)
    whole[0] = 0x81
    whole[128:128 + len(data)] = data
    struct.pack_into('<QQ', whole, 512, attributes, 0x3)
    for field, value in enumerate((0x11, 0x22, 0x33, 0x44, 0x50, 0x51, 0x52, 0x53)):  # MRTD to RTMR3
        whole[528 + 48 * field:528 + 48 * (field + 1)] = bytes([value]) * 48
    whole[32:80] = hashlib.sha384(whole[256:256 + 239]).digest()
    whole[80:128] = hashlib.sha384(whole[512:1024]).digest()
    return bytes(whole)


def request(body_report):
    size = 24 + len(body_report)
    return struct.pack('>I', size) + struct.pack('<HHIIIII', 1, 1, 0, size, 0, len(body_report), 0) + body_report


def receive(connection, size):
    data = b''
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise EOFError(f'{len(data)} bytes of {size}')
        data += chunk
    return data


def reply_on(connection):
    """Error code and quote."""
    size, = struct.unpack('>I', receive(connection, 4))
    body = receive(connection, size)
    major, _, kind, said, error, id_size, quote_size = struct.unpack_from('<HHIIIII', body)
    assert (major, kind, said, id_size, quote_size) == (1, 1, size, 0, size - 24), body[:24]
    return error, body[24:]


class Quote:
    """Version 4, ECDSA P-256; offsets of Intel's "Version 4 Quote Format"."""

    def __init__(self, data):
        self.signed = data[:632]
        self.version, self.key_type, self.tee = struct.unpack_from('<HHI', data)
        self.vendor = data[12:28]
        self.body = data[48:632]
        size, = struct.unpack_from('<I', data, 632)
        signature = data[636:]
        assert len(signature) == size
        self.signature, self.attestation_key = signature[:64], signature[64:128]
        kind, size = struct.unpack_from('<HI', signature, 128)
        certification = signature[134:]
        assert (kind, len(certification)) == (6, size)
        self.qe_report, self.qe_signature = certification[:384], certification[384:448]
        authentication_size, = struct.unpack_from('<H', certification, 448)
        kind, size = struct.unpack_from('<HI', certification, 450 + authentication_size)
        assert kind == 5
        self.chain = certification[456 + authentication_size:]
        assert len(self.chain) == size


def der_integer(number):
    number = number.lstrip(b'\0') or b'\0'
    if number[0] & 0x80:
        number = b'\0' + number
    return bytes([2, len(number)]) + number


def der_signature(signature):
    content = der_integer(signature[:32]) + der_integer(signature[32:])
    return bytes([0x30, len(content)]) + content


def der_public_key(point):
    """SubjectPublicKeyInfo of P-256, RFC 5480."""
    return bytes.fromhex('3059301306072a8648ce3d020106082a8648ce3d03010703420004') + point


class QgsSim(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-qgs-'))
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = self.directory / 'qgs.socket'

    def start(self, *options, stderr=None):
        program = subprocess.Popen([BUILD / 'tools/virt-tdx', 'qgs-sim', '--socket', self.path, *options],
                                   stdout=subprocess.PIPE, stderr=stderr, text=True)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.terminate)
        self.assertIn('SIMULATED', program.stdout.readline())
        return program

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.settimeout(harness.PATIENCE)
        connection.connect(str(self.path))
        return connection

    def ask(self, message):
        connection = self.connect()
        connection.sendall(message)
        return reply_on(connection)

    def write(self, name, content):
        path = self.directory / name
        path.write_bytes(content)
        return path

    def assert_signed(self, key, signature, data):
        """`key`: PEM or DER, SubjectPublicKeyInfo."""
        done = subprocess.run(['openssl', 'dgst', '-sha256', '-verify', self.write('key', key), '-signature',
                               self.write('signature', der_signature(signature)), self.write('data', data)],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, 'Verified OK\n'), done.stderr)

    def test_quotes_carry_the_reports_values_and_say_what_they_are(self):
        self.start()
        error, data = self.ask(request(report(data=b'nonce')))
        self.assertEqual(error, 0)
        quote = Quote(data)
        self.assertEqual((quote.version, quote.key_type, quote.tee), (4, 2, 0x81))
        self.assertEqual(quote.vendor, b'virttdx-SIMULATE')
        self.assertEqual(struct.unpack_from('<QQ', quote.body, 120), (0x10000000, 0x3))
        for field, value in enumerate((0x11, 0x22, 0x33, 0x44, 0x50, 0x51, 0x52, 0x53)):
            self.assertEqual(quote.body[136 + 48 * field:136 + 48 * (field + 1)], bytes([value]) * 48, field)
        self.assertEqual(quote.body[520:584], b'nonce'.ljust(64, b'\0'))

    def test_a_verifier_finds_every_signature_good(self):
        root = self.directory / 'root.pem'
        self.start('--root-certificate', root)
        quote = Quote(self.ask(request(report()))[1])
        self.assert_signed(der_public_key(quote.attestation_key), quote.signature, quote.signed)
        self.assertEqual(quote.qe_report[320:352], hashlib.sha256(quote.attestation_key).digest())
        platform = self.write('platform.pem', quote.chain)
        key = subprocess.run(['openssl', 'x509', '-in', platform, '-noout', '-pubkey'], capture_output=True, check=True)
        self.assert_signed(key.stdout, quote.qe_signature, quote.qe_report)
        verified = subprocess.run(['openssl', 'verify', '-CAfile', root, platform],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(verified.returncode, 0, verified.stderr)
        subject = subprocess.run(['openssl', 'x509', '-in', platform, '-noout', '-subject'], capture_output=True,
                                 text=True, check=True)
        self.assertIn('SIMULATED', subject.stdout)

    def test_a_connection_takes_several_requests_even_in_pieces(self):
        self.start()
        connection = self.connect()
        message = request(report()) * 2
        for start in range(0, len(message), 700):
            connection.sendall(message[start:start + 700])
        self.assertEqual([reply_on(connection)[0] for _ in range(2)], [0, 0])

    def test_a_client_that_leaves_is_nothing_to_complain_about(self):
        with tempfile.TemporaryFile() as errors:
            program = self.start(stderr=errors)
            self.assertEqual(self.ask(request(report()))[0], 0)
            self.connect().close()
            self.assertEqual(self.ask(request(report()))[0], 0)
            program.terminate()
            program.wait()
            errors.seek(0)
            self.assertEqual(errors.read(), b'')

    def test_what_is_no_report_is_refused(self):
        self.start()
        changed = bytearray(report())
        changed[512] ^= 1
        no_td = bytearray(report())
        no_td[0] = 0
        for wrong in (bytes(changed), bytes(no_td), report()[:-1], b''):
            self.assertEqual(self.ask(request(wrong)), (0x12003, b''))
        connection = self.connect()
        connection.sendall(struct.pack('>I', 0x7fffffff))
        self.assertEqual(connection.recv(1), b'')

    def test_fails_when_it_is_told_to(self):
        self.start('--fail')
        self.assertEqual(self.ask(request(report())), (0x12001, b''))

    def test_leaves_no_socket_and_takes_none_from_another(self):
        program = self.start()
        second = subprocess.run([BUILD / 'tools/virt-tdx', 'qgs-sim', '--socket', self.path], capture_output=True,
                                text=True, check=False)
        self.assertEqual(second.returncode, 2)
        self.assertIn(str(self.path), second.stderr)
        program.terminate()
        self.assertEqual(program.wait(), 0)
        self.assertFalse(self.path.exists())


if __name__ == '__main__':
    harness.main()
