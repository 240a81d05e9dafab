// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/run_page.h"

#include <sys/mman.h>

#include <utility>

namespace virttdx::softhost {

std::optional<RunPage> RunPage::map(int fd) {
  void* const base = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return std::nullopt;
  return RunPage(static_cast<std::byte*>(base));
}

RunPage::RunPage(RunPage&& other) noexcept : base_(std::exchange(other.base_, nullptr)) {}

RunPage::~RunPage() {
  if (base_ != nullptr) munmap(base_, kSize);
}

// SAFETY: the mapping is page-aligned and longer than the structure, which is plain data.
kvm::kvm_run& RunPage::header() const { return *reinterpret_cast<kvm::kvm_run*>(base_); }

std::span<std::byte, 4096> RunPage::io_data() const {
  return std::span<std::byte, 4096>(base_ + kIoDataOffset, 4096);
}

bool RunPage::immediate_exit() const {
  return __atomic_load_n(&header().immediate_exit, __ATOMIC_RELAXED) != 0;
}

}  // namespace virttdx::softhost
