// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/scsi/cdrom_tray.h"

#include <utility>

namespace virttdx {

bool CdromTray::set_open(bool is_open) {
  if (std::exchange(is_open_, is_open) == is_open) return false;
  has_moved_ = true;
  is_changed_ = !is_open && medium_ != nullptr;
  if (is_open) is_asked_for_ = false;
  return true;
}

bool CdromTray::open_from_outside(bool force) {
  {
    const std::lock_guard lock(mutex_);
    if (is_locked_ && !is_open_ && !force) {
      is_asked_for_ = true;
      return false;
    }
    if (!set_open(true)) return true;
  }
  tell(true);
  return true;
}

bool CdromTray::close_with(std::shared_ptr<ScsiMedium> medium) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_open_) return false;
    // What lay there ends with the argument, outside of the lock.
    std::swap(medium_, medium);
    set_open(false);
  }
  tell(false);
  return true;
}

void CdromTray::close() {
  {
    const std::lock_guard lock(mutex_);
    if (!set_open(false)) return;
  }
  tell(false);
}

bool CdromTray::open_by_guest() {
  {
    const std::lock_guard lock(mutex_);
    if (is_locked_) return false;
    if (!set_open(true)) return true;
  }
  tell(true);
  return true;
}

void CdromTray::lock(bool locked) {
  const std::lock_guard lock(mutex_);
  is_locked_ = locked;
}

void CdromTray::start_anew() {
  const std::lock_guard lock(mutex_);
  is_locked_ = is_changed_ = has_moved_ = is_asked_for_ = false;
}

CdromTray::View CdromTray::look() const {
  const std::lock_guard lock(mutex_);
  return {.medium = is_open_ ? nullptr : medium_, .is_open = is_open_, .is_locked = is_locked_};
}

bool CdromTray::take_change() {
  const std::lock_guard lock(mutex_);
  return std::exchange(is_changed_, false);
}

CdromTray::Event CdromTray::take_event() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(has_moved_, false))
    return medium_ != nullptr && !is_open_ ? Event::NewMedium : Event::MediumRemoval;
  return std::exchange(is_asked_for_, false) ? Event::EjectRequest : Event::None;
}

}  // namespace virttdx
