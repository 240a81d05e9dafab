#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the power test: powers off when the ACPI power button is pressed.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
wait_for_power_button
kernel_errors
poweroff -f
