# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON Schemas of schemas/, which refer to each other by $id."""
import json
import pathlib
import os

import jsonschema

SCHEMAS = {path.stem: json.loads(path.read_text())
           for path in (pathlib.Path(os.environ['VIRTTDX_SOURCE']) / 'schemas').glob('*.json')}


def validator(name):
    store = {schema['$id']: schema for schema in SCHEMAS.values()}
    resolver = jsonschema.RefResolver.from_schema(SCHEMAS[name], store=store)
    return jsonschema.Draft202012Validator(SCHEMAS[name], resolver=resolver)


def validate(name, value):
    validator(name).validate(value)
