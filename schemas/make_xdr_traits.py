#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make_xdr_traits.py PROTOCOL.x OUTPUT.h: names, for every struct of a protocol, the routine that rpcgen made for it."""
import re
import sys

source, output = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    names = re.findall(r"^struct (\w+) \{", file.read(), re.MULTILINE)
stem = source.rsplit("/", 1)[-1].removesuffix(".x")
with open(output, "w", encoding="utf-8") as file:
    file.write(f"// Made by make_xdr_traits.py from {stem}.x.\n#pragma once\n")
    file.write(f'#include "{stem}.h"\n#include "rpc/xdr_routine.h"\n')
    file.write("namespace virttdx::driver {\n")
    for name in names:
        file.write(f"template <> inline constexpr XdrRoutine<{name}> kXdrRoutine<{name}> = &xdr_{name};\n")
    file.write("}  // namespace virttdx::driver\n")
