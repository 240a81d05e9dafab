# SPDX-License-Identifier: GPL-2.0-or-later
"""virttdx-vmm as a process: command line, exit codes, control socket, signals; every line against its schema."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import harness
from harness import BUILD, MRTD_OF_DEBIAN_12, PATIENCE, SOURCE
import json_schemas

MONITOR = BUILD / 'vmm-backend/virttdx-vmm'
EXAMPLE = SOURCE / 'docs/examples/td.json'


def run_monitor(*words, **options):
    return subprocess.run([MONITOR, *map(str, words)], capture_output=True, text=True, check=False, timeout=PATIENCE,
                          **{'stdin': subprocess.DEVNULL, **options})


class ControlSocket:
    """A client that keeps every line and holds it against the schema."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        harness.wait_until(lambda: self.connects_to(path), 'the control socket')
        self.buffer = b''
        self.descriptors = []
        self.events = []
        self.greeting = self.read()

    def connects_to(self, path):
        try:
            self.socket.connect(str(path))
        except ConnectionRefusedError:  # it is there, and listens in a moment
            return False
        return True

    def read(self):
        while b'\n' not in self.buffer:
            data, descriptors, _, _ = socket.recv_fds(self.socket, 65536, 4)
            self.descriptors += descriptors
            if not data:
                raise EOFError
            self.buffer += data
        line, self.buffer = self.buffer.split(b'\n', 1)
        message = json.loads(line)
        json_schemas.validate('control-protocol', message)
        return message

    def call(self, command, **arguments):
        self.socket.sendall(json.dumps({'id': 7, 'command': command, 'arguments': arguments}).encode() + b'\n')
        while True:
            message = self.read()
            if 'id' in message:
                return message
            self.events.append(message['event'])

    def wait_for_event(self, name):
        while name not in self.events:
            self.events.append(self.read()['event'])


