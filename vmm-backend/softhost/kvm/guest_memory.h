// SPDX-License-Identifier: GPL-2.0-or-later
// Host memory behind one guest_memfd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace virttdx::softhost {

/// Zeroed memory of a fixed size that is never mapped by, or readable through, the descriptor that the
/// monitor holds. Bindings are guarded by the VM's memory lock; the memory itself stays until the object's
/// end.
class GuestMemory {
 public:
  /// Null when the address space does not suffice. `size` is a multiple of the page size.
  static std::shared_ptr<GuestMemory> create(std::uint64_t size);
  ~GuestMemory();
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;

  std::uint64_t size() const { return size_; }
  /// `offset` is less than size().
  std::byte* at(std::uint64_t offset) const { return base_ + offset; }
  /// Gives the pages of a range inside the memory back: they read as zero from now on.
  void discard(std::uint64_t offset, std::uint64_t size);

  /// Binds [offset, offset + size) to a memory slot; false when part of it is bound already.
  bool bind(std::uint64_t offset, std::uint64_t size);
  void unbind(std::uint64_t offset);
  /// The monitor's descriptor was closed: no new page comes out of this memory.
  void close() { closed_ = true; }
  bool closed() const { return closed_; }

 private:
  struct Binding {
    std::uint64_t offset;
    std::uint64_t size;
  };
  GuestMemory(std::byte* base, std::uint64_t size) : base_(base), size_(size) {}
  std::byte* base_;
  std::uint64_t size_;
  std::vector<Binding> bindings_;
  bool closed_ = false;
};

}  // namespace virttdx::softhost
