// SPDX-License-Identifier: GPL-2.0-or-later
// A log line of any bytes is not understood, or is explained by whole causes on one line.
#include <cstddef>
#include <cstdint>

#include "vmm_backend/tdx_explain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  [[maybe_unused]] const auto as_errno = virttdx::errno_of_name(line);
  [[maybe_unused]] const auto as_request = virttdx::kvm_request_of_name(line);
  const auto explained = virttdx::explain_log_line(line);
  if (!explained) return 0;
  for (const auto& cause : explained->causes)
    CHECK(!cause.id.empty() && !cause.sentence.empty() && !cause.remedy.empty());
  CHECK(virttdx::describe_causes(explained->causes).find('\n') == std::string::npos);
  [[maybe_unused]] const auto status = virttdx::describe_tdx_status(explained->failure.hw_error.value_or(0));
  return 0;
}
