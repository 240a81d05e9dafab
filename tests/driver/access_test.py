#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may connect (auth_unix_*) and do what (access_drivers), asked of polkit on a bus of the test's own, with a fake monitor.

Usage: access_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import json
import os
import pathlib
import subprocess
import threading

from bus_case import BusTest
from daemon_case import PATIENCE, SOURCE, XML, libvirt, main, wait_until

NOBODY = 65534
ALL = {'action': r'org\.libvirt\..*', 'answer': 'yes'}


def rule(action, answer, domain=None):
    return {'action': action.replace('.', r'\.'), 'answer': answer, **({'domain': domain} if domain else {})}


class AccessTest(BusTest):
    CONFIG = 'access_drivers = [ "polkit" ]\n'

    def start_daemon(self, **environment):
        config = self.root / 'etc/libvirt/virttdxd.conf'
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(self.CONFIG)
        super().start_daemon(**environment)

    def start_services(self):
        self.rules(ALL)
        self.start_authority()

    def start_authority(self):
        self.authority = self.run_beside(['/usr/bin/python3', SOURCE / 'tests/driver/fake_polkit.py', self.bus_folder])
        wait_until((self.bus_folder / 'ready').exists, 'polkit')

    def rules(self, *rules):
        """A file that is replaced at once: it is read meanwhile."""
        new = self.bus_folder / 'rules.new'
        new.write_text(json.dumps(rules))
        new.rename(self.bus_folder / 'rules.json')

    def questions(self):
        file = self.bus_folder / 'questions.jsonl'
        lines = file.read_text().splitlines() if file.exists() else []
        file.write_text('')
        return [json.loads(line) for line in lines]

    def asked(self):
        return [(question['action'].removeprefix('org.libvirt.api.'), question['details'].get('domain_name')) for question in self.questions()]

    def denied(self, function, *arguments):
        self.assert_error(libvirt.VIR_ERR_ACCESS_DENIED, "access denied: 'TDX' denied access", function, *arguments)


