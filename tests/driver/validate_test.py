#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Documents held against schemas, as clients ask for by libvirt's VALIDATE flags.

Usage: validate_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import subprocess

from daemon_case import PATIENCE, SOURCE, XML, DaemonTest, libvirt, main
from process_memory import assert_memory_less

SCHEMA = libvirt.VIR_ERR_XML_INVALID_SCHEMA


class Validation(DaemonTest):
    WRONG = XML.replace('<vcpu>', "<vcpu colour='red'>")
    LINE = 1 + XML[:XML.index('<vcpu>')].count('\n')
    MESSAGE = 'XML document failed to validate against schema: Unable to validate doc against '

    def test_of_a_definition_is_as_libvirt_words_it(self):
        domain = self.connection.defineXMLFlags(XML, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        self.assertEqual(domain.name(), 'td')
        domain.undefine()
        with self.assertRaises(libvirt.libvirtError) as caught:
            self.connection.defineXMLFlags(self.WRONG, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        error = caught.exception
        self.assertEqual((error.get_error_code(), error.get_error_domain()), (SCHEMA, libvirt.VIR_FROM_XML))
        self.assertRegex(error.get_error_message(), f"^{self.MESSAGE}.*/domain.rng: line {self.LINE}: unknown attribute 'colour'")
        self.assertEqual(self.connection.listAllDomains(), [])

    def test_finds_the_schema_and_not_only_the_reader(self):
        # Without the flag the reader alone speaks.
        self.assert_error(libvirt.VIR_ERR_XML_ERROR, "unknown attribute 'colour'", self.connection.defineXML, self.WRONG)
        self.assert_error(libvirt.VIR_ERR_XML_DETAIL, '', self.connection.defineXMLFlags, '<domain',
                          libvirt.VIR_DOMAIN_DEFINE_VALIDATE)

    def test_of_a_transient_domain_comes_before_its_start(self):
        self.assert_error(SCHEMA, self.MESSAGE, self.connection.createXML, self.WRONG, libvirt.VIR_DOMAIN_START_VALIDATE)
        self.assertEqual(self.connection.listAllDomains(), [])
        self.connection.createXML(XML, libvirt.VIR_DOMAIN_START_VALIDATE).destroy()

    def test_is_what_virsh_define_validate_asks_for(self):
        path = self.root / 'td.xml'
        path.write_text(XML)
        self.assertIn("'td' defined", self.virsh('define', '--validate', str(path)))
        path.write_text(self.WRONG)
        done = subprocess.run(['virsh', '-c', self.uri(), 'define', '--validate', path], capture_output=True, text=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.MESSAGE, done.stderr)

    def test_of_a_cpu_is_by_libvirts_own_schema(self):
        flag = libvirt.VIR_CONNECT_COMPARE_CPU_VALIDATE_XML
        good, wrong = "<cpu><model>Nehalem</model></cpu>", "<cpu><model>Nehalem</model><colour/></cpu>"
        for compare in (self.connection.compareCPU, lambda *arguments: self.connection.compareHypervisorCPU(
                None, None, None, None, *arguments)):
            compare(good, flag)
            self.assert_error(SCHEMA, self.MESSAGE + '/usr/share/libvirt/schemas/cpu.rng: line 1: ', compare, wrong, flag)
            compare(wrong, 0)
        path = self.root / 'cpu.xml'
        path.write_text(good)
        self.assertIn('Nehalem', self.virsh('hypervisor-cpu-baseline', str(path)))
        self.virsh('cpu-compare', '--validate', str(path), '--error')


class BadInput(DaemonTest):
    """Hostile documents: an error with a line, no memory spent, nothing stored."""
    MEMORY_MAXIMUM_KIB = 400 * 1024

    def documents(self):
        for path in sorted((SOURCE / 'tests/data/domain-xml/invalid').rglob('*.xml')):
            try:
                yield path.stem, path.read_text(encoding='utf-8')
            except UnicodeDecodeError:
                continue  # no client of libvirt's can send it
        head = "<domain type='kvm'>\n<name>td</name>\n<memory>65536</memory>\n<os><type>hvm</type></os>\n"
        for name, inner in (('huge attribute', f"<vcpu placement='{'x' * 4000000}'>1</vcpu>"),
                            ('deep nesting', '<metadata>' + '<a>' * 300000),
                            ('many elements', '<metadata>' + '<a/>' * 800000 + '</metadata>'),
                            ('many features', '<cpu>' + "<feature name='a'/>" * 70000 + '</cpu>'),
                            ('long name', f'<{"n" * 3000000}/>')):
            yield name, head + inner + '</domain>'

    def test_is_refused_by_line_and_leaves_nothing(self):
        for name, xml in self.documents():
            for flags in (0, libvirt.VIR_DOMAIN_DEFINE_VALIDATE):
                with self.assertRaises(libvirt.libvirtError, msg=name) as caught:
                    self.connection.defineXMLFlags(xml, flags)
                self.assertRegex(caught.exception.get_error_message(), 'line [0-9]+: ', name)
                self.assertLess(len(caught.exception.get_error_message()), 5000, name)
        self.assertEqual(self.connection.listAllDomains(), [])
        self.assertEqual([path for path in (self.root / 'etc/libvirt/tdx').rglob('*') if path.is_file()], [])
        assert_memory_less(self, self.daemon.pid, 'VmHWM', self.MEMORY_MAXIMUM_KIB)
        self.assertEqual(self.define().name(), 'td')


main()
