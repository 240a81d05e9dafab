# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU guest agent that has made its answers up (QEMU's docs/interop/qemu-ga-ref), for fake_monitor.py."""
import json
import os

ANSWERS = {
    'guest-get-time': 1700000000123456789,
    'guest-get-host-name': {'host-name': 'guest.example.org'},
    'guest-fsfreeze-freeze': 3,
    'guest-fsfreeze-freeze-list': 1,
    'guest-fsfreeze-thaw': 3,
    'guest-fstrim': {'paths': []},
    'guest-set-time': {}, 'guest-set-user-password': {}, 'guest-ssh-add-authorized-keys': {},
    'guest-ssh-remove-authorized-keys': {},
    'guest-ssh-get-authorized-keys': {'keys': ['ssh-ed25519 AAAA me', 7]},
    'guest-get-users': [{'user': 'root', 'login-time': 1700000000.5}, 'not an object'],
    'guest-get-osinfo': {'id': 'debian', 'pretty-name': 'Debian GNU/Linux 13', 'version-id': 13},
    'guest-get-timezone': {'zone': 'CET', 'offset': 3600},
    'guest-get-fsinfo': [{'name': 'vda1', 'mountpoint': '/', 'type': 'ext4', 'total-bytes': 1000, 'used-bytes': 10,
                          'disk': [{'serial': 'S1', 'dev': '/dev/vda1', 'bus-type': 'virtio'}]}],
    'guest-get-vcpus': [{'logical-id': 0, 'online': True, 'can-offline': False}, {'logical-id': 1, 'online': True, 'can-offline': True},
                        {'logical-id': 2, 'online': False, 'can-offline': True}],
    'guest-set-vcpus': 1,
    'guest-network-get-interfaces': [{'name': 'eth0', 'hardware-address': '52:54:00:01:02:03', 'ip-addresses': [
        {'ip-address-type': 'ipv4', 'ip-address': '192.0.2.7', 'prefix': 24},
        {'ip-address-type': 'ipv6', 'ip-address': 'fe80::1', 'prefix': 64}]}],
}
# Questions that libvirt's protocol has no room for an answer to are left out: guest-get-disks is unknown to this agent.


def serve(client, monitor):
    """VIRTTDX_FAKE_AGENT: "silent" answers nothing, "garbage" answers the second command with no JSON."""
    how = os.environ.get('VIRTTDX_FAKE_AGENT')
    buffer = b'{"return": "an answer to somebody else"}\n'
    client.sendall(buffer)
    buffer = b''
    while data := client.recv(65536):
        buffer += data
        *lines, buffer = buffer.split(b'\n')
        for line in lines:
            command = json.loads(line.rsplit(b'\xff', 1)[-1])
            record(command)
            if how != 'silent':
                answer(client, monitor, command, how)


def record(command):
    with open(os.environ['VIRTTDX_FAKE_AGENT_LOG'], 'a', encoding='utf-8') as log:
        log.write(json.dumps(command, sort_keys=True) + '\n')


def answer(client, monitor, command, how):
    name = command['execute']
    if name == 'guest-sync-delimited':
        client.sendall(b'\xff' + json.dumps({'return': command['arguments']['id']}).encode() + b'\n')
    elif how == 'garbage':
        client.sendall(b'}{ nonsense\n')
    elif name == 'guest-shutdown' and command['arguments']['mode'] == 'reboot':
        monitor.reset()
    elif name == 'guest-shutdown':
        monitor.stop('guest-shutdown')
        os._exit(0)
    elif name in ANSWERS:
        client.sendall(json.dumps({'return': ANSWERS[name]}).encode() + b'\n')
    else:
        error = {'class': 'CommandNotFound', 'desc': f'The command {name} has not been found'}
        client.sendall(json.dumps({'error': error}).encode() + b'\n')
