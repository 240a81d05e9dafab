// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/explained.h"

#include <cerrno>

namespace virttdx {

TdxFailure failure_of(KvmRequest request, const TdxAnswer& answer) {
  return {request, -answer.answer, answer.hw_error, std::nullopt};
}

Error explained_error(std::string_view what, const TdxFailure& failure, std::span<const TdxCause> causes) {
  const bool is_certain = !causes.empty() && causes.front().certainty == TdxCertainty::Certain;
  const std::uint64_t status = failure.hw_error.value_or(0);
  std::string message = fmt::format("{}: {}", what, errno_name(failure.system_errno));
  if (status != 0) message += " with " + describe_tdx_status(status);
  message += describe_causes(causes);
  const Error::Code code = is_certain && failure.system_errno == EINVAL
                               ? Error::Code::ConfigUnsupported
                               : Error::from_errno(failure.system_errno, what).code();
  return {code, std::move(message), failure.system_errno};
}

Error with_causes(Error error) {
  const auto request = kvm_request_in(error.message());
  if (!request || error.system_errno() == 0) return error;
  const auto causes = explain_tdx({*request, error.system_errno(), 0, std::nullopt});
  return {error.code(), error.message() + describe_causes(causes), error.system_errno()};
}

}  // namespace virttdx
