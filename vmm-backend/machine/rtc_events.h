// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

#include "devices/rtc/rtc_adjustment.h"
#include "vmm_backend/monitor_messages.h"

namespace virttdx {

/// Makes an event of each change of a guest's clock, which the configuration moves by `configured` seconds.
inline RtcAdjustment::Watcher rtc_events(std::int64_t configured,
                                         std::function<void(const MonitorEvent&)> on_event) {
  if (!on_event) return {};
  return [configured, on_event = std::move(on_event)](std::int64_t adjustment) {
    std::int64_t offset;
    if (__builtin_add_overflow(configured, adjustment, &offset)) offset = adjustment;
    on_event({.kind = MonitorEventKind::RtcChanged, .message = {}, .rtc_offset_seconds = offset});
  };
}

}  // namespace virttdx
