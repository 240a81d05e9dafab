# SPDX-License-Identifier: GPL-2.0-or-later
"""A desktop that nobody sees: an X server with a session bus, and a program on it that is read and used by what it tells screen readers.

Nothing here depends on where a widget is, how it looks or how long it takes.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import harness

SCREEN = '1280x1024x24'
ENTER = 0xff0d
# AT-SPI's words, as its D-Bus interfaces have them.
REGISTRY = 'org.a11y.atspi.Registry'
ROOT, KEYS_AND_MOUSE = '/org/a11y/atspi/accessible/root', '/org/a11y/atspi/registry/deviceeventcontroller'
SELECTED, SENSITIVE, SHOWING = 1 << 23, 1 << 24, 1 << 25
SYMBOL, STRING = 3, 4
ON_SCREEN = 0
# What one's own desktop would otherwise hand on.
FOREIGN = ('AT_', 'DBUS_', 'DISPLAY', 'GDK_', 'GTK_', 'NO_AT_BRIDGE', 'WAYLAND_', 'XAUTHORITY', 'XDG_')
READERS = '/usr/libexec/at-spi-bus-launcher'


def missing(*programs):
    """Why no desktop with these can be had here; None: it can."""
    for program in ('Xvfb', 'dbus-daemon', *programs):
        if shutil.which(program) is None:
            return f'{program} is not installed'
    return None if os.path.exists(READERS) else f'{READERS} is absent: install at-spi2-core'


class Desktop:
    """GDK takes the first one that a process makes for the only one."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-desktop-'))
        (self.home / 'run').mkdir(mode=0o700)
        for name in [name for name in os.environ if name.startswith(FOREIGN)]:
            del os.environ[name]
        os.environ.update(HOME=str(self.home), XDG_RUNTIME_DIR=str(self.home / 'run'), GSETTINGS_BACKEND='memory', GDK_BACKEND='x11',
                          LC_ALL='C.UTF-8')
        self.servers = [self.begin_x(), self.begin_bus()]
        self.gdk, self.gio, self.glib = self.libraries()
        self.readers = self.open_bus(self.call(self.open_bus(os.environ['DBUS_SESSION_BUS_ADDRESS']), 'org.a11y.Bus', '/org/a11y/bus',
                                               'org.a11y.Bus.GetAddress')[0])

    def begin_x(self):
        reader, writer = os.pipe()
        with open(reader, encoding='ascii') as number, open(self.home / 'Xvfb.log', 'wb') as log:
            server = subprocess.Popen(['Xvfb', '-displayfd', str(writer), '-screen', '0', SCREEN, '-nolisten', 'tcp', '-noreset'],
                                      pass_fds=[writer], stderr=log)
            os.close(writer)
            os.environ['DISPLAY'] = f':{number.read().strip()}'
        if os.environ['DISPLAY'] == ':':
            raise harness.Failed(f'Xvfb: {(self.home / "Xvfb.log").read_text()}')
        return server

    def begin_bus(self):
        bus = subprocess.Popen(['dbus-daemon', '--session', '--nofork', '--print-address'], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.DEVNULL)
        os.environ['DBUS_SESSION_BUS_ADDRESS'] = bus.stdout.readline().strip()
        return bus

    @staticmethod
    def libraries():
        """GDK looks for the desktop as soon as it is loaded."""
        import gi  # pylint: disable=import-outside-toplevel
        gi.require_version('Gdk', '3.0')
        from gi.repository import Gdk, Gio, GLib  # pylint: disable=import-outside-toplevel
        return Gdk, Gio, GLib

    def open_bus(self, address):
        flags = self.gio.DBusConnectionFlags
        return self.gio.DBusConnection.new_for_address_sync(address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)

    def call(self, bus, name, path, method, signature='()', *arguments):
        interface, _, member = method.rpartition('.')
        parameters = self.glib.Variant(signature, arguments)
        return bus.call_sync(name, path, interface, member, parameters, None, 0, harness.PATIENCE * 1000, None).unpack()

    def picture(self):
        """The whole screen."""
        root = self.gdk.get_default_root_window()
        return self.gdk.pixbuf_get_from_window(root, 0, 0, root.get_width(), root.get_height())

    def save_picture(self, path):
        """Of what has been drawn, unless drawing goes on and on."""
        pixels = [None]

        def has_settled():
            pixels.append(self.picture().get_pixels())
            return pixels[-1] == pixels[-2] or len(pixels) > 20
        harness.wait_until(has_settled, 'the screen to be drawn')
        self.picture().savev(str(path), 'png', [], [])

    def end(self):
        self.gdk.Display.get_default().close()
        for server in reversed(self.servers):
            server.terminate()
            server.wait()
        self.servers[1].stdout.close()
        shutil.rmtree(self.home, ignore_errors=True)


