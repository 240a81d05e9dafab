// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the failed request in a line of a log.
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "tdx/explain/log_symptoms.h"
#include "tdx/explain/names.h"
#include "vmm_backend/tdx_explain.h"

namespace virttdx {
namespace {

constexpr std::size_t kLongestLine = 64 << 10;
/// A status has its error, class and details in bits 63:32.
constexpr std::uint64_t kSmallestStatus = std::uint64_t{1} << 32;

/// The number at the start of `text`, "0x..." or decimal.
std::optional<std::uint64_t> number_at(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, is_hex ? 16 : 10);
  if (status != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

/// What follows `word` in `text`, without spaces, "(", "=" and ":"; empty when there is none.
std::string_view after(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + word.size());
  const std::size_t start = text.find_first_not_of(" (=:");
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

template <typename Accept>
std::optional<std::uint64_t> first_hex_number(std::string_view text, Accept accept) {
  for (std::size_t at = text.find("0x"); at != std::string_view::npos; at = text.find("0x", at + 2))
    if (const auto value = number_at(text.substr(at)); value && accept(*value)) return value;
  return std::nullopt;
}

std::optional<TdxFailure> seamcall_failure(std::string_view text) {
  TdxFailure failure;
  failure.request = KvmRequest::Seamcall;
  const std::size_t failed = text.find("failed");
  if (failed == std::string_view::npos) return std::nullopt;
  // Older kernels: "SEAMCALL failed: CPU 94: leaf 33, error 0xc000092100000122."
  failure.hw_error =
      first_hex_number(text.substr(failed), [](std::uint64_t value) { return value >= kSmallestStatus; });
  if (!failure.hw_error) return std::nullopt;
  const std::string_view leaf = after(text.substr(0, failed), "SEAMCALL");
  failure.seamcall = seamcall_of_name(leaf.substr(0, leaf.find(' ')));
  if (!failure.seamcall) failure.seamcall = number_at(leaf.empty() ? after(text, "leaf") : leaf);
  return failure;
}

struct FoundErrno {
  std::size_t at = std::string_view::npos;
  std::size_t length = 0;
  int value = 0;
};

// Of two texts at one place the longer one: "No such device" begins "No such device or address".
void keep_first(FoundErrno& found, std::size_t at, std::size_t length, int value) {
  if (at < found.at || (at == found.at && at != std::string_view::npos && length > found.length))
    found = {at, length, value};
}

/// By name ("EINVAL"), in words ("Invalid argument"), or as a number: "errno 22", "(22)", "(-22)".
int errno_in(std::string_view text) {
  FoundErrno found;
  for (int value = 1; value <= EHWPOISON; ++value) {
    const char* const name = strerrorname_np(value);
    const char* const words = strerrordesc_np(value);
    if (name == nullptr || words == nullptr) continue;
    keep_first(found, find_word(text, name), std::strlen(name), value);
    keep_first(found, text.find(words), std::strlen(words), value);
  }
  if (found.value != 0) return found.value;
  if (const auto named = number_at(after(text, "errno")); named && *named > 0 && *named <= EHWPOISON)
    return static_cast<int>(*named);
  for (std::size_t at = text.find('('); at != std::string_view::npos; at = text.find('(', at + 1)) {
    const std::string_view inside = text.substr(at + 1, text.find(')', at) - at - 1);
    if (const auto value = errno_of_name(inside);
        value && !inside.empty() && !std::isalpha(inside.front() & 0x7F))
      return *value;
  }
  return 0;
}

std::optional<std::uint64_t> hw_error_in(std::string_view text) {
  const std::string_view named = after(text, "hw_error");
  return named.empty() ? first_hex_number(text, is_tdx_status) : number_at(named);
}

// virttdx's own lines carry an explanation already (describe_causes()), which names other errnos and
// statuses.
constexpr std::string_view kBecause = " because ", kPossibleCauses = "; possible causes:";

std::string_view without_explanation(std::string_view text) {
  return text.substr(0, std::min(text.find(kBecause), text.find(kPossibleCauses)));
}

/// What stands after "because": the monitor knew the configuration, so that it knew better than the tables
/// do.
std::vector<TdxCause> told_causes(std::string_view line, KvmRequest request) {
  constexpr std::string_view kAlso = "; also ", kRemedy = "; ";
  std::vector<TdxCause> causes;
  const std::size_t at = line.find(kBecause);
  std::string_view rest =
      at == std::string_view::npos ? std::string_view() : line.substr(at + kBecause.size());
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(kAlso));
    rest.remove_prefix(std::min(part.size() + kAlso.size(), rest.size()));
    const std::size_t remedy = part.find(kRemedy);
    if (remedy == 0 || remedy == std::string_view::npos || remedy + kRemedy.size() == part.size()) return {};
    causes.push_back({request, "log.told", std::string(part.substr(0, remedy)),
                      std::string(part.substr(remedy + kRemedy.size())), TdxCertainty::Certain});
  }
  return causes;
}

std::optional<TdxFailure> failure_in(std::string_view line) {
  constexpr std::string_view kQemuOpen = "Could not access KVM kernel module";
  const std::string_view text = without_explanation(line);
  TdxFailure failure;
  if (const auto request = kvm_request_in(text))
    failure.request = *request;
  else if (text.find(kQemuOpen) != std::string_view::npos)
    failure.request = KvmRequest::OpenKvm;
  else
    return std::nullopt;
  if (failure.request == KvmRequest::Seamcall)
    return seamcall_failure(text.substr(find_word(text, "SEAMCALL")));
  failure.system_errno = errno_in(text);
  failure.hw_error = hw_error_in(text);
  // Our own lines name a status when there is one.
  if (!failure.hw_error && text.size() != line.size()) failure.hw_error = 0;
  if (failure.system_errno == 0 && failure.hw_error.value_or(0) == 0) return std::nullopt;
  return failure;
}

}  // namespace

std::optional<ExplainedLine> explain_log_line(std::string_view line) {
  line = line.substr(0, std::min(kLongestLine, line.find_first_of("\r\n")));
  if (const auto symptom = symptom_in(without_explanation(line))) {
    ExplainedLine explained;
    explained.failure.request = symptom->request;
    explained.causes.push_back(*symptom);
    return explained;
  }
  const auto failure = failure_in(line);
  if (!failure) return std::nullopt;
  auto causes = told_causes(line, failure->request);
  if (causes.empty()) causes = explain_tdx(*failure);
  return ExplainedLine{*failure, std::move(causes)};
}

}  // namespace virttdx
