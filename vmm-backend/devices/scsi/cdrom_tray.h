// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "devices/scsi/scsi_medium.h"

namespace virttdx {

/// The tray of a CD-ROM drive, between the guest and whoever changes its medium from outside. It outlives the
/// drives in front of it: a TD after a reset finds what the last one left. Any thread.
class CdromTray {
 public:
  /// Told each time that the tray opens or closes, on the thread that did it; must not call the tray.
  using Observer = std::function<void(bool is_open)>;
  /// MMC-6 6.6.3.4, table 358: event codes of the media class.
  enum class Event : std::uint8_t { None = 0, EjectRequest = 1, NewMedium = 2, MediumRemoval = 3 };

  /// Closed. `medium`: nullptr when it is empty.
  explicit CdromTray(std::shared_ptr<ScsiMedium> medium, Observer observer = {})
      : observer_(std::move(observer)), medium_(std::move(medium)) {}

  /// From outside. False: the guest has locked it, and is asked to eject; `force` does not ask.
  bool open_from_outside(bool force);
  /// Puts `medium` into the open tray in place of what lies there, and closes it. False: it is closed (the
  /// guest may do that too), and keeps what it has.
  bool close_with(std::shared_ptr<ScsiMedium> medium);
  /// From outside or by the guest, with what lies there.
  void close();

  /// By the guest. False: it has locked the tray.
  bool open_by_guest();
  void lock(bool locked);
  /// A driver begins: the lock of the last one is gone, and what it was not told.
  void start_anew();

  /// What a guest can see of it.
  struct View {
    std::shared_ptr<ScsiMedium> medium;  ///< nullptr: none, or the tray is open
    bool is_open = false;
    bool is_locked = false;
  };
  View look() const;
  bool is_open() const { return look().is_open; }
  /// Whether there is another medium than the guest has been told of. Once.
  bool take_change();
  /// The most important event that the guest has not been told of. Each once.
  Event take_event();

 private:
  /// With the mutex held. True: the observer is to be told.
  bool set_open(bool is_open);
  void tell(bool is_open) const {
    if (observer_) observer_(is_open);
  }

  const Observer observer_;
  mutable std::mutex mutex_;  ///< of what follows
  std::shared_ptr<ScsiMedium> medium_;
  bool is_open_ = false, is_locked_ = false;
  bool is_changed_ = false, has_moved_ = false, is_asked_for_ = false;
};

}  // namespace virttdx
