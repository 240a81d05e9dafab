#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest agent's calls, with a fake monitor and a fake agent.

Usage: agent_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import base64
import json
import os

import libvirt_qemu

from daemon_case import XML, DaemonTest, libvirt, main, wait_until

CHANNEL = """
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <disk type='file'><source file='/image'/><target dev='vda' bus='virtio'/><serial>S1</serial></disk>
  </devices>"""


class AgentTest(DaemonTest):
    how = ''

    def setUp(self):
        super().setUp()
        self.restart_daemon(VIRTTDX_FAKE_AGENT=self.how, VIRTTDX_FAKE_AGENT_LOG=str(self.root / 'agent'))
        self.domain = self.define(xml=XML.replace('  </devices>', CHANNEL))
        self.domain.create()

    def commands(self):
        lines = [json.loads(line) for line in (self.root / 'agent').read_text().splitlines()]
        return [line for line in lines if line['execute'] != 'guest-sync-delimited']


class Agent(AgentTest):
    def test_tells_and_sets_the_time(self):
        self.assertEqual(self.domain.getTime(), {'seconds': 1700000000, 'nseconds': 123456789})
        self.domain.setTime({'seconds': 5, 'nseconds': 6})
        self.domain.setTime(None, libvirt.VIR_DOMAIN_TIME_SYNC)
        self.assertEqual(self.commands()[1:], [{'execute': 'guest-set-time', 'arguments': {'time': 5000000006}},
                                               {'execute': 'guest-set-time'}])

    def test_tells_the_hostname(self):
        self.assertEqual(self.domain.hostname(), 'guest.example.org')
        self.assertEqual(self.virsh('domhostname', 'td').strip(), 'guest.example.org')

    def test_freezes_and_thaws_file_systems(self):
        self.assertEqual(self.domain.fsFreeze(), 3)
        self.assertEqual(self.domain.fsFreeze(['/data']), 1)
        self.assertEqual(self.domain.fsThaw(), 3)
        self.domain.fSTrim(None, 4096)
        self.assertEqual(self.commands()[1]['arguments'], {'mountpoints': ['/data']})
        self.assertEqual(self.commands()[3]['arguments'], {'minimum': 4096})

    def test_tells_file_systems_with_their_disks(self):
        (mountpoint, name, kind, disks), = self.domain.fsInfo()
        self.assertEqual((mountpoint, name, kind, disks), ('/', 'vda1', 'ext4', ['vda']))

    def test_takes_commands_of_the_callers_own(self):
        answer = json.loads(self.virsh('qemu-agent-command', 'td', '{"execute": "guest-get-osinfo"}'))
        self.assertEqual(answer, {'return': {'id': 'debian', 'pretty-name': 'Debian GNU/Linux 13', 'version-id': 13}})
        self.virsh('qemu-agent-command', 'td', '{"execute": "guest-set-time", "arguments": {"time": 7}}', '--timeout', '9')
        self.assertEqual(self.commands()[-1], {'execute': 'guest-set-time', 'arguments': {'time': 7}})
        for command in ('guest-get-osinfo', '{"execute": 7}', '[]', '{'):
            self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, 'the agent command is no JSON object', libvirt_qemu.qemuAgentCommand,
                              self.domain, command, -1, 0)
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, "unable to execute QEMU agent command 'guest-get-disks'", libvirt_qemu.qemuAgentCommand,
                          self.domain, '{"execute": "guest-get-disks"}', -1, 0)
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, "timeout '-3' is less than the minimum '-2'", libvirt_qemu.qemuAgentCommand,
                          self.domain, '{"execute": "guest-info"}', -3, 0)

    def test_is_all_that_libvirts_qemu_program_reaches(self):
        self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, 'which has no QEMU monitor protocol', libvirt_qemu.qemuMonitorCommand,
                          self.domain, '{"execute": "query-status"}', 0)
        self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, 'it belongs to the process that built it', libvirt_qemu.qemuAttach,
                          self.connection, 1, 0)
        self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, 'which has no QEMU monitor protocol',
                          libvirt_qemu.qemuMonitorEventRegister, self.connection, None, None, lambda *_: None, None)
        read_only = libvirt.openReadOnly(self.uri('-ro')).lookupByName('td')
        self.assert_error(libvirt.VIR_ERR_OPERATION_DENIED, 'read only access prevents', libvirt_qemu.qemuAgentCommand, read_only, '{}', -1, 0)

    def test_tells_addresses(self):
        addresses = self.domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
        self.assertEqual(addresses['eth0']['hwaddr'], '52:54:00:01:02:03')
        self.assertEqual([address['addr'] for address in addresses['eth0']['addrs']], ['192.0.2.7', 'fe80::1'])
        self.assertIn('192.0.2.7/24', self.virsh('domifaddr', 'td', '--source', 'agent'))

    def test_sets_passwords_and_keys(self):
        self.domain.setUserPassword('root', 'sesame')
        self.assertEqual(self.commands()[0]['arguments'],
                         {'crypted': False, 'username': 'root', 'password': base64.b64encode(b'sesame').decode()})
        self.assertEqual(self.domain.authorizedSSHKeysGet('root'), ['ssh-ed25519 AAAA me'])
        self.domain.authorizedSSHKeysSet('root', ['key'])
        self.domain.authorizedSSHKeysSet('root', ['key'], libvirt.VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND)
        self.domain.authorizedSSHKeysSet('root', ['key'], libvirt.VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE)
        self.assertEqual([command['arguments'].get('reset') for command in self.commands()[2:]], [True, False, None])

    def test_tells_all_it_knows_of_the_guest(self):
        info = self.domain.guestInfo()
        self.assertEqual((info['user.0.name'], info['user.0.login-time'], info['user.count']), ('root', 1700000000500, 2))
        self.assertEqual((info['os.id'], info['os.pretty-name'], info['timezone.offset']), ('debian', 'Debian GNU/Linux 13', 3600))
        self.assertEqual((info['hostname'], info['fs.0.mountpoint'], info['fs.0.disk.0.serial']), ('guest.example.org', '/', 'S1'))
        self.assertEqual((info['if.0.addr.1.addr'], info['if.count']), ('fe80::1', 1))
        # A member of another type than it should have is no answer.
        self.assertNotIn('os.version-id', info)
        self.assertNotIn('disk.count', info)

    def test_takes_vcpus_into_and_out_of_use(self):
        self.assertEqual(self.domain.guestVcpus(), {'vcpus': '0-2', 'online': '0-1', 'offlinable': '1-2'})
        self.assertEqual(self.domain.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_GUEST), 2)
        self.domain.setGuestVcpus('1', 0)
        self.domain.setVcpusFlags(3, libvirt.VIR_DOMAIN_VCPU_GUEST)
        changes = [command['arguments']['vcpus'] for command in self.commands() if command['execute'] == 'guest-set-vcpus']
        self.assertEqual(changes, [[{'logical-id': 1, 'online': False}], [{'logical-id': 2, 'online': True}]])
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, "vCPU '0' can't be offlined", self.domain.setGuestVcpus, '0', 0)

    def test_is_told_what_was_asked_for_alone(self):
        self.assertEqual(self.domain.guestInfo(libvirt.VIR_DOMAIN_GUEST_INFO_HOSTNAME), {'hostname': 'guest.example.org'})
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, "unable to execute QEMU agent command 'guest-get-disks'",
                          self.domain.guestInfo, libvirt.VIR_DOMAIN_GUEST_INFO_DISKS)

    def test_powers_off(self):
        self.domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)
        wait_until(lambda: self.domain.isActive() == 0, 'power-off')
        self.assertEqual(self.commands(), [{'execute': 'guest-shutdown', 'arguments': {'mode': 'powerdown'}}])
        # Whatever was asked for before: it is to stay off.
        self.assertEqual(self.monitor_told('set-actions'), [{}])
        self.assertEqual(self.domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN])

    def test_is_asked_by_many_at_once(self):
        connections = [self.connect() for _ in range(4)]
        for connection in connections:
            self.assertEqual(connection.lookupByName('td').hostname(), 'guest.example.org')


