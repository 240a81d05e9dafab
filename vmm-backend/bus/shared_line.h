// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <mutex>

#include "bus/interrupt_line.h"

namespace virttdx {

/// Several devices on one wire: asserted while any of them asserts it. Any thread, after the inputs are made.
class SharedLine {
 public:
  explicit SharedLine(InterruptLine& output) : output_(output) {}
  SharedLine(const SharedLine&) = delete;
  SharedLine& operator=(const SharedLine&) = delete;

  /// A device's end. Valid as long as this object.
  InterruptLine& add_input() { return inputs_.emplace_back(*this); }

 private:
  struct Input final : InterruptLine {
    explicit Input(SharedLine& owner) : owner_(owner) {}
    void set(bool level) override {
      const std::lock_guard lock(owner_.mutex_);
      if (level == asserted_) return;
      asserted_ = level;
      owner_.asserted_inputs_ += level ? 1 : -1;
      owner_.output_.set(owner_.asserted_inputs_ > 0);
    }
    SharedLine& owner_;
    bool asserted_ = false;  ///< guarded by owner_.mutex_
  };

  InterruptLine& output_;
  std::mutex mutex_;
  int asserted_inputs_ = 0;  ///< guarded by mutex_
  std::deque<Input> inputs_;
};

}  // namespace virttdx
