#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A monitor without a TD: speaks the control protocol (docs/control-protocol.md) and keeps its state.

The daemon's tests run it in virttdx-vmm's place. What the guest would do is asked for by typing on its console:
"p" powers off, "r" resets, "c" crashes, "!" panics, "%" fills the first disk's file system, "^" lets a disk go, "+" and "-" open and close the channels;
anything else is echoed. VIRTTDX_FAKE_LAUNCH=fail refuses to launch,
VIRTTDX_FAKE_LAUNCH=hang never finishes launching, VIRTTDX_FAKE_LAUNCH=panic panics at once, =poweroff powers off. The guest's CPUID is what was asked for but for FIXED_BITS;
VIRTTDX_FAKE_CPUID=other clears aes (CPUID.01H:ECX [bit 25]) and sets vmx ([bit 5]), VIRTTDX_FAKE_CPUID=vcpus-differ does so for
vCPU 1 alone, VIRTTDX_FAKE_CPUID=fail does not tell it, VIRTTDX_FAKE_CPUID=hang-once
answers the second time only and leaves a file, NAME.json.asked (hang-once-other: with other bits).
The file VIRTTDX_FAKE_TOLD gets a line for each command that it was told.
"""
import array
import ctypes
import json
import os
import selectors
import socket
import sys
import threading

import fake_agent

HOST_CAPABILITIES = os.environ.get('VIRTTDX_FAKE_HOST')
MRTD = '4c' * 48
PANIC = 'guest reports fatal error 0x12: "disk on fire!", data at 0x123000'
# What the TDX module changes of a host's CPUID in a TD: leaf, sub-leaf and register, bits to clear, bits to set.
FIXED_BITS = (
    (0x1, 0, 'ecx', 1 << 5 | 1 << 6, 1 << 31), (0x1, 0, 'edx', 1 << 17, 0), (0x7, 0, 'ebx', 1 << 1 | 1 << 4 | 1 << 11, 0),
    (0x7, 0, 'ecx', 1 << 5, 0), (0xd, 1, 'eax', 1 << 4, 0), (0x80000008, 0, 'ebx', 1 << 12 | 1 << 14 | 1 << 15 | 1 << 24, 0))

# Where the state components of XFAM end in the XSAVE area (SDM volume 1, 13.5; a host's CPUID.0DH.n).
XSAVE_ENDS = {2: 832, 5: 1152, 6: 1664, 7: 2688, 9: 2696, 17: 2816, 18: 11008}


def xsave_size(xfam):
    return max([576] + [end for bit, end in XSAVE_ENDS.items() if xfam >> bit & 1])


def change(entries, leaf, subleaf, register, cleared, added):
    for entry in entries:
        if (int(entry['function'], 0), int(entry['index'], 0)) == (leaf, subleaf):
            entry[register] = hex(int(entry[register], 0) & ~cleared | added)


def disk_statistics(disk):
    """Numbers that tell which is which."""
    names = ('read_requests', 'read_bytes', 'read_time_ns', 'write_requests', 'write_bytes', 'write_time_ns', 'flush_requests',
             'flush_time_ns', 'discard_requests', 'write_zeroes_requests', 'errors', 'capacity', 'allocated', 'physical')
    return {'id': disk['id'], 'target': disk['target'], **{name: 10 + i for i, name in enumerate(names)}}


def interface_statistics(interface, number):
    names = ('received_bytes', 'received_packets', 'received_drops', 'received_errors', 'sent_bytes', 'sent_packets', 'sent_drops',
             'sent_errors')
    device = '' if interface['backend'] == 'passt' else interface['device'].replace('%d', str(number))
    return {'id': interface['id'], 'device': device, **{name: 30 + i for i, name in enumerate(names)}}


class Monitor:
    def __init__(self, config, path, config_path=''):
        self.config_path = config_path
        self.config = config
        self.state = 'starting'
        self.stop_reason = 'none'
        self.message = ''
        self.recreated = 0
        self.full_disk = None
        self.open_ports = []
        self.lost_links = []
        self.rtc_offset = None
        self.cpuid_asked = False
        self.vcpus = []
        self.end_of_td = threading.Event()
        self.consoles = {}
        self.unseen = {0: b'fake firmware\r\n'}
        self.clients = {}
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)

    def start_vcpus(self):
        """Threads named as the real monitor's, for whoever looks at them or pins them; each TD has others."""
        libc = ctypes.CDLL(None)

        named = threading.Barrier(self.config['vcpu_count'] + 1)

        def vcpu(name, end):
            libc.prctl(15, name.encode(), 0, 0, 0)  # PR_SET_NAME
            named.wait()
            end.wait()

        self.end_of_td.set()
        self.end_of_td = threading.Event()
        for thread in self.vcpus:
            thread.join()
        self.vcpus = [threading.Thread(target=vcpu, args=(f'vcpu{number}', self.end_of_td), daemon=True)
                      for number in range(self.config['vcpu_count'])]
        for thread in self.vcpus:
            thread.start()
        named.wait()

    def run(self):
        while self.state != 'stopped':
            for key, _ in self.selector.select():
                key.data()

    def accept(self):
        client, _ = self.listener.accept()
        self.clients[client] = b''
        self.selector.register(client, selectors.EVENT_READ, lambda: self.read(client))
        self.send(client, {'virttdx-monitor': 1, 'version': 'fake'})
        if self.state == 'starting':
            self.launch()

    def launch(self):
        how = os.environ.get('VIRTTDX_FAKE_LAUNCH')
        if how == 'fail':
            self.stop('launch-failed', 'KVM_TDX_INIT_VM: told to fail')
        elif how != 'hang':
            self.state = 'paused' if self.config['start_paused'] else 'running'
            self.emit('launched')
            if how == 'panic':
                self.panic()
            if how == 'poweroff':
                self.stop('guest-shutdown')

    def send(self, client, message, descriptor=None):
        line = (json.dumps(message) + '\n').encode()
        descriptors = [] if descriptor is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [descriptor]))]
        try:
            client.sendmsg([line], descriptors)
        except BrokenPipeError:  # read() notices
            pass

    def emit(self, kind, **members):
        for client in list(self.clients):
            self.send(client, {'event': kind, **members})

    def read(self, client):
        try:
            data = client.recv(65536)
        except ConnectionResetError:  # a client that was killed with something unread
            data = b''
        if not data:
            self.selector.unregister(client)
            del self.clients[client]
            return
        *lines, self.clients[client] = (self.clients[client] + data).split(b'\n')
        for line in lines:
            command = json.loads(line)
            with open(os.environ.get('VIRTTDX_FAKE_TOLD', os.devnull), 'a', encoding='utf-8') as file:
                print(json.dumps([self.config['name'], command['command'], command['arguments']]), file=file)
            getattr(self, 'do_' + command['command'].replace('-', '_'))(client, command['id'], command['arguments'])

    def reply(self, client, number, result=None):
        self.send(client, {'id': number, 'result': result if result is not None else {}})

    def do_status(self, client, number, _):
        self.reply(client, number, {
            'state': self.state, 'stop_reason': self.stop_reason, 'message': self.message, 'pid': os.getpid(),
            'host': self.config['host'], 'host_description': 'fake', 'recreated': self.recreated,
            'vcpu_time_ns': [1000000] * self.config['vcpu_count'],
            **({'open_ports': self.open_ports} if os.environ.get('VIRTTDX_FAKE_PORTS') else {}),
            **({'lost_links': self.lost_links} if self.lost_links else {}),
            **({'rtc_offset_seconds': self.rtc_offset} if self.rtc_offset is not None else {}),
            'serials': [{'port': 0, 'pty_path': '/dev/pts/fake', 'attached': 0 in self.consoles}],
            **({'vsock_cid': 7} if 'vsock' in self.config.get('devices', {}) else {}),
            'console_ports': [{'id': port['id'], 'pty_path': '/dev/pts/' + port['id'], 'attached': port['id'] in self.consoles}
                              for port in self.config.get('devices', {}).get('console_ports', []) if port['backend'] == 'pty']})

    def do_measurements(self, client, number, _):
        self.reply(client, number, {'mrtd': MRTD, 'host_mrtd': MRTD, 'attributes': self.config['td']['attributes'],
                                    'xfam': self.config['td']['xfam'], 'gpaw': 48, 'pages_added': 1, 'pages_measured': 1})

    def do_cpuid(self, client, number, _):
        how = os.environ.get('VIRTTDX_FAKE_CPUID')
        if how == 'fail':
            self.send(client, {'id': number, 'error': {'code': 'internal', 'message': 'told not to tell'}})
            return
        if how in ('hang-once', 'hang-once-other') and not self.cpuid_asked:
            self.cpuid_asked = True
            open(self.config_path + '.asked', 'w', encoding='utf-8').close()
            return
        td = self.config['td']
        actual = [dict(entry) for entry in td['vcpu_cpuid']]
        for bits in FIXED_BITS:
            change(actual, *bits)
        change(actual, 0xd, 0, 'ecx', 0xffffffff, xsave_size(int(str(td['xfam']), 0)))
        if how in ('other', 'hang-once-other'):
            change(actual, 0x1, 0, 'ecx', 1 << 25, 1 << 5)
        report = {'requested': td['cpuid'], 'vcpu_requested': td['vcpu_cpuid'], 'actual': actual}
        if how == 'vcpus-differ':
            other = [dict(entry) for entry in actual if int(entry['function'], 0) == 1]
            change(other, 0x1, 0, 'ecx', 1 << 25, 1 << 5)
            report['deviations'] = [{'vcpu': 1, 'entries': other}]
        self.reply(client, number, report)

    def do_pause(self, client, number, _):
        self.state = 'paused'
        self.emit('paused')
        self.reply(client, number)

    def do_resume(self, client, number, _):
        self.state = 'running'
        self.full_disk = None
        self.reply(client, number)
        self.emit('resumed')

    def do_reset(self, client, number, _):
        self.reply(client, number)
        self.reset()

    def do_powerdown(self, client, number, arguments):
        self.reply(client, number)
        if self.state != 'crashed':
            self.reset() if arguments.get('reboot') else self.stop('guest-shutdown')

    def do_stop(self, client, number, _):
        self.reply(client, number)
        self.stop('destroyed')

    def do_device_statistics(self, client, number, _):
        devices = self.config.get('devices', {})
        self.reply(client, number, {
            'disks': [{**disk_statistics(disk), 'io_status': 'no-space' if disk['id'] == self.full_disk else 'ok'}
                      for disk in devices.get('disks', [])],
            'interfaces': [interface_statistics(interface, number) for number, interface in
                           enumerate(devices.get('interfaces', []))]})

    def do_hypervisor_statistics(self, client, number, _):
        counts = [{'name': name, 'kind': kind, 'is_boolean': name == 'blocking'} for name, kind in
                  (('exits', 'sum'), ('halt_poll', 'peak'), ('blocking', 'current'), ('x' * 80, 'sum'),
                   ('halt_poll_success_ns', 'sum'))]
        self.reply(client, number, {
            'vm': {'columns': [{'name': 'pages_4k', 'kind': 'current', 'is_boolean': False}], 'rows': [[4711]]},
            'vcpus': {'columns': counts, 'rows': [[100 + vcpu, 200, 1, 0, 7000] for vcpu in range(self.config['vcpu_count'] + 1)]}})

    def do_device_add(self, client, number, arguments):
        """A disk with the serial "full" finds no slot."""
        (kind, device), = arguments.items()
        if device.get('serial') == 'full':
            self.send(client, {'id': number, 'error': {'code': 'invalid-argument', 'message': 'PCI bus 9 is taken'}})
            return
        self.config.setdefault('devices', {}).setdefault(kind + 's', []).append(device)
        self.reply(client, number)

    def do_device_remove(self, client, number, arguments):
        """The guest keeps a disk with the serial "kept", lets go of one with the serial "slow" when it is typed to, and of any other device at once."""
        self.reply(client, number)
        self.let_go(lambda device: device['id'] == arguments['id'] and device.get('serial') not in ('kept', 'slow'))

    def let_go(self, is_meant):
        for kind in ('disks', 'interfaces'):
            devices = self.config.get('devices', {}).get(kind, [])
            for device in [each for each in devices if is_meant(each)]:
                devices.remove(device)
                self.emit('device-removed', message=device['id'])

    def do_link_set(self, client, number, arguments):
        if arguments['up'] and arguments['id'] in self.lost_links:
            self.send(client, {'id': number, 'error': {'code': 'wrong-state', 'message': 'the link cannot go up'}})
            return
        self.reply(client, number)

    def lose_link(self):
        self.lost_links.append(self.config['devices']['interfaces'][0]['id'])
        self.emit('link-lost', device=self.lost_links[-1])

    def do_tray_open(self, client, number, arguments):
        """The guest has locked a drive with the serial "locked", and opens it when it is typed to."""
        disk, = (each for each in self.config['devices']['disks'] if each['id'] == arguments['id'])
        is_open = disk.get('serial') != 'locked' or arguments['force']
        self.reply(client, number, {'open': is_open})
        if is_open:
            self.emit('tray-opened', device=disk['id'])

    def do_medium_offer(self, client, number, arguments):
        """An image absent.img cannot be opened."""
        path = arguments['disk'].get('source', {}).get('path', '')
        if path.endswith('/absent.img'):
            self.send(client, {'id': number, 'error': {'code': 'system', 'message': f"cannot open '{path}': No such file or directory"}})
        else:
            self.reply(client, number)

    def do_medium_change(self, client, number, arguments):
        self.reply(client, number)
        self.emit('tray-closed', device=arguments['id'])

    def do_disk_limits(self, client, number, arguments):
        """Limits of 13 bytes a second are refused."""
        if arguments['limits']['total_bytes'].get('per_second') == 13:
            self.send(client, {'id': number, 'error': {'code': 'internal', 'message': 'told to refuse'}})
            return
        self.reply(client, number)

    def do_disk_resize(self, client, number, arguments):
        if arguments['bytes'] % 512:
            self.send(client, {'id': number, 'error': {'code': 'invalid-argument', 'message': 'no whole number of blocks'}})
            return
        self.reply(client, number)

    def do_set_actions(self, client, number, arguments):
        for argument, member in (('power_off', 'on_power_off'), ('reset', 'on_reset'), ('crash', 'on_crash')):
            self.config[member] = arguments.get(argument, self.config.get(member))
        self.reply(client, number)

    def drive(self):
        return next(disk for disk in self.config['devices']['disks'] if disk.get('kind') == 'cdrom')

    def fill_disk(self):
        self.full_disk = self.config['devices']['disks'][0]['id']
        self.emit('io-error', device=self.full_disk, message='disk full', io_error={'action': 'stop', 'no_space': True})
        self.state = 'paused'
        self.emit('paused')

    def open_ports_of_channels(self, is_open):
        channels = [port['id'] for port in self.config['devices']['console_ports'] if port.get('name')]
        self.open_ports = channels if is_open else []
        for channel in channels:
            self.emit('port-opened' if is_open else 'port-closed', device=channel)

    def do_console_attach(self, client, number, arguments):
        port = arguments.get('device', arguments.get('port', 0))
        if port in self.consoles and not arguments['force']:
            self.send(client, {'id': number, 'error': {'code': 'busy', 'message': 'Active console session exists for this domain'}})
            return
        if port in self.consoles:
            self.detach(port)
        self.consoles[port], other = socket.socketpair()
        self.selector.register(self.consoles[port], selectors.EVENT_READ, lambda: self.read_console(port))
        self.send(client, {'id': number, 'result': {}, 'descriptors': 1}, other.fileno())
        other.close()
        self.consoles[port].sendall(self.unseen.pop(port, f'this is {port}\r\n'.encode() if port else b''))

    def detach(self, port):
        self.selector.unregister(self.consoles[port])
        self.consoles.pop(port).close()

    def read_console(self, port):
        try:
            data = self.consoles[port].recv(65536)
        except ConnectionResetError:  # a client that leaves with something unread
            data = b''
        if not data:
            self.detach(port)
        elif data == b'p':
            self.stop('guest-shutdown')
        elif data == b'r':
            self.reset()
        elif data == b'c':
            self.stop('crashed', 'triple fault')
        elif data == b'!':
            self.panic()
        elif data == b'%':
            self.fill_disk()
        elif data in (b'@', b'#'):
            self.rtc_offset = self.config['clock_offset_seconds'] + 7200
            if data == b'@':
                self.emit('rtc-changed', rtc_offset_seconds=self.rtc_offset)
        elif data == b'^':
            self.let_go(lambda device: device.get('serial') == 'slow')
        elif data == b'~':
            self.lose_link()
        elif data == b'_':
            self.emit('tray-opened', device=self.drive()['id'])
        elif data in (b'+', b'-'):
            self.open_ports_of_channels(data == b'+')
        else:
            self.consoles[port].sendall(data)

    def open_channels(self):
        """Channels echo what comes, to one client after the other."""
        for port in self.config.get('devices', {}).get('console_ports', []):
            if port['backend'] == 'unix-listen':
                listener = socket.socket(socket.AF_UNIX)
                listener.bind(port['path'])
                listener.listen(1)
                threading.Thread(target=self.serve_channel, args=(listener, port['name']), daemon=True).start()

    def serve_channel(self, listener, name):
        while True:
            client, _ = listener.accept()
            if name == 'org.qemu.guest_agent.0':
                try:
                    fake_agent.serve(client, self)
                except OSError:
                    pass
                client.close()
                continue
            while data := client.recv(65536):
                client.sendall(data)
            client.close()

    def do_panic(self, client, number, _):
        """For whom the daemon is not there to pass on a "!"."""
        self.panic()
        self.reply(client, number)

    def panic(self):
        self.emit('panicked', message=PANIC)
        if self.config.get('on_crash') == 'recreate':
            self.reset()
        elif self.config.get('on_crash') == 'preserve':
            self.state = 'crashed'
            self.message = PANIC
            self.emit('preserved', stop_reason='crashed', message=PANIC)
        else:
            self.stop('crashed', PANIC)

    def reset(self):
        self.emit('reset')
        self.start_vcpus()
        if self.state == 'crashed':
            self.state = 'paused'
        self.recreated += 1
        self.emit('recreated')

    def stop(self, reason, message=''):
        self.state = 'stopped'
        self.stop_reason = reason
        self.message = message
        self.emit('stopped', stop_reason=reason, message=message)


def add_device(kind, path):
    """What opens a device for a monitor: an interface with this address and a disk with the serial "unopened" cannot be opened."""
    device = json.load(sys.stdin)
    if device.get('mac') == '52:54:00:00:00:99' or device.get('serial') == 'unopened':
        sys.exit(f"{kind} '{device['id']}': told to fail")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall((json.dumps({'id': 1, 'command': 'device-add', 'arguments': {kind: device}}) + '\n').encode())
        for line in client.makefile():
            if json.loads(line).get('id') == 1:
                return


def main():
    if sys.argv[1].startswith('--add-'):
        add_device(sys.argv[1].removeprefix('--add-'), sys.argv[4])
        return
    if sys.argv[1] == '--host-capabilities':
        with open(HOST_CAPABILITIES, encoding='utf-8') as file:
            sys.stdout.write(file.read())
        return
    options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    with open(options['--config'], encoding='utf-8') as file:
        config = json.load(file)
    monitor = Monitor(config, options['--control-socket'], options['--config'])
    monitor.start_vcpus()
    monitor.open_channels()
    monitor.run()
    os._exit(0)


main()