class Program:
    """Widgets are those that are shown, each a name on the bus and a path; what they are called is a pattern of the whole of it."""

    def __init__(self, desktop, name, command, log):
        self.desktop, self.name = desktop, name
        with open(log, 'ab') as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL)

    def end(self):
        self.process.kill()
        self.process.wait()

    def ask(self, widget, method, *arguments):
        return self.desktop.call(self.desktop.readers, *widget, f'org.a11y.atspi.{method}', *arguments)

    def name_of(self, widget):
        return self.desktop.call(self.desktop.readers, *widget, 'org.freedesktop.DBus.Properties.Get', '(ss)', 'org.a11y.atspi.Accessible',
                                 'Name')[0]

    def children(self, widget):
        return self.ask(widget, 'Accessible.GetChildren')[0]

    def has(self, widget, state):
        return self.ask(widget, 'Accessible.GetState')[0][0] & state

    def widgets(self, within=None):
        """All of them, outer ones first."""
        above = [within] if within else [each for each in self.children((REGISTRY, ROOT)) if self.name_of(each) == self.name]
        for widget in (child for each in above for child in self.children(each)):
            if self.has(widget, SHOWING):
                yield widget
                yield from self.widgets(widget)

    def matching(self, role, name='.*', within=None):
        return [widget for widget in self.widgets(within) if self.ask(widget, 'Accessible.GetRoleName')[0] == role and
                re.fullmatch(name, self.name_of(widget), re.DOTALL)]

    def shown(self, *what):
        """None while they change under the reader's eyes."""
        try:
            return self.matching(*what)
        except self.desktop.glib.Error:
            return []

    def find(self, role, name='.*', within=None):
        """The first one that can be used, as soon as there is one."""
        usable = []

        def look():
            usable[:] = [widget for widget in self.shown(role, name, within) if self.has(widget, SENSITIVE)]
            return usable or self.process.poll() is not None
        harness.wait_until(look, f'{role} {name!r} of {self.name}')
        if not usable:
            raise harness.Failed(f'{self.name} ended')
        return usable[0]

    def wait_until_gone(self, *what):
        def is_gone():
            try:
                return not self.matching(*what)
            except self.desktop.glib.Error:
                return False
        harness.wait_until(is_gone, f'{what} of {self.name} to go')

    def press(self, *what, action='click'):
        """What opens a dialog must be clicked: the answer would come when the dialog has been closed."""
        widget = self.find(*what)
        count = len(self.ask(widget, 'Action.GetActions')[0])
        names = [self.ask(widget, 'Action.GetName', '(i)', number)[0] for number in range(count)]
        self.ask(widget, 'Action.DoAction', '(i)', names.index(action))

    def click(self, *what):
        """By the mouse, as soon as the widget stays where it is."""
        widget, places = self.find(*what), [None]

        def stays():
            places.append(self.ask(widget, 'Component.GetExtents', '(u)', ON_SCREEN)[0])
            return places[-1] == places[-2]
        harness.wait_until(stays, f'{what} to stay where it is')
        x, y, width, height = places[-1]
        self.ask((REGISTRY, KEYS_AND_MOUSE), 'DeviceEventController.GenerateMouseEvent', '(iis)', x + width // 2, y + height // 2, 'b1c')

    def select(self, *what):
        cell = self.find(*what)
        self.ask(cell, 'Component.GrabFocus')
        harness.wait_until(lambda: self.has(cell, SELECTED), f'{what} to be selected')

    def text(self, widget):
        return self.ask(widget, 'Text.GetText', '(ii)', 0, -1)[0]

    def write(self, widget, text):
        """In the place of what is there."""
        self.ask(widget, 'Component.GrabFocus')
        self.ask(widget, 'EditableText.SetTextContents', '(s)', text)

    def set_number(self, number, *what):
        self.desktop.call(self.desktop.readers, *self.find(*what), 'org.freedesktop.DBus.Properties.Set', '(ssv)', 'org.a11y.atspi.Value',
                          'CurrentValue', self.desktop.glib.Variant('d', number))

    def type_line(self, text):
        """On the keyboard: the widget clicked last gets it."""
        for key, characters, kind in ((0, text, STRING), (ENTER, '', SYMBOL)):
            self.ask((REGISTRY, KEYS_AND_MOUSE), 'DeviceEventController.GenerateKeyboardEvent', '(isu)', key, characters, kind)
