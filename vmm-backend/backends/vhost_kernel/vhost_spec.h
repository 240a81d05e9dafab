// SPDX-License-Identifier: GPL-2.0-or-later
// linux/vhost.h, without the ring of legacy devices, which is C.
#pragma once

#define VIRTIO_RING_NO_LEGACY
#include <linux/vhost.h>
