// SPDX-License-Identifier: GPL-2.0-or-later
// Errors as values: Result<T>, Error, TRY, CHECK.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace virttdx {

/// What went wrong, for a program (code, errno) and for a person (message).
/// A message names the operation, the object, the value, the cause and the remedy, on one line.
class [[nodiscard]] Error {
 public:
  enum class Code : std::uint8_t {
    InvalidArgument,    ///< the caller's value is wrong
    InvalidData,        ///< bytes from outside (file, packet, firmware, guest) are malformed
    XmlSyntax,          ///< not well-formed XML
    XmlInvalid,         ///< well-formed, but an element or attribute is missing or has a wrong value
    MissingName,        ///< an object without its name
    ConfigUnsupported,  ///< a valid configuration that this host or program cannot run
    Unsupported,        ///< an operation that is not offered
    NotFound,
    AlreadyExists,
    WrongState,  ///< the object is not in a state that allows the operation
    Busy,
    Interrupted,
    TimedOut,
    PermissionDenied,
    NoSpace,
    System,  ///< a system call failed: system_errno() says how
    Internal,
  };

  Error(Code code, std::string message, int system_errno = 0)
      : code_(code), system_errno_(system_errno), message_(std::move(message)) {}

  /// An error of a system call or ioctl. `what` names operation, object and value; errno's text is appended.
  static Error from_errno(int system_errno, std::string_view what);

  Code code() const { return code_; }
  /// The errno behind the error, 0 when there is none.
  int system_errno() const { return system_errno_; }
  const std::string& message() const { return message_; }

  /// The same error with "`context`: " before its message.
  Error with_context(std::string_view context) &&;

 private:
  Code code_;
  int system_errno_;
  std::string message_;
};

template <typename T = void>
using Result = tl::expected<T, Error>;

/// Makes a failed Result of any type: `return fail(Error::Code::NotFound, "no TDVF metadata in '{}'", path);`
template <typename... Args>
tl::unexpected<Error> fail(Error::Code code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error(code, fmt::format(format, std::forward<Args>(args)...)));
}

/// A failed Result from an errno value; the format names operation, object and value.
template <typename... Args>
tl::unexpected<Error> fail_errno(int system_errno, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(
      Error::from_errno(system_errno, fmt::format(format, std::forward<Args>(args)...)));
}

/// The value out of a success, for TRY. tl::expected<void, E> 1.0.0 has no value() for rvalues.
template <typename T>
T take_value(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// Reports a programming error and aborts. For broken invariants only, never for input.
[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace virttdx

/// The value of a Result, or return its error from the calling function. Not directly in a range-based for:
/// the value of a statement expression does not live as long as the loop.
#define TRY(expression) VIRTTDX_TRY_AS(expression, __COUNTER__)
// Each use names its variable with a number of its own, so that TRY(f(TRY(g()))) shadows nothing.
#define VIRTTDX_TRY_AS(expression, number) VIRTTDX_TRY_NAMED(expression, number)
#define VIRTTDX_TRY_NAMED(expression, number) VIRTTDX_TRY_WITH(expression, try_result_##number)
// `result` is the name being declared. NOLINTBEGIN(bugprone-macro-parentheses)
#define VIRTTDX_TRY_WITH(expression, result)                                \
  ({                                                                        \
    auto result = (expression);                                             \
    if (!result) [[unlikely]]                                               \
      return ::tl::unexpected<::virttdx::Error>(std::move(result).error()); \
    ::virttdx::take_value(std::move(result));                               \
  })
// NOLINTEND(bugprone-macro-parentheses)

#define CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::virttdx::check_failed(__FILE__, __LINE__, #condition))
