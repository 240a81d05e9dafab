// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/entropy_file.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace virttdx {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds period(const RngConfig& config) {
  return std::chrono::milliseconds(std::max(config.period_milliseconds, 1U));
}

}  // namespace

Result<std::unique_ptr<EntropyFile>> EntropyFile::create(const RngConfig& config) {
  std::unique_ptr<EntropyFile> source(new EntropyFile(config));
  TRY(source->open());
  return source;
}

Result<> EntropyFile::open() {
  file_ = UniqueFd(::open(config_.source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file_) return fail_errno(errno, "entropy device '{}': cannot open '{}'", config_.id, config_.source);
  timer_ = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer_) return fail_errno(errno, "entropy device '{}': cannot create a timer", config_.id);
  worker_ = TRY(Worker::create(config_.id));
  TRY(worker_->loop().add(timer_.get(), EPOLLIN, [this](std::uint32_t) {
    std::uint64_t expirations = 0;
    if (::read(timer_.get(), &expirations, sizeof expirations) > 0) worker_->run_task();
  }));
  worker_->start();
  return {};
}

std::size_t EntropyFile::read(std::span<std::byte> into) {
  const std::size_t allowed = std::min(into.size(), budget());
  if (allowed == 0) {
    wait_for_period();
    return 0;
  }
  const ssize_t count = ::read(file_.get(), into.data(), allowed);
  if (count <= 0) {
    // An end of the file is not the end of all entropy: a FIFO's next writer may come.
    count < 0 && errno == EAGAIN ? wait_for_file() : wait_for_period();
    return 0;
  }
  used_ += static_cast<std::uint32_t>(count);
  return static_cast<std::size_t>(count);
}

std::size_t EntropyFile::budget() {
  if (config_.bytes_per_period == 0) return SIZE_MAX;
  const auto now = Clock::now();
  if (now - period_begin_ >= period(config_)) {
    period_begin_ = now;
    used_ = 0;
  }
  return config_.bytes_per_period - std::min(used_, config_.bytes_per_period);
}

// Edge-triggered: one call for what arrives after now.
void EntropyFile::wait_for_file() {
  if (waits_for_file_) return;
  auto added =
      worker_->loop().add(file_.get(), EPOLLIN | EPOLLET, [this](std::uint32_t) { worker_->run_task(); });
  waits_for_file_ = added.has_value();
  if (!added) wait_for_period();  // a file that cannot be waited for is tried again
}

void EntropyFile::wait_for_period() {
  const auto wait = std::chrono::duration_cast<std::chrono::nanoseconds>(
      config_.bytes_per_period == 0 ? std::chrono::milliseconds(1000) : period(config_));
  itimerspec when{};
  when.it_value.tv_sec = wait.count() / 1'000'000'000;
  when.it_value.tv_nsec = wait.count() % 1'000'000'000;
  ::timerfd_settime(timer_.get(), 0, &when, nullptr);
}

}  // namespace virttdx
