# SPDX-License-Identifier: GPL-2.0-or-later
"""virttdxd with a system bus of the test's own, and services on it that a test chooses."""
import os
import shutil
import subprocess
import sys

from daemon_case import DaemonTest, wait_until

try:
    import dbus  # noqa: F401
    import gi  # noqa: F401
except ImportError as error:
    print(f'1..0 # SKIP {error}: install python3-dbus and python3-gi')
    sys.exit(0)
if not shutil.which('dbus-daemon'):
    print('1..0 # SKIP dbus-daemon is not installed')
    sys.exit(0)

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>unix:path={folder}/bus</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>"""


class BusTest(DaemonTest):
    def start_daemon(self, **environment):
        """The bus and its services run before the first daemon does."""
        self.bus_folder = self.root / 'bus'
        self.address = f'unix:path={self.bus_folder}/bus'
        if not self.bus_folder.exists():
            self.bus_folder.mkdir()
            (self.bus_folder / 'bus.conf').write_text(BUS.format(folder=self.bus_folder))
            self.start_bus()
            self.start_services()
        super().start_daemon(DBUS_SYSTEM_BUS_ADDRESS=self.address, **environment)

    def start_bus(self):
        self.bus = self.run_beside(['dbus-daemon', f'--config-file={self.bus_folder}/bus.conf', '--nofork'])
        wait_until((self.bus_folder / 'bus').exists, 'the bus')

    def end_bus(self):
        self.bus.kill()
        self.bus.wait()
        (self.bus_folder / 'bus').unlink()

    def start_services(self):
        raise NotImplementedError

    def run_beside(self, command):
        with open(self.bus_folder / 'log', 'ab') as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, 'DBUS_SYSTEM_BUS_ADDRESS': self.address})
        self.addCleanup(lambda: (process.kill(), process.wait()))
        return process