class TellingAgentTest(AgentTest):
    """The guest has no agent at first, and its monitor tells."""

    def setUp(self):
        os.environ['VIRTTDX_FAKE_PORTS'] = '1'
        self.addCleanup(os.environ.pop, 'VIRTTDX_FAKE_PORTS')
        super().setUp()
        self.states = []
        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                                               lambda _c, _d, state, reason, _o: self.states.append((state, reason)), None)
        self.console = self.connection.newStream()
        self.domain.openConsole(None, self.console, 0)

    def come(self):
        self.console.send(b'+')
        wait_until(lambda: self.states == [(1, 2)], 'the agent')

    def modes(self):
        return [command['arguments']['mode'] for command in self.commands() if command['execute'] == 'guest-shutdown']


class AgentThatComesAndGoes(TellingAgentTest):
    def test_is_known_to_clients(self):
        self.assertRegex(self.domain.XMLDesc(), "name='org.qemu.guest_agent.0' state='disconnected'")
        self.assert_error(libvirt.VIR_ERR_AGENT_UNRESPONSIVE, 'QEMU guest agent is not connected', self.domain.getTime)
        self.come()
        self.assertRegex(self.domain.XMLDesc(), "name='org.qemu.guest_agent.0' state='connected'")
        self.assertNotIn('state=', self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        self.assertEqual(self.domain.getTime()['seconds'], 1700000000)
        self.console.send(b'-')
        wait_until(lambda: self.states == [(1, 2), (2, 2)], "the agent's end")
        self.assert_error(libvirt.VIR_ERR_AGENT_UNRESPONSIVE, 'QEMU guest agent is not connected', self.domain.getTime)
        self.console.abort()

    def test_is_asked_before_the_power_button_is_pressed(self):
        self.domain.reboot()
        self.assertEqual(self.monitor_told('powerdown'), [{'reboot': True}])
        self.come()
        self.domain.reboot()
        self.assertEqual((self.modes(), len(self.monitor_told('powerdown'))), (['reboot'], 1))
        self.virsh('reboot', 'td', '--mode', 'acpi')
        self.assertEqual((self.modes(), len(self.monitor_told('powerdown'))), (['reboot'], 2))
        self.virsh('shutdown', 'td')
        wait_until(lambda: self.domain.isActive() == 0, 'power-off')
        self.assertEqual((self.modes(), len(self.monitor_told('powerdown'))), (['reboot', 'powerdown'], 2))

    def test_is_told_what_the_domain_makes_of_it(self):
        self.come()
        self.domain.setLifecycleAction(libvirt.VIR_DOMAIN_LIFECYCLE_POWEROFF, libvirt.VIR_DOMAIN_LIFECYCLE_ACTION_RESTART, 0)
        self.domain.setLifecycleAction(libvirt.VIR_DOMAIN_LIFECYCLE_REBOOT, libvirt.VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY, 0)
        self.domain.shutdown()
        self.domain.reboot()
        self.assertEqual(self.modes(), ['reboot', 'powerdown'])

    def test_cannot_answer_in_a_paused_guest(self):
        self.come()
        self.domain.suspend()
        for function, arguments in ((self.domain.getTime, ()), (self.domain.shutdown, ()), (self.domain.shutdownFlags, (3,)),
                                    (self.domain.shutdownFlags, (libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,))):
            self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running', function, *arguments)
        self.assertEqual(self.monitor_told('powerdown'), [])
        self.domain.reboot()
        self.assertEqual(self.monitor_told('powerdown'), [{'reboot': True}])


class SilentAgentThatCame(TellingAgentTest):
    how = 'silent'

    def test_is_followed_by_the_power_button(self):
        self.come()
        self.domain.shutdown()
        wait_until(lambda: self.domain.isActive() == 0, 'power-off')
        self.assertEqual(self.monitor_told('powerdown'), [{}])


class NoAgent(DaemonTest):
    def test_is_told_as_such(self):
        domain = self.define()
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running', domain.getTime)
        domain.create()
        for function, arguments in ((domain.getTime, ()), (domain.hostname, ()), (domain.fsInfo, ()), (domain.guestInfo, ()),
                                    (domain.shutdownFlags, (libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,)),
                                    (domain.interfaceAddresses, (libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,))):
            self.assert_error(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, 'QEMU guest agent is not configured', function, *arguments)


class SilentAgent(AgentTest):
    how = 'silent'

    def test_is_given_up_and_holds_nothing_else(self):
        self.assert_error(libvirt.VIR_ERR_AGENT_UNRESPONSIVE, 'Guest agent not available for now', self.domain.getTime)
        self.domain.suspend()
        self.domain.resume()
        # Asked for both, the power button follows.
        self.domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT | libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
        wait_until(lambda: self.domain.isActive() == 0, 'power-off')


class AgentOfNonsense(AgentTest):
    how = 'garbage'

    def test_is_refused(self):
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, "cannot parse the guest agent's answer", self.domain.getTime)


main()