class AMonitor(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-monitor-'))
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = self.directory / 'socket'

    def config(self, **changes):
        path = self.directory / 'td.json'
        path.write_text(json.dumps({**json.loads(EXAMPLE.read_text()), **changes}))
        return path

    def start(self, **changes):
        with open(self.directory / 'log', 'wb') as log:
            process = subprocess.Popen([MONITOR, '--config', self.config(**changes), '--control-socket', self.path],
                                       stdin=subprocess.DEVNULL, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        harness.wait_until(lambda: self.path.exists() or process.poll() is not None, 'the control socket')
        return process

    def start_paused(self):
        process = self.start(start_paused=True)
        client = ControlSocket(self.path)
        harness.wait_until(lambda: client.call('status')['result']['state'] == 'paused', 'the launch')
        return process, client

    def test_serves_a_td(self):
        process, client = self.start_paused()
        self.assertEqual(client.greeting['virttdx-monitor'], 1)
        status = client.call('status')['result']
        self.assertEqual((status['pid'], status['host']), (process.pid, 'soft'))
        self.assertIn('protects nothing', status['host_description'])
        measurements = client.call('measurements')['result']
        self.assertEqual(measurements['mrtd'], MRTD_OF_DEBIAN_12)
        self.assertEqual(measurements['host_mrtd'], MRTD_OF_DEBIAN_12)
        self.assertIn('actual', client.call('cpuid')['result'])
        self.assertEqual(client.call('pause')['error']['code'], 'wrong-state')
        self.assertEqual(client.call('resume')['result'], {})
        self.assertEqual(client.call('pause')['result'], {})
        self.assertEqual(client.call('stop')['result'], {})
        client.wait_for_event('stopped')
        self.assertEqual(client.events[-3:], ['resumed', 'paused', 'stopped'])
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertFalse(self.path.exists())

    def test_tells_what_its_td_leaves_the_guest_for_while_somebody_looks(self):
        _, client = self.start_paused()
        self.assertEqual(client.call('trace')['result']['exits'], [])

        def counts():
            vcpus = client.call('hypervisor-statistics')['result']['vcpus']
            return dict(zip((column['name'] for column in vcpus['columns']), vcpus['rows'][0]))

        self.assertEqual((counts()['exits'], counts()['kvm_exit_io']), (0, 0))
        client.call('resume')

        def port_writes():
            return [exit for exit in client.call('trace')['result']['exits']
                    if exit.get('td_vmcall') == 'Instruction.IO' and exit['write']]

        harness.wait_until(port_writes, 'the firmware to write to a port')
        seen = port_writes()[0]
        self.assertEqual(seen['reason'], 'KVM_EXIT_IO')
        self.assertEqual(sum(seen['histogram']), seen['count'])
        self.assertLessEqual(seen['maximum_ns'], seen['total_ns'])
        self.assertGreaterEqual(counts()['kvm_exit_io'], seen['count'])
        self.assertGreaterEqual(counts()['io_exits'], seen['count'])
        traced = subprocess.run([BUILD / 'tools/virt-tdx', 'trace', '--monitor', self.path, '--interval', '100', '--count',
                                 '2', '--json'], capture_output=True, text=True, check=True, timeout=PATIENCE)
        samples = [json.loads(line) for line in traced.stdout.splitlines()]
        self.assertEqual(len(samples), 2)
        for sample in samples:
            json_schemas.validate('control-protocol', {'id': 1, 'result': sample})
            self.assertGreaterEqual(sample['elapsed_ns'], 100_000_000)

    def test_hands_over_its_console_once(self):
        _, client = self.start_paused()
        self.assertEqual(client.call('console-attach')['descriptors'], 1)
        self.assertEqual(len(client.descriptors), 1)
        self.assertEqual(client.call('console-attach')['error']['code'], 'busy')
        self.assertEqual(client.call('console-attach', force=True)['descriptors'], 1)
        self.assertEqual(os.read(client.descriptors[0], 1), b'')
        self.assertEqual(client.call('console-attach', port=3)['error']['code'], 'not-found')
        for descriptor in client.descriptors:
            os.close(descriptor)

    def test_is_confined_once_the_td_is_launched(self):
        process, _ = self.start_paused()
        for task in pathlib.Path(f'/proc/{process.pid}/task').iterdir():
            try:
                status = (task / 'status').read_text()
            except (FileNotFoundError, ProcessLookupError):  # the thread that launched the TD has ended
                continue
            self.assertIn('Seccomp:\t2', status)
            self.assertIn('NoNewPrivs:\t1', status)

    def test_ends_its_td_on_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process, client = self.start_paused()
            process.send_signal(number)
            client.wait_for_event('stopped')
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_says_why_a_td_cannot_be_launched(self):
        done = run_monitor('--config', self.config(firmware_path='/etc/hostname'), '--control-socket', self.path)
        self.assertEqual(done.returncode, 1)
        self.assertIn('/etc/hostname', done.stderr)

    def faults(self, *faults):
        path = self.directory / 'faults.json'
        path.write_text(json.dumps({'faults': faults}))
        return path

    def run_with_faults(self, *faults, **changes):
        return run_monitor('--config', self.config(**changes), '--control-socket', self.path, '--soft-faults',
                           self.faults(*faults))

    def test_fails_cleanly_where_the_software_host_fails_on_demand(self):
        done = self.run_with_faults({'at': 'KVM_TDX_INIT_MEM_REGION page', 'first': 300, 'errno': 'EIO', 'kills_vm': True})
        self.assertEqual(done.returncode, 1)
        self.assertIn('faults on demand', done.stderr)
        self.assertRegex(done.stderr, r'launch failed: .*KVM_TDX_INIT_MEM_REGION 0x[0-9a-f]+ with \d+ pages left')
        self.assertFalse(self.path.exists())

    def test_refuses_faults_that_it_cannot_make(self):
        done = self.run_with_faults({'at': 'KVM_WALK', 'errno': 'EIO'})
        self.assertEqual(done.returncode, 1)
        self.assertIn('faults.json: /faults/0/at: ', done.stderr)
        done = self.run_with_faults({'at': 'KVM_RUN', 'errno': 'EIO'}, host='kvm')
        self.assertIn('--soft-faults: the TD runs on the kernel', done.stderr)

    def test_refuses_a_configuration_by_its_path(self):
        done = run_monitor('--config', self.config(memory_bytes=12345), '--control-socket', self.path)
        self.assertEqual(done.returncode, 2)
        self.assertIn('/memory_bytes: 12345', done.stderr)
        done = run_monitor('--config', '-', '--control-socket', self.path, stdin=None, input='{"name": 1}')
        self.assertEqual(done.returncode, 2)
        self.assertIn('/name: expected a string', done.stderr)


class TheCommandLine(unittest.TestCase):
    def test_prints_what_the_software_host_offers(self):
        done = run_monitor('--host-capabilities', '--host', 'soft')
        self.assertEqual(done.returncode, 0, done.stderr)
        host = json.loads(done.stdout)
        json_schemas.validate('host-capabilities', host)
        self.assertTrue(host['tdx_supported'])
        tool = subprocess.run([BUILD / 'tools/virt-tdx', 'host', '--host', 'soft', '--json'], capture_output=True,
                              text=True, check=True, timeout=PATIENCE)
        self.assertEqual(json.loads(tool.stdout), host)

    def test_says_of_a_kernel_without_tdx_what_is_missing(self):
        host = json.loads(run_monitor('--host-capabilities').stdout)
        json_schemas.validate('host-capabilities', host)
        self.assertNotEqual(host['tdx_supported'], bool(host['tdx_unsupported_reason']))

    def test_wrong_usage_is_status_2(self):
        for words in ([], ['--config'], ['--config', 'x'], ['--colour'], ['--config', '-', '--console'], ['extra'],
                      ['--host-capabilities', '--host', 'xen'], ['--log-level', 'loud']):
            done = run_monitor(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ''), words)
            self.assertIn('virttdx-vmm: ', done.stderr)

    def test_has_help(self):
        done = run_monitor('--help')
        self.assertEqual(done.returncode, 0)
        self.assertIn('--control-socket', done.stdout)


if __name__ == '__main__':
    harness.main()
