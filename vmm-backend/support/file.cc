// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "support/unique_fd.h"

namespace virttdx {
namespace {

Result<UniqueFd> open_file(const std::filesystem::path& path, int flags, mode_t mode = 0) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) return fail_errno(errno, "cannot open '{}'", path.string());
  return fd;
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.parent_path().empty() ? std::filesystem::path(".") : path.parent_path();
}

Result<> write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "cannot write '{}'", path.string());
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> write_and_sync(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  const UniqueFd fd = TRY(open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
  if (::fchmod(fd.get(), mode) != 0) return fail_errno(errno, "cannot set the mode of '{}'", path.string());
  TRY(write_all(fd.get(), content, path));
  if (::fsync(fd.get()) != 0) return fail_errno(errno, "cannot sync '{}'", path.string());
  return {};
}

Result<std::size_t> size_of(int fd, const std::filesystem::path& path, std::size_t maximum_size) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return fail_errno(errno, "cannot examine '{}'", path.string());
  if (!S_ISREG(status.st_mode))
    return fail(Error::Code::InvalidArgument, "'{}' is not a regular file", path.string());
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > maximum_size)
    return fail(Error::Code::InvalidData, "'{}' has {} bytes; at most {} are accepted", path.string(), size,
                maximum_size);
  return size;
}

}  // namespace

Result<std::vector<std::byte>> read_file(const std::filesystem::path& path, std::size_t maximum_size) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY | O_NONBLOCK));
  std::vector<std::byte> content(TRY(size_of(fd.get(), path, maximum_size)));
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = ::read(fd.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, "cannot read '{}'", path.string());
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  content.resize(done);
  return content;
}

Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t maximum_size) {
  const auto content = TRY(read_file(path, maximum_size));
  std::string text(content.size(), '\0');
  if (!content.empty()) std::memcpy(text.data(), content.data(), content.size());
  return text;
}

Result<> replace_file(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  auto temporary = path;
  temporary += kUnfinishedSuffix;
  if (auto written = write_and_sync(temporary, content, mode); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    return fail_errno(reason, "cannot rename '{}' to '{}'", temporary.string(), path.string());
  }
  return {};
}

Result<bool> unlink_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_errno(errno, "cannot remove '{}'", path.string());
}

Result<> sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd = TRY(open_file(directory, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return fail_errno(errno, "cannot sync directory '{}'", directory.string());
  return {};
}

Result<> write_file_atomically(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  TRY(replace_file(path, content, mode));
  return sync_directory(directory_of(path));
}

Result<> remove_file(const std::filesystem::path& path) {
  return TRY(unlink_file(path)) ? sync_directory(directory_of(path)) : Result<>();
}

}  // namespace virttdx
