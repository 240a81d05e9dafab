# SPDX-License-Identifier: GPL-2.0-or-later
"""CCEL's event log, read by hand (TCG PC Client Platform Firmware Profile, "Event Logging"; UEFI Specification, "Confidential
Computing": register 0 is MRTD, the next are RTMR0 on)."""
import hashlib
import struct

NO_ACTION, SHA384, SHA384_SIZE = 3, 0x0C, 48
CCEL_OF_TDX = 2
# As the log numbers registers.
RTMR2 = 3


def events(log):
    """(register, kind, digest) of each event that has one digest; the first event, the header, has none."""
    position = 32 + struct.unpack_from('<I', log, 28)[0]
    while position + 8 <= len(log):
        register, kind, count, algorithm = struct.unpack_from('<IIIH', log, position)
        if (register, kind) in ((0, 0), (0xFFFFFFFF, 0xFFFFFFFF)):
            break
        assert (count, algorithm) == (1, SHA384), (position, count, algorithm)
        yield register, kind, log[position + 14:position + 14 + SHA384_SIZE]
        position += 14 + SHA384_SIZE + 4 + struct.unpack_from('<I', log, position + 14 + SHA384_SIZE)[0]


def replayed(log):
    """RTMR0 to RTMR3 after it."""
    rtmrs = [bytes(SHA384_SIZE)] * 4
    for register, kind, digest in events(log):
        if kind != NO_ACTION:
            rtmrs[register - 1] = hashlib.sha384(rtmrs[register - 1] + digest).digest()
    return {f'rtmr{i}': rtmr.hex() for i, rtmr in enumerate(rtmrs)}
