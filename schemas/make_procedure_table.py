#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make_procedure_table.py PROCEDURES.txt OUTPUT.inc: the rows of the procedure table, as C++ initializers."""
import sys

source, output = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    rows = [line.split() for line in file if line.strip() and not line.startswith("#")]


def access_rule(text):
    """OBJECT:PERMISSION[:[!]FLAGS] or OBJECT:PERMISSION::source:VALUE as an AccessRule."""
    name, permission, *condition = text.split(":")
    start = f'AccessRule{{AccessObject::{name.capitalize()}, "{permission}"'
    if not condition:
        return start + ", AccessWhen::Always, 0}"
    if len(condition) == 3 and condition[:2] == ["", "source"]:
        return f"{start}, AccessWhen::SourceIs, {condition[2]}}}"
    (flags,) = condition
    when = "FlagsClear" if flags.startswith("!") else "FlagsSet"
    return f"{start}, AccessWhen::{when}, {flags.lstrip('!')}}}"


with open(output, "w", encoding="utf-8") as file:
    for number, name, rule, function, object_class, access, visible in rows:
        function = "" if function == "-" else function
        rules = ", ".join(map(access_rule, access.split(","))) if access != "-" else ""
        file.write(f'{{{number}, "{name}", ReadOnlyRule::{rule.capitalize()}, "{function}", ObjectClass::{object_class.capitalize()}, '
                   f'{{{rules}}}, "{"" if visible == "-" else visible}"}},\n')
