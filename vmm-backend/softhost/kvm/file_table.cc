// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/file_table.h"

#include <cerrno>
#include <utility>

namespace virttdx::softhost {

int File::punch_hole(std::uint64_t /*offset*/, std::uint64_t /*size*/) { return -EOPNOTSUPP; }
int File::pread(std::span<std::byte> /*to*/, std::uint64_t /*offset*/) { return -EINVAL; }

int FileTable::insert(UniqueFd fd, std::shared_ptr<File> file) {
  const int number = fd.get();
  const std::lock_guard guard(mutex_);
  entries_[number] = Entry{std::move(fd), std::move(file)};
  return number;
}

std::shared_ptr<File> FileTable::find(int fd) const {
  const std::lock_guard guard(mutex_);
  const auto entry = entries_.find(fd);
  return entry == entries_.end() ? nullptr : entry->second.file;
}

int FileTable::close(int fd) {
  Entry closed;
  {
    const std::lock_guard guard(mutex_);
    const auto entry = entries_.find(fd);
    if (entry == entries_.end()) return -EBADF;
    closed = std::move(entry->second);
    entries_.erase(entry);
  }
  return 0;  // the file's destructor may take locks of its own, so it runs outside of ours
}

}  // namespace virttdx::softhost
