# SPDX-License-Identifier: GPL-2.0-or-later
"""A private libvirtd with its QEMU driver and a private virttdxd, to be asked the same.

libvirtd runs in a mount namespace of its own, with empty folders as /etc/libvirt, /var/lib/libvirt, /var/log/libvirt and /var/cache/libvirt, on the
file system where virttdxd's files are, and an empty /run: nothing of an installed libvirt is touched. That needs root and the packages libvirt-daemon-driver-qemu and qemu-system-x86.
"""
import glob
import os
import shutil
import subprocess

QEMU_XML = """<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>{memory}</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>{extra}
<devices><serial type='pty'/><memballoon model='none'/></devices></domain>"""
TDX_XML = """<domain type='kvm'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>{memory}</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type><loader type='rom'>/usr/share/ovmf/OVMF.fd</loader></os><features><acpi/></features>{extra}
<devices><serial type='pty'/></devices><launchSecurity type='tdx'/></domain>"""
PATH = '/usr/sbin:/usr/bin:/sbin:/bin'


def missing():
    """Why no private libvirtd can run here; None: it can."""
    for program in ('libvirtd', 'qemu-system-x86_64', 'unshare'):
        if shutil.which(program, path=PATH) is None:
            return f'{program} is not installed'
    if not any(glob.glob(f'/usr/{folder}/libvirt/connection-driver/libvirt_driver_qemu.so') for folder in ('lib*', 'lib/*')):
        return 'the QEMU driver of libvirtd is not installed'
    if os.geteuid() != 0:
        return 'a private libvirtd needs root'
    tried = subprocess.run(['unshare', '-m', '-f', '-p', '--mount-proc', 'mount', '-t', 'tmpfs', 'none', '/run'], capture_output=True, text=True,
                           check=False, env={**os.environ, 'PATH': PATH})
    return None if tried.returncode == 0 else f'no mount namespace can be made here: {tried.stderr.strip()}'


def only_child(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as children:
        return int(children.read().split()[0])


class PrivateLibvirtd:
    """Its socket is in a folder that both sides see. A shell reaps the orphans of its process namespace: libvirtd would wait for each QEMU
    that it killed until the time is up."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        script = f"""
set -e
mount --make-rprivate /
for place in /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do
  mkdir -p $place {folder.parent}/libvirtd$place
  mount --bind {folder.parent}/libvirtd$place $place
done
mount -t tmpfs none /run
mkdir -p /run/libvirt /run/lock /run/users
for file in passwd group; do cp /etc/$file /run/users/$file; done
echo 'libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin' >> /run/users/passwd
echo "libvirt-qemu:x:64055:" >> /run/users/group
grep -q '^kvm:' /etc/group || echo 'kvm:x:64057:' >> /run/users/group
for file in passwd group; do mount --bind /run/users/$file /etc/$file; done
mount --bind {folder} /run/libvirt
printf 'unix_sock_dir = "/run/libvirt"\\nauth_unix_rw = "none"\\nmax_anonymous_clients = 100\\n' > /etc/libvirt/libvirtd.conf
printf 'stdio_handler = "file"\\nsecurity_driver = "none"\\nuser = "root"\\ngroup = "root"\\ncgroup_controllers = []\\nnamespaces = []\\n' > /etc/libvirt/qemu.conf
libvirtd & wait"""
        with open(folder.parent / 'libvirtd.log', 'wb') as log:
            self.process = subprocess.Popen(['unshare', '-m', '--kill-child', '-f', '-p', '--mount-proc', 'bash', '-c', script],
                                            stdout=log, stderr=log, env={**os.environ, 'PATH': PATH})

    def uri(self):
        return f'qemu:///system?socket={self.folder}/libvirt-sock'

    def pid(self):
        """Of libvirtd itself: unshare's child is the shell, whose child it is."""
        return only_child(only_child(self.process.pid))

    def end(self):
        self.process.kill()
        self.process.wait()


class Virttdxd:
    """On the software TDX host. `environment` may put another monitor in the real one's place."""

    def __init__(self, program, root, **environment):
        root.mkdir()
        self.root = root
        with open(root.parent / 'virttdxd.log', 'wb') as log:
            self.process = subprocess.Popen([program, '--host', 'soft', '--root', root], stdout=log, stderr=log,
                                            env={**os.environ, **environment})

    def uri(self):
        return f'tdx:///system?socket={self.root}/run/libvirt/virttdxd-sock'

    def pid(self):
        return self.process.pid

    def end(self):
        self.process.kill()
        self.process.wait()
