# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON Schemas hold for what the fuzz corpora and documents have, and are schemas themselves."""
import json
import re
import unittest

import jsonschema

import harness
from harness import SOURCE
import json_schemas

CORPUS = SOURCE / 'tests/fuzz/corpus'


class TheSchemas(unittest.TestCase):
    def test_are_json_schemas(self):
        for schema in json_schemas.SCHEMAS.values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def test_take_the_configurations_that_the_reader_takes(self):
        for path in (CORPUS / 'vm_config_json').iterdir():
            json_schemas.validate('vm-config', json.loads(path.read_text()))

    def test_take_the_faults_that_the_reader_takes(self):
        for path in (CORPUS / 'soft_faults_json').iterdir():
            json_schemas.validate('soft-faults', json.loads(path.read_text()))

    def test_refuse_faults_that_the_reader_refuses(self):
        for fault in ({'at': 'KVM_RUN'}, {'at': 'TDH.MNG.INIT'}, {'at': 'TDH.MNG.INIT', 'errno': 'EIO', 'hw_error': 1}, {'at': 'KVM_WALK', 'errno': 'EIO'},
                      {'at': 'KVM_RUN', 'errno': 'EIO', 'first': 0}):
            with self.assertRaises(jsonschema.ValidationError, msg=fault):
                json_schemas.validate('soft-faults', {'faults': [fault]})

    def test_refuse_what_the_reader_refuses(self):
        good = json.loads((CORPUS / 'vm_config_json/smallest.json').read_text())
        for change in ({'colour': 1}, {'memory_bytes': 4096}, {'vcpu_count': 0}, {'host': 'xen'}, {'uuid': 'x'},
                       {'td': {'cpuid': [], 'xfam': '3'}}, {'serials': [{'port': 4}]}):
            with self.assertRaises(jsonschema.ValidationError, msg=change):
                json_schemas.validate('vm-config', {**good, **change})

    def test_take_the_lines_that_the_documentation_shows(self):
        lines = re.findall(r'^(?:C|M): (\{.*\})$', (SOURCE / 'docs/control-protocol.md').read_text(), re.M)
        self.assertGreater(len(lines), 8)
        for line in lines:
            json_schemas.validate('control-protocol', json.loads(line))

    def test_take_the_example_configuration(self):
        json_schemas.validate('vm-config', json.loads((SOURCE / 'docs/examples/td.json').read_text()))


if __name__ == '__main__':
    harness.main()
