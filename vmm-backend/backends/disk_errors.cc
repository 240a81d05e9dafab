// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/disk_errors.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <system_error>

#include "vmm_backend/storage_daemon.h"

namespace virttdx {
namespace {

constexpr std::array<std::string_view, 5> kKinds = {"read", "write", "flush", "discard", "write of zeroes"};

std::string file_of(const DiskConfig& config) {
  const bool is_file = config.source && config.source->protocol == DiskProtocol::File;
  return is_file && needs_storage_daemon(config) ? config.source->path : std::string();
}

}  // namespace

DiskErrors::DiskErrors(const DiskConfig& config, Observer observer)
    : id_(config.id),
      target_(config.target),
      file_(file_of(config)),
      on_read_(config.on_read_error),
      on_write_(config.on_write_error),
      observer_(std::move(observer)) {}

// A storage daemon says no more than that it failed: then the file system is asked.
bool DiskErrors::has_no_space(const BlockOperation& operation, int error) const {
  if (error == ENOSPC || error == EDQUOT) return true;
  if (error != EIO || file_.empty() || operation.kind == BlockOperation::Kind::Read) return false;
  struct statvfs system {};
  return ::statvfs(file_.c_str(), &system) == 0 && system.f_bavail * system.f_frsize < operation.size;
}

IoErrorAction DiskErrors::decide(const BlockOperation& operation, int error) {
  const auto policy = operation.kind == BlockOperation::Kind::Read ? on_read_ : on_write_;
  const bool no_space = has_no_space(operation, error);
  auto action = IoErrorAction::Report;
  if (policy == DiskErrorPolicy::Ignore) action = IoErrorAction::Ignore;
  if (policy == DiskErrorPolicy::Stop || (policy == DiskErrorPolicy::EnospaceStop && no_space))
    action = IoErrorAction::Stop;
  if (action == IoErrorAction::Stop) status_ = no_space ? DiskIoStatus::NoSpace : DiskIoStatus::Failed;
  tell(action, operation, error, no_space);
  return action;
}

void DiskErrors::tell(IoErrorAction action, const BlockOperation& operation, int error, bool no_space) {
  auto& telling = is_telling_.at(static_cast<std::size_t>(action));
  if (!observer_ || telling.exchange(true)) return;
  auto message = fmt::format("disk '{}': a {} of {} bytes at {} failed: {}", target_,
                             kKinds.at(static_cast<std::size_t>(operation.kind)), operation.size,
                             operation.offset, std::generic_category().message(error));
  observer_({.kind = MonitorEventKind::IoError,
             .message = std::move(message),
             .device = id_,
             .io_error = IoError{action, no_space}},
            [&telling] { telling = false; });
}

}  // namespace virttdx