class ObjectsUnderAccessControl(AccessTest):
    def setUp(self):
        super().setUp()
        self.red, self.blue = self.define('red'), self.define('blue')
        self.questions()

    def test_are_asked_about_as_libvirts_driver_asks(self):
        self.red.isActive()
        question, = self.questions()
        pid = os.getpid()
        start = int(pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[19])
        self.assertEqual(question, {
            'kind': 'unix-process', 'subject': {'pid': pid, 'start-time': start, 'uid': os.geteuid()},
            'signature': {'pid': 'UInt32', 'start-time': 'UInt64', 'uid': 'Int32'}, 'action': 'org.libvirt.api.domain.read',
            'details': {'connect_driver': 'TDX', 'domain_name': 'red', 'domain_uuid': self.red.UUIDString()}, 'flags': 0})
        self.connection.getMaxVcpus(None)
        self.assertEqual(self.questions()[0]['details'], {'connect_driver': 'TDX'})

    def test_need_what_the_flags_of_a_call_make_it_do(self):
        for call, expected in (
                (lambda: self.red.XMLDesc(), {'domain.read'}),
                (lambda: self.red.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE), {'domain.read', 'domain.read-secure'}),
                (lambda: self.red.setMemoryFlags(1 << 20, libvirt.VIR_DOMAIN_AFFECT_CONFIG), {'domain.write', 'domain.save'}),
                (lambda: self.red.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 'x', None, None, 0), {'domain.write', 'domain.save'}),
                (lambda: self.red.create(), {'domain.start'}),
                (lambda: self.red.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 'x', None, None, libvirt.VIR_DOMAIN_AFFECT_LIVE), {'domain.write'}),
                (lambda: self.red.destroy(), {'domain.stop'}),
                (lambda: self.red.undefine(), {'domain.delete'})):
            self.questions()
            try:
                call()
            except libvirt.libvirtError as error:
                self.assertNotEqual(error.get_error_code(), libvirt.VIR_ERR_ACCESS_DENIED)
            self.assertEqual({action for action, domain in self.asked() if action != 'domain.getattr' and domain == 'red'}, expected)

    def test_are_left_alone_when_one_permission_is_missing(self):
        self.rules(rule('org.libvirt.api.domain.save', 'no'), rule('org.libvirt.api.domain.start', 'no', 'red'),
                   rule('org.libvirt.api.domain.delete', 'challenge'), ALL)
        self.denied(self.red.create)
        self.denied(self.red.undefine)
        self.denied(self.red.setMetadata, libvirt.VIR_DOMAIN_METADATA_TITLE, 'x', None, None, 0)
        self.denied(self.connection.defineXML, XML)
        self.assertEqual(self.red.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)
        self.assertNotIn('<title>', self.red.XMLDesc())
        self.blue.create()
        self.assertFalse((self.root / 'etc/libvirt/tdx/td.xml').exists())

    def test_that_are_new_are_asked_about_by_what_their_xml_says(self):
        uuid = '01234567-89ab-cdef-0123-456789abcdef'
        self.connection.defineXML(XML.replace('<name>td</name>', f'<name>green</name><uuid>{uuid}</uuid>'))
        questions = self.questions()
        self.assertEqual({question['action'].rsplit('.', 1)[1] for question in questions}, {'write', 'save'})
        self.assertEqual({(question['details']['domain_name'], question['details']['domain_uuid']) for question in questions}, {('green', uuid)})

    def test_that_a_client_may_not_see_are_in_no_list(self):
        self.rules(rule('org.libvirt.api.domain.getattr', 'no', 'red'), rule('org.libvirt.api.domain.read', 'no', 'red'), ALL)
        self.assertEqual([domain.name() for domain in self.connection.listAllDomains()], ['blue'])
        self.assertEqual(self.connection.listDefinedDomains(), ['blue'])
        self.assertEqual(self.connection.numOfDefinedDomains(), 1)
        self.assertEqual([domain.name() for domain, _ in self.connection.getAllDomainStats()], ['blue'])
        self.assertEqual([domain.name() for domain, _ in self.connection.domainListGetStats([self.red, self.blue])], ['blue'])
        self.denied(self.connection.lookupByName, 'red')
        self.denied(self.connection.lookupByUUIDString, self.red.UUIDString())
        self.assert_error(libvirt.VIR_ERR_NO_DOMAIN, 'no domain with matching name', self.connection.lookupByName, 'green')

    def test_that_a_client_may_not_see_send_it_no_events(self):
        self.rules(rule('org.libvirt.api.domain.getattr', 'no', 'red'), ALL)
        heard = []
        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                               lambda _c, domain, event, _d, _o: heard.append((domain.name(), event)), None)
        self.assertEqual(self.asked(), [('connect.search-domains', None)])
        for domain in (self.red, self.blue):
            domain.createWithFlags(0)
            domain.destroy()
        events = (libvirt.VIR_DOMAIN_EVENT_RESUMED, libvirt.VIR_DOMAIN_EVENT_STARTED, libvirt.VIR_DOMAIN_EVENT_SHUTDOWN,
                  libvirt.VIR_DOMAIN_EVENT_STOPPED)
        wait_until(lambda: len(heard) >= len(events), f'events, have {heard}')
        self.assertEqual(heard, [('blue', event) for event in events])

    def test_are_nobodys_when_the_connection_may_not_be_searched_or_opened(self):
        self.rules(rule('org.libvirt.api.connect.search-domains', 'no'), ALL)
        self.denied(self.connection.listAllDomains)
        self.rules(rule('org.libvirt.api.connect.getattr', 'no'), ALL)
        self.denied(self.connect)

    def test_are_refused_by_name_only_to_those_who_may_ask(self):
        self.rules(rule('org.libvirt.api.domain.hibernate', 'no'), ALL)
        self.denied(self.red.save, '/nowhere')

    def test_of_one_client_wait_for_polkit_while_others_are_served(self):
        self.rules(rule('org.libvirt.api.domain.reset', 'never'), ALL)
        result = []
        thread = threading.Thread(target=lambda: result.append(self.reset_elsewhere()), daemon=True)
        thread.start()
        wait_until(lambda: ('domain.reset', 'red') in self.asked(), 'the question')
        self.assertEqual(self.blue.isActive(), 0)
        self.authority.kill()
        thread.join(PATIENCE)
        self.assertEqual(result, [libvirt.VIR_ERR_ACCESS_DENIED])

    def reset_elsewhere(self):
        try:
            return self.connect().lookupByName('red').reset()
        except libvirt.libvirtError as error:
            return error.get_error_code()

    def test_are_denied_without_a_bus_and_asked_about_again_on_a_new_one(self):
        self.end_bus()
        self.denied(self.red.isActive)
        (self.bus_folder / 'ready').unlink()
        self.start_bus()
        self.start_authority()
        self.assertEqual(self.red.isActive(), 0)


