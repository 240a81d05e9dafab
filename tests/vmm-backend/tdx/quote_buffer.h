// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's GetQuote buffer: shared memory of two pages with a report in it. Offsets of GHCI's "GetQuote".
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "bus/dma.h"
#include "support/byte_order.h"

namespace virttdx::test {

class QuoteBuffer final : public DmaMemory {
 public:
  static constexpr std::uint64_t kGpa = 0x10000;
  static constexpr std::uint64_t kSize = 0x2000;
  static constexpr std::uint64_t kInFlight = ~0ULL;
  static constexpr std::uint32_t kReportSize = 1024;

  QuoteBuffer() { prepare(); }

  /// A new request in the buffer.
  void prepare() {
    set<std::uint64_t>(0, 1);
    set<std::uint64_t>(8, 0);
    set<std::uint32_t>(16, kReportSize);
    set<std::uint32_t>(20, 0);
    set<std::uint8_t>(24, 0xAB);
  }
  std::uint64_t status() { return field<std::uint64_t>(8); }
  std::string quote() {
    std::string text;
    for (std::uint32_t i = 0; i < field<std::uint32_t>(20); ++i)
      text.push_back(static_cast<char>(field<std::uint8_t>(24 + i)));
    return text;
  }

  bool read(Gpa gpa, std::span<std::byte> into) override {
    const std::lock_guard lock(mutex_);
    const auto bytes = find(gpa, into.size());
    std::ranges::copy(bytes, into.begin());
    return bytes.size() == into.size();
  }
  bool write(Gpa gpa, std::span<const std::byte> from) override {
    const std::lock_guard lock(mutex_);
    const auto bytes = find(gpa, from.size());
    if (bytes.size() == from.size()) std::ranges::copy(from, bytes.begin());
    return bytes.size() == from.size();
  }
  std::span<std::byte> map(Gpa gpa, std::size_t size) override { return find(gpa, size); }
  template <typename T>
  T field(std::size_t offset) {
    const std::lock_guard lock(mutex_);
    return load_le<T>(bytes_, offset);
  }
  template <typename T>
  void set(std::size_t offset, T value) {
    const std::lock_guard lock(mutex_);
    store_le(std::span(bytes_), offset, value);
  }

 private:
  std::span<std::byte> find(Gpa gpa, std::size_t size) {
    const GpaRange whole = *GpaRange::create({kGpa}, kSize);
    const auto wanted = GpaRange::create(gpa, size);
    if (!wanted || !whole.contains(*wanted)) return {};
    return std::span(bytes_).subspan(gpa.value - kGpa, size);
  }
  std::mutex mutex_;
  std::vector<std::byte> bytes_ = std::vector<std::byte>(kSize);
};

}  // namespace virttdx::test
