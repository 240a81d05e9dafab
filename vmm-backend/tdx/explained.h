// SPDX-License-Identifier: GPL-2.0-or-later
// Errors of KVM's requests with their causes.
#pragma once

#include <span>
#include <string_view>

#include "kvm/kvm.h"
#include "support/result.h"
#include "vmm_backend/tdx_explain.h"

namespace virttdx {

/// What a TDX command answered, for explain_tdx().
TdxFailure failure_of(KvmRequest request, const TdxAnswer& answer);

/// "`what`: EINVAL with TDX_OPERAND_INVALID, operand XFAM (0x...) because ...". Code ConfigUnsupported where
/// the configuration is certainly to blame.
Error explained_error(std::string_view what, const TdxFailure& failure, std::span<const TdxCause> causes);

/// The error of another request of KVM, which its message names, with the causes that its errno can have.
Error with_causes(Error error);

template <typename T>
Result<T> explained(Result<T> result) {
  if (!result) return tl::unexpected<Error>(with_causes(std::move(result).error()));
  return result;
}

}  // namespace virttdx
