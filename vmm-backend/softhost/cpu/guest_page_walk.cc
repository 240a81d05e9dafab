// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/guest_page_walk.h"

#include <atomic>

#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

namespace {

constexpr std::uint64_t kEntryPresent = 1, kEntryWrite = 2, kEntryUser = 4, kEntryAccessed = 0x20,
                        kEntryDirty = 0x40, kEntryLarge = 0x80, kEntryNoExecute = 1ULL << 63;
constexpr std::uint64_t kAddressMask = 0x000ffffffffff000ULL;
constexpr std::uint64_t kPageMask = 0xfff;

/// What distinguishes the four kinds of page tables.
struct Format {
  unsigned levels;
  unsigned index_bits;  ///< of one level
  unsigned entry_size;
};

Format format_of(const PagingState& state) {
  if (!(state.cr4 & cr4::kPae)) return {2, 10, 4};
  if (!(state.efer & efer::kLma)) return {3, 9, 8};
  return {(state.cr4 & cr4::kLa57) ? 5U : 4U, 9, 8};
}

class Walk {
 public:
  Walk(const PagingState& state, std::uint64_t linear, AccessKind access, PageSource& pages)
      : state_(state), linear_(linear), access_(access), pages_(pages), format_(format_of(state)) {}

  Translation run() {
    std::uint64_t table = state_.cr3 & (format_.entry_size == 4 ? 0xfffff000ULL : kAddressMask);
    if (format_.levels == 3) table = state_.cr3 & 0xffffffe0ULL;
    for (unsigned level = format_.levels; level > 0; --level) {
      if (!read_entry(table, level)) return result_;
      if (!(entry_ & kEntryPresent)) return fault(0);
      if (has_reserved_bits(level)) return fault(page_fault::kPresent | page_fault::kReserved);
      collect_rights(level);
      if (is_leaf(level)) return finish(level);
      set_entry_bits(kEntryAccessed, level);
      table = entry_ & kAddressMask;
    }
    return fault(0);
  }

 private:
  unsigned shift(unsigned level) const { return 12 + (level - 1) * format_.index_bits; }
  bool is_legacy_pdpte(unsigned level) const { return format_.levels == 3 && level == 3; }
  bool no_execute_enabled() const { return state_.efer & efer::kNxe && format_.entry_size == 8; }

  bool read_entry(std::uint64_t table, unsigned level) {
    const unsigned bits = is_legacy_pdpte(level) ? 2 : format_.index_bits;
    const std::uint64_t index = (linear_ >> shift(level)) & ((1ULL << bits) - 1);
    const std::uint64_t gpa = table + index * format_.entry_size;
    const PageAnswer answer = pages_.page(gpa & ~kPageMask, AccessKind::Read);
    if (answer.kind == PageAnswer::Kind::Rsvd) {
      result_ = fault(page_fault::kPresent | page_fault::kReserved);
      return false;
    }
    if (answer.kind != PageAnswer::Kind::Memory) {
      result_.kind = Translation::Kind::NoMemory;
      result_.of_page_table = true;
      result_.gpa = gpa;
      result_.answer = answer;
      return false;
    }
    changes_ = pages_.changes();
    host_entry_ = answer.writable ? answer.host + (gpa & kPageMask) : nullptr;
    std::byte* const at = answer.host + (gpa & kPageMask);
    entry_ = format_.entry_size == 4 ? load<std::uint32_t>(at) : load<std::uint64_t>(at);
    return true;
  }

  // Entries are aligned to their size: another CPU may set bits of this one at the same time.
  template <typename Entry>
  static Entry load(std::byte* at) {
    return std::atomic_ref<Entry>(*reinterpret_cast<Entry*>(at)).load(std::memory_order_relaxed);
  }

  bool is_leaf(unsigned level) const {
    if (level == 1) return true;
    if (!(entry_ & kEntryLarge)) return false;
    if (format_.entry_size == 4) return level == 2 && (state_.cr4 & cr4::kPse);
    return level == 2 || (level == 3 && format_.levels >= 4);
  }

  bool has_reserved_bits(unsigned level) const {
    if (format_.entry_size == 4) return is_leaf(level) && level == 2 && (entry_ & (1U << 21));
    if (is_legacy_pdpte(level)) return entry_ & 0xfff00000000001e6ULL;
    if ((entry_ & kEntryNoExecute) && !no_execute_enabled()) return true;
    if (level >= 4) return entry_ & kEntryLarge;
    if (level > 1 && is_leaf(level)) return entry_ & (((1ULL << shift(level)) - 1) & ~0x1fffULL);
    return false;
  }

  void collect_rights(unsigned level) {
    if (is_legacy_pdpte(level)) return;
    writable_ = writable_ && (entry_ & kEntryWrite);
    user_ = user_ && (entry_ & kEntryUser);
    no_execute_ = no_execute_ || ((entry_ & kEntryNoExecute) && no_execute_enabled());
  }

