#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The script of script.py against libvirtd's QEMU driver (TCG) and against virttdxd; what differs must be in accepted.json.

Usage: differential_test.py VIRTTDXD SOURCE_ROOT [--show]
libvirtd runs in a mount namespace of its own, with /run, /etc/libvirt, /var/lib/libvirt and /var/log/libvirt on empty file systems:
nothing of an installed libvirt is touched. That needs root and the packages libvirt-daemon-driver-qemu and qemu-system-x86.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

DAEMON, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
PATIENCE = 60


def skip(reason):
    print(f'1..0 # SKIP {reason}')
    sys.exit(0)


try:
    import libvirt
except ImportError:
    skip('python-libvirt is not installed')
for program in ('libvirtd', 'qemu-system-x86_64', 'unshare'):
    if shutil.which(program, path='/usr/sbin:/usr/bin:/sbin:/bin') is None:
        skip(f'{program} is not installed')
if os.geteuid() != 0:
    skip('a private libvirtd needs root')

from script import STEPS  # noqa: E402

libvirt.registerErrorHandler(lambda *_: None, None)
libvirt.virEventRegisterDefaultImpl()


def event_loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=event_loop, daemon=True).start()

QEMU_XML = """<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>128</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os>{extra}
<devices><serial type='pty'/><memballoon model='none'/></devices></domain>"""
TDX_XML = """<domain type='kvm'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>128</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type><loader type='rom'>/usr/share/ovmf/OVMF.fd</loader></os><features><acpi/></features>{extra}
<devices><serial type='pty'/></devices><launchSecurity type='tdx'/></domain>"""


class Session:
    def __init__(self, uri, template):
        self.uri, self.template, self.events = uri, template, []
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.connection = libvirt.open(uri)
                break
            except libvirt.libvirtError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.lifecycle, None)

    def lifecycle(self, _connection, domain, event, detail, _opaque):
        self.events.append(f'{domain.name()} {domain.ID()} {event}/{detail}')

    def settled_events(self):
        """An event may come after the reply of the call that caused it: a later call's reply comes after both."""
        self.connection.getLibVersion()
        time.sleep(0.05)
        taken, self.events = self.events, []
        return taken

    def run(self, step):
        try:
            result = json.loads(json.dumps(normalise(step(self))))
        except libvirt.libvirtError as error:
            result = {'error': error.get_error_code(), 'message': words(error.get_error_message())}
        except AttributeError as error:
            result = {"missing": str(error)}
        events = self.settled_events()
        return {'result': result, 'events': events} if events else {'result': result}


def normalise(value):
    if isinstance(value, libvirt.virDomain):
        return value.name()
    if isinstance(value, (list, tuple)):
        return [normalise(item) for item in value]
    if isinstance(value, dict):
        return {str(key): normalise(item) for key, item in sorted(value.items())}
    return value


def words(message):
    """Without numbers and the names of a driver's own functions."""
    return re.sub(r'0x[0-9a-f]+|\d+', 'N', re.sub(r'in function \w+', 'in function F', message))


class PrivateLibvirtd:
    """libvirtd in a mount namespace, its socket in a folder that both sides see."""
    def __init__(self, folder):
        self.folder = folder
        script = f"""
set -e
for place in /run /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do mkdir -p $place; done
mount --make-rprivate /
for place in /run /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do mount -t tmpfs none $place; done
mkdir -p /run/libvirt /run/lock /run/users
for file in passwd group; do cp /etc/$file /run/users/$file; done
echo 'libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin' >> /run/users/passwd
echo "libvirt-qemu:x:64055:" >> /run/users/group
grep -q '^kvm:' /etc/group || echo 'kvm:x:64057:' >> /run/users/group
for file in passwd group; do mount --bind /run/users/$file /etc/$file; done
mount --bind {folder} /run/libvirt
printf 'unix_sock_dir = "/run/libvirt"\\nauth_unix_rw = "none"\\n' > /etc/libvirt/libvirtd.conf
printf 'stdio_handler = "file"\\nsecurity_driver = "none"\\nuser = "root"\\ngroup = "root"\\ncgroup_controllers = []\\nnamespaces = []\\n' > /etc/libvirt/qemu.conf
exec libvirtd"""
        with open(folder.parent / 'libvirtd.log', 'wb') as log:
            self.process = subprocess.Popen(['unshare', '-m', '--kill-child', '-f', '-p', '--mount-proc', 'bash', '-c', script],
                                            stdout=log, stderr=log, env={**os.environ, 'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'})

    def uri(self):
        return f'qemu:///system?socket={self.folder}/libvirt-sock'

    def end(self):
        self.process.kill()
        self.process.wait()


class Virttdxd:
    def __init__(self, root):
        self.root = root
        with open(root.parent / 'virttdxd.log', 'wb') as log:
            self.process = subprocess.Popen(
                [DAEMON, '--host', 'soft', '--root', root], stdout=log, stderr=log,
                env={**os.environ, 'VIRTTDX_VMM': str(SOURCE / 'tests/driver/fake_monitor.py'),
                     'VIRTTDX_FAKE_HOST': str(SOURCE / 'tests/data/plan/soft.host.json')})

    def uri(self):
        return f'tdx:///system?socket={self.root}/run/libvirt/virttdxd-sock'

    def end(self):
        self.process.kill()
        self.process.wait()


def main():
    accepted = json.loads((SOURCE / 'tests/differential/accepted.json').read_text())
    folder = pathlib.Path(tempfile.mkdtemp(prefix='differential-'))
    for name in ('libvirt', 'tdx'):
        (folder / name).mkdir()
    libvirtd, ours = PrivateLibvirtd(folder / 'libvirt'), Virttdxd(folder / 'tdx')
    try:
        theirs, mine = Session(libvirtd.uri(), QEMU_XML), Session(ours.uri(), TDX_XML)
        failures, differences = [], 0
        print(f'1..{len(STEPS)}')
        for number, (name, step) in enumerate(STEPS, 1):
            expected, found = theirs.run(step), mine.run(step)
            same = expected == found
            differences += not same
            reason = accepted.get(name)
            known = reason is not None and reason['virttdxd'] == found and reason['libvirtd'] == expected
            good = (same and reason is None) or known
            if not good:
                failures.append(name)
                print(f'# {name}\n#   libvirtd {json.dumps(expected)}\n#   virttdxd {json.dumps(found)}')
            print(f'{"ok" if good else "not ok"} {number} {name}' + ('' if same else ' # accepted difference'), flush=True)
        print(f'# {len(STEPS)} steps, {len(STEPS) - differences} alike, {differences} different, {len(failures)} of them not accepted')
    finally:
        libvirtd.end()
        ours.end()
        shutil.rmtree(folder, True)
    sys.stdout.flush()
    os._exit(1 if failures else 0)


main()
