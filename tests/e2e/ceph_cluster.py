# SPDX-License-Identifier: GPL-2.0-or-later
"""A Ceph cluster of one monitor and one OSD that keeps its objects in memory (packages ceph-mon, ceph-osd and ceph-common)."""
import json
import os
import shutil
import socket
import subprocess
import uuid

CONFIGURATION = """[global]
fsid = {fsid}
mon_initial_members = a
mon_host = v1:127.0.0.1:{port}
public_network = 127.0.0.0/8
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_crush_chooseleaf_type = 0
run_dir = {folder}
admin_socket = {folder}/$name.asok
pid_file = {folder}/$name.pid
log_file = {folder}/$name.log
keyring = {folder}/admin.keyring
[mon]
mon_data = {folder}/mon
mon_allow_pool_size_one = true
keyring = {folder}/mon.keyring
[osd]
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 268435456
keyring = {folder}/osd/keyring
"""
PROGRAMS = ('ceph-mon', 'ceph-osd', 'ceph', 'rbd')
# Bounds a cluster that hangs.
PATIENCE = 120


def missing():
    """Why there can be none; None: there can."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            return f'{program} is not installed'
    return None if os.geteuid() == 0 else 'a Ceph cluster of its own needs root'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class CephCluster:
    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.configuration = folder / 'ceph.conf'
        self.daemons = []
        (folder / 'osd').mkdir(parents=True)
        self.fsid = str(uuid.uuid4())
        self.configuration.write_text(CONFIGURATION.format(fsid=self.fsid, port=self.port, folder=folder))
        try:
            self.begin_monitor()
            self.begin_osd()
        except Exception:
            self.end()
            raise

    def run(self, *command, stdin=''):
        """What a program of Ceph's prints."""
        done = subprocess.run(list(map(str, command)), input=stdin, capture_output=True, text=True, check=False, timeout=PATIENCE,
                              env={**os.environ, 'CEPH_CONF': str(self.configuration)})
        if done.returncode != 0:
            raise RuntimeError(f'{command}: {done.stderr}')
        return done.stdout.strip()

    def begin(self, *command):
        with open(self.folder / 'daemons.log', 'ab') as log:
            self.daemons.append(subprocess.Popen([*command, '-f', '-c', self.configuration], stdout=log, stderr=log))

    def begin_monitor(self):
        keyring, administrator, monitors = self.folder / 'mon.keyring', self.folder / 'admin.keyring', self.folder / 'monmap'
        self.run('ceph-authtool', '--create-keyring', keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *')
        self.run('ceph-authtool', '--create-keyring', administrator, '--gen-key', '-n', 'client.admin', '--cap', 'mon', 'allow *',
                 '--cap', 'osd', 'allow *')
        self.run('ceph-authtool', keyring, '--import-keyring', administrator)
        self.run('monmaptool', '--create', '--addv', 'a', f'[v1:127.0.0.1:{self.port}]', '--fsid', self.fsid, monitors)
        self.run('ceph-mon', '--mkfs', '-i', 'a', '-c', self.configuration, '--monmap', monitors, '--keyring', keyring)
        self.begin('ceph-mon', '-i', 'a')

    def begin_osd(self):
        keyring, identity = self.folder / 'osd/keyring', uuid.uuid4()
        self.run('ceph-authtool', '--create-keyring', keyring, '--gen-key', '-n', 'osd.0')
        secret = self.run('ceph-authtool', '-p', '-n', 'osd.0', keyring)
        self.run('ceph', 'osd', 'new', identity, 0, '-i', '-', stdin=json.dumps({'cephx_secret': secret}))
        self.run('ceph', 'osd', 'crush', 'add', 'osd.0', 1, 'root=default', 'host=one')
        self.run('ceph-osd', '-i', 0, '--mkfs', '-c', self.configuration, '--osd-uuid', identity)
        self.begin('ceph-osd', '-i', '0')

    def make_pool(self, pool, user):
        """Returns the user's key, which opens the pool and nothing else."""
        self.run('ceph', 'osd', 'pool', 'create', pool, 8)
        self.run('ceph', 'auth', 'get-or-create', f'client.{user}', 'mon', 'profile rbd', 'osd', f'profile rbd pool={pool}')
        return self.run('ceph', 'auth', 'get-key', f'client.{user}')

    def end(self):
        for daemon in self.daemons:
            daemon.kill()
            daemon.wait()