  bool may_read() const {
    if (state_.user) return user_;
    return !(user_ && (state_.cr4 & cr4::kSmap) && !state_.alignment_check);
  }
  bool may_write() const {
    if (!may_read()) return false;
    return writable_ || (!state_.user && !(state_.cr0 & cr0::kWp));
  }
  bool may_execute() const {
    if (no_execute_) return false;
    return state_.user ? user_ : !(user_ && (state_.cr4 & cr4::kSmep));
  }
  bool allowed() const {
    switch (access_) {
      case AccessKind::Read:
        return may_read();
      case AccessKind::Write:
        return may_write();
      case AccessKind::Execute:
        return may_execute();
    }
    return false;
  }

  Translation finish(unsigned level) {
    if (!allowed()) return fault(page_fault::kPresent);
    const std::uint64_t offset_mask = (1ULL << shift(level)) - 1;
    std::uint64_t base = entry_ & kAddressMask & ~offset_mask;
    // PSE-36: bits 39:32 of a 4 MiB page lie in bits 20:13 of its entry.
    if (format_.entry_size == 4) {
      base &= 0xffffffffULL;
      if (level == 2) base |= ((entry_ >> 13) & 0xff) << 32;
    }
    const std::uint64_t gpa = base | (linear_ & offset_mask);
    result_.gpa = gpa;
    result_.answer = pages_.page(gpa & ~kPageMask, access_);
    if (pages_.changes() != changes_) return Walk(state_, linear_, access_, pages_).run();
    if (result_.answer.kind == PageAnswer::Kind::Rsvd)
      return fault(page_fault::kPresent | page_fault::kReserved);
    const bool write = access_ == AccessKind::Write;
    if (result_.answer.kind == PageAnswer::Kind::Memory && write && !result_.answer.writable)
      result_.answer.kind = PageAnswer::Kind::Mmio;
    if (result_.answer.kind != PageAnswer::Kind::Memory) {
      result_.kind = Translation::Kind::NoMemory;
      return result_;
    }
    set_entry_bits(kEntryAccessed | (write ? kEntryDirty : 0), level);
    result_.kind = Translation::Kind::Page;
    result_.readable = may_read();
    result_.writable = may_write() && (entry_ & kEntryDirty) && result_.answer.writable;
    result_.executable = may_execute();
    return result_;
  }

  /// The other CPUs of the guest update the same entries: only atomic OR is right.
  void set_entry_bits(std::uint64_t bits, unsigned level) {
    if (is_legacy_pdpte(level) || (entry_ & bits) == bits || !host_entry_) return;
    entry_ |= bits;
    if (format_.entry_size == 4) {
      std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(host_entry_))
          .fetch_or(static_cast<std::uint32_t>(bits));
      return;
    }
    std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(host_entry_)).fetch_or(bits);
  }

  Translation fault(std::uint32_t error_code) const {
    Translation translation;
    translation.kind = Translation::Kind::PageFault;
    if (access_ == AccessKind::Write) error_code |= page_fault::kWrite;
    if (state_.user) error_code |= page_fault::kUser;
    const bool fetch_is_told = no_execute_enabled() || (state_.cr4 & cr4::kSmep);
    if (access_ == AccessKind::Execute && fetch_is_told) error_code |= page_fault::kFetch;
    translation.error_code = error_code;
    return translation;
  }

  const PagingState& state_;
  std::uint64_t linear_;
  AccessKind access_;
  PageSource& pages_;
  Format format_;
  std::uint64_t entry_ = 0;
  std::byte* host_entry_ = nullptr;
  std::uint64_t changes_ = pages_.changes();  ///< when the walk began: host_entry_ holds as long as it does
  bool writable_ = true, user_ = true, no_execute_ = false;
  Translation result_;
};

Translation untranslated(std::uint64_t linear, AccessKind access, PageSource& pages) {
  Translation translation;
  translation.gpa = linear;
  translation.answer = pages.page(linear & ~kPageMask, access);
  const bool is_memory = translation.answer.kind == PageAnswer::Kind::Memory;
  const bool write_refused = access == AccessKind::Write && !translation.answer.writable;
  if (is_memory && write_refused) translation.answer.kind = PageAnswer::Kind::Mmio;
  const bool usable = is_memory && !write_refused;
  translation.kind = usable ? Translation::Kind::Page : Translation::Kind::NoMemory;
  translation.readable = translation.executable = usable;
  translation.writable = usable && translation.answer.writable;
  return translation;
}

}  // namespace

bool is_canonical(const PagingState& state, std::uint64_t linear) {
  if (!(state.efer & efer::kLma)) return true;
  const unsigned bits = (state.cr4 & cr4::kLa57) ? 57 : 48;
  const auto sign_extended = static_cast<std::int64_t>(linear << (64 - bits)) >> (64 - bits);
  return static_cast<std::uint64_t>(sign_extended) == linear;
}

Translation translate(const PagingState& state, std::uint64_t linear, AccessKind access, PageSource& pages) {
  if (!(state.cr0 & cr0::kPg)) return untranslated(linear & 0xffffffffULL, access, pages);
  if (!is_canonical(state, linear)) {
    Translation refused;
    refused.kind = Translation::Kind::NotCanonical;
    return refused;
  }
  return Walk(state, linear, access, pages).run();
}

}  // namespace virttdx::softhost
