// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/disk_limiter.h"

#include <algorithm>
#include <cmath>

namespace virttdx {
namespace {

constexpr double kNanoseconds = 1e9;
// Without a maximum, what fits into this part of a second begins at once.
constexpr double kGrace = 0.1;

bool is_read(const BlockOperation& operation) { return operation.kind == BlockOperation::Kind::Read; }

}  // namespace

void DiskLimiter::Bucket::drain(double seconds) {
  level = std::max(level - static_cast<double>(rate.per_second) * seconds, 0.0);
  burst_level = std::max(burst_level - static_cast<double>(rate.maximum) * seconds, 0.0);
}

double DiskLimiter::Bucket::seconds_to_wait() const {
  const auto average = static_cast<double>(rate.per_second), maximum = static_cast<double>(rate.maximum);
  if (rate.per_second == 0) return 0;
  const auto burst_seconds = static_cast<double>(std::max<std::uint64_t>(rate.maximum_seconds, 1));
  const double size = rate.maximum == 0 ? average * kGrace : maximum * burst_seconds;
  if (level > size) return (level - size) / average;
  if (rate.maximum != 0 && rate.maximum_seconds > 1 && burst_level > maximum * kGrace)
    return (burst_level - maximum * kGrace) / maximum;
  return 0;
}

void DiskLimiter::Bucket::fill(double units) {
  level += units;
  if (rate.maximum_seconds > 1) burst_level += units;
}

void DiskLimiter::set(const DiskLimits& limits) {
  const std::lock_guard lock(mutex_);
  const std::array rates = {limits.total_bytes,    limits.read_bytes,    limits.write_bytes,
                            limits.total_requests, limits.read_requests, limits.write_requests};
  for (std::size_t i = 0; i < rates.size(); ++i) buckets_[i] = {.rate = rates[i]};
  request_unit_bytes_ = limits.request_unit_bytes;
  drained_ns_ = 0;
  is_limited_ = std::ranges::any_of(rates, [](const DiskRate& rate) { return rate.per_second != 0; });
}

double DiskLimiter::units(Index index, const BlockOperation& operation) const {
  const bool is_other_direction = is_read(operation) ? index == kWriteBytes || index == kWriteRequests
                                                     : index == kReadBytes || index == kReadRequests;
  if (is_other_direction) return 0;
  const auto bytes = static_cast<double>(operation.size);
  if (index <= kWriteBytes) return bytes;
  return request_unit_bytes_ == 0 ? 1 : std::max(bytes / static_cast<double>(request_unit_bytes_), 1.0);
}

std::uint64_t DiskLimiter::admit(const BlockOperation& operation, std::uint64_t now_ns) {
  if (!is_limited_ || operation.kind == BlockOperation::Kind::Flush) return 0;
  const std::lock_guard lock(mutex_);
  const std::uint64_t since = drained_ns_ == 0 || now_ns < drained_ns_ ? 0 : now_ns - drained_ns_;
  drained_ns_ = std::max(now_ns, drained_ns_);
  double wait = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    buckets_[i].drain(static_cast<double>(since) / kNanoseconds);
    if (units(static_cast<Index>(i), operation) > 0) wait = std::max(wait, buckets_[i].seconds_to_wait());
  }
  // A second at most: limits may change meanwhile, and the caller asks again.
  if (wait > 0) return static_cast<std::uint64_t>(std::ceil(std::min(wait, 1.0) * kNanoseconds));
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i].fill(units(static_cast<Index>(i), operation));
  return 0;
}

}  // namespace virttdx