class PolkitSocketTest(AccessTest):
    """Clients run as nobody: root need not ask."""
    CONFIG = 'auth_unix_rw = "polkit"\nauth_unix_ro = "polkit"\n'

    def setUp(self):
        super().setUp()
        self.root.chmod(0o711)
        self.define()

    def virsh_as_nobody(self, *arguments, read_only=False):
        user = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if os.geteuid() == 0 else {}
        done = subprocess.run(['virsh', '-q', '-c', self.uri('-ro' if read_only else ''), *(['-r'] if read_only else []), *arguments],
                              capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, start_new_session=True, **user)
        return done.returncode, done.stdout + done.stderr


class ClientsOfAPolkitSocket(PolkitSocketTest):
    def test_may_do_all_when_polkit_says_so(self):
        self.assertIn('td', self.virsh_as_nobody('list', '--all', '--name')[1])
        question, = self.questions()
        self.assertEqual((question['action'], question['flags'], question['details']), ('org.libvirt.unix.manage', 1, {}))
        self.assertEqual(question['subject']['uid'], NOBODY if os.geteuid() == 0 else os.geteuid())
        self.virsh_as_nobody('list', read_only=True)
        self.assertEqual([question['action'] for question in self.questions()], ['org.libvirt.unix.monitor'])

    def as_nobody(self, *words):
        """A process that goes on until its standard input ends."""
        user = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if os.geteuid() == 0 else {}
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, **user)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_wait_while_others_authenticate(self):
        self.CONFIG += 'max_anonymous_clients = 1\n'
        self.restart_daemon()
        silent = self.as_nobody('/usr/bin/python3', '-c', f'import socket, sys; peer = socket.socket(socket.AF_UNIX); '
                                f'peer.connect("{self.root}/run/libvirt/virttdxd-sock"); sys.stdin.read()')
        wait_until(lambda: '1 of 1 have not authenticated yet' in self.log_path.read_text(), 'the one that does not authenticate')
        shell = self.as_nobody('virsh', '-c', self.uri())
        self.assertEqual(self.questions(), [])
        silent.stdin.close()
        wait_until(self.questions, 'the next one to be asked about')
        # One that has authenticated and stays keeps nobody away.
        self.assertEqual(self.virsh_as_nobody('list')[0], 0)
        self.assertIsNone(shell.poll())

    def test_are_refused_in_libvirts_words(self):
        for answer, message in (
                ('no', 'authentication failed: access denied by policy'),
                ('challenge', "authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.manage'"),
                ('dismissed', 'authentication cancelled: user cancelled authentication process'),
                ('unknown', "error from service: org.freedesktop.PolicyKit1.Error.Failed: Action org.libvirt.unix.manage is not registered")):
            self.rules({'action': '.*', 'answer': answer})
            status, output = self.virsh_as_nobody('list')
            self.assertEqual(status, 1)
            self.assertIn(message, output)

    def test_that_are_root_are_not_asked_about(self):
        if os.geteuid() != 0:
            self.skipTest('needs root')
        self.rules()
        self.assertEqual(self.connect().numOfDefinedDomains(), 1)
        self.assertEqual(self.questions(), [])

    def test_that_wait_for_a_password_hold_nobody_up(self):
        self.rules({'action': '.*', 'answer': 'never'})
        thread = threading.Thread(target=self.virsh_as_nobody, args=('list',), daemon=True)
        thread.start()
        wait_until(self.questions, 'the question')
        self.assertIn('nclients_unauth     : 1' if os.geteuid() == 0 else 'nclients_unauth', self.virt_admin('srv-clients-info', 'virttdxd'))
        self.rules(ALL)
        self.assertIn('td', self.virsh_as_nobody('list', '--all', '--name')[1])
        self.authority.kill()
        thread.join(PATIENCE)

    def virt_admin(self, *arguments):
        return subprocess.run(['virt-admin', '-c', f'virttdxd:///system?socket={self.root}/run/libvirt/virttdxd-admin-sock', *arguments],
                              capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


POLKITD = '/usr/lib/polkit-1/polkitd'
POLICY = """<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/PolicyKit/1/policyconfig.dtd">
<policyconfig>{}</policyconfig>"""
ACTION = """<action id="{}"><description>d</description><message>m</message><defaults><allow_any>no</allow_any>
<allow_inactive>no</allow_inactive><allow_active>no</allow_active></defaults></action>"""
RULES = """polkit.addRule(function(action, subject) {
  if (action.id == "org.libvirt.unix.manage") return subject.user == "nobody" ? polkit.Result.YES : polkit.Result.NO;
  if (action.lookup("connect_driver") != "TDX" || subject.user != "nobody") return polkit.Result.NO;
  if (action.id.indexOf("org.libvirt.api.connect.") == 0) return polkit.Result.YES;
  return action.lookup("domain_name") == "blue" && action.id != "org.libvirt.api.domain.delete" ? polkit.Result.YES : polkit.Result.NO;
});
"""


class UsersWithRulesOfTheRealPolkit(PolkitSocketTest):
    """polkitd in a mount namespace where actions and rules are the test's own."""
    CONFIG = PolkitSocketTest.CONFIG + 'access_drivers = [ "polkit" ]\n'

    def start_bus(self):
        if not os.access(POLKITD, os.X_OK) or os.geteuid() != 0:
            self.skipTest('needs polkitd and root')
        super().start_bus()

    def start_authority(self):
        for name in ('actions', 'rules'):
            (self.bus_folder / name).mkdir()
        names = ['unix.manage', 'unix.monitor'] + [
            f'api.{name}' for name in ('connect.getattr', 'connect.search-domains', 'connect.read', 'domain.getattr', 'domain.read', 'domain.write', 'domain.save',
                                         'domain.delete')]
        (self.bus_folder / 'actions/test.policy').write_text(POLICY.format(''.join(ACTION.format(f'org.libvirt.{name}') for name in names)))
        (self.bus_folder / 'rules/10-test.rules').write_text(RULES)
        for path in (self.root, self.bus_folder, self.bus_folder / 'rules', self.bus_folder / 'actions'):
            path.chmod(0o755)
        script = f"""mount --make-rprivate /
mount --bind {self.bus_folder}/actions /usr/share/polkit-1/actions && mount --bind {self.bus_folder}/rules /usr/share/polkit-1/rules.d &&
mount --bind {self.bus_folder}/rules /etc/polkit-1/rules.d && exec {POLKITD}"""
        self.authority = self.run_beside(['unshare', '-m', 'sh', '-c', script])
        wait_until(self.polkit_answers, 'polkitd')

    def polkit_answers(self):
        asked = subprocess.run(['dbus-send', f'--bus={self.address}', '--print-reply', '--dest=org.freedesktop.DBus', '/',
                                'org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.PolicyKit1'], capture_output=True, check=False)
        return b'boolean true' in asked.stdout

    def setUp(self):
        super().setUp()
        for name in ('red', 'blue'):
            self.define(name)

    def test_see_and_use_their_domains_only(self):
        self.assertEqual(self.virsh_as_nobody('list', '--all', '--name')[1].split(), ['blue'])
        self.assertEqual(self.virsh_as_nobody('domstate', 'blue'), (0, 'shut off\n'))
        for command, message in ((('domstate', 'red'), "failed to get domain 'red'"),
                                 (('undefine', 'blue'), "access denied: 'TDX' denied access")):
            status, output = self.virsh_as_nobody(*command)
            self.assertEqual(status, 1)
            self.assertIn(message, output)


main()
