// SPDX-License-Identifier: GPL-2.0-or-later
// Picks the rows of the tables that fit a failure.
#include <fmt/format.h>

#include <algorithm>

#include "tdx/explain/cause_table.h"

namespace virttdx {
namespace {

bool is_tdx_command(KvmRequest request) {
  return request >= KvmRequest::TdxCapabilities && request <= KvmRequest::TdxGetCpuid;
}

bool concerns(const CauseRow& row, KvmRequest request) {
  if (request == KvmRequest::Unknown) return row.request != KvmRequest::Seamcall;
  return row.request == request || (row.request == KvmRequest::Unknown && is_tdx_command(request));
}

void add_fitting(std::vector<TdxCause>& causes, CauseRows rows, const TdxFailure& failure) {
  for (const CauseRow& row : rows)
    if (concerns(row, failure.request) && fits(failure, row.system_errno, row.status)) {
      causes.push_back(to_cause(row));
      if (row.request == KvmRequest::Unknown) causes.back().request = failure.request;
    }
}

/// The status alone, whoever met it.
std::vector<TdxCause> explain_status(const TdxFailure& failure) {
  std::vector<TdxCause> causes;
  TdxFailure met = failure;
  met.request = KvmRequest::Seamcall;
  add_fitting(causes, status_causes(), met);
  // A row's status with an operand is told by the rows of INIT_VM, which names TDH.MNG.INIT's operands.
  met.request = KvmRequest::TdxInitVm;
  if (causes.empty() && failure.request == KvmRequest::Unknown) add_fitting(causes, init_vm_causes(), met);
  for (TdxCause& cause : causes) cause.request = failure.request;
  return causes;
}

}  // namespace

bool fits(const TdxFailure& known, int system_errno, const StatusMatch& status) {
  if (known.system_errno != 0 && system_errno != 0 && known.system_errno != system_errno) return false;
  if (!known.hw_error) return true;
  if (status.mask == 0) return *known.hw_error == 0;
  return (*known.hw_error & status.mask) == status.value;
}

TdxCause to_cause(const CauseRow& row) {
  return {row.request, row.id, row.sentence, row.remedy, TdxCertainty::Possible};
}

std::vector<TdxCause> judged(std::vector<TdxCause> causes) {
  if (causes.size() == 1) causes.front().certainty = TdxCertainty::Certain;
  return causes;
}

std::vector<TdxCause> explain_tdx(const TdxFailure& failure) {
  std::vector<TdxCause> causes;
  if (failure.request == KvmRequest::Seamcall && !failure.hw_error) return causes;
  const bool has_status = failure.hw_error.value_or(0) != 0;
  for (const CauseRows rows :
       {setup_causes(), init_vm_causes(), memory_causes(), vcpu_causes(), finalize_causes(), common_causes()})
    if (failure.request != KvmRequest::Unknown || !has_status) add_fitting(causes, rows, failure);
  if (causes.empty() && has_status) causes = explain_status(failure);
  return judged(std::move(causes));
}

std::string describe_causes(std::span<const TdxCause> causes) {
  if (causes.empty()) return {};
  if (causes.front().certainty == TdxCertainty::Certain) {
    std::string text = " because";
    for (const TdxCause& cause : causes)
      text += fmt::format("{} {}; {}", &cause == causes.data() ? "" : "; also", cause.sentence, cause.remedy);
    return text;
  }
  std::string text = "; possible causes:";
  for (std::size_t i = 0; i < causes.size(); ++i)
    text += fmt::format(" ({}) {}: {}", i + 1, causes[i].sentence, causes[i].remedy);
  return text;
}

}  // namespace virttdx
