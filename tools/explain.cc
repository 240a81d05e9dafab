// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx explain: what a failed request of KVM's TDX ABI means; the monitor's own tables.
#include "vmm_backend/tdx_explain.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "command.h"

namespace virttdx::tools {
namespace {

constexpr std::size_t kLineMaximum = 64 << 10;
/// The TDX module's statuses have their class above bit 31, errnos are small.
constexpr std::uint64_t kSmallestStatus = std::uint64_t{1} << 32;

struct Explanation {
  std::string line;  ///< of a log; empty when the failure came by arguments
  TdxFailure failure;
  std::vector<TdxCause> causes;
};

std::optional<std::uint64_t> hex_number(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return std::nullopt;
  std::uint64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, status] = std::from_chars(text.data() + 2, last, value, 16);
  if (status != std::errc() || end != last) return std::nullopt;
  return value;
}

Result<std::uint64_t> status_argument(const std::string& text) {
  if (text == "0") return 0;
  if (const auto value = hex_number(text)) return *value;
  return fail(Error::Code::InvalidArgument, "HW_ERROR '{}' is no hexadecimal number like 0xc000010000000041",
              text);
}

Result<int> errno_argument(const std::string& text) {
  if (const auto value = errno_of_name(text)) return *value;
  return fail(Error::Code::InvalidArgument, "ERRNO '{}' is no errno like EINVAL or 22", text);
}

Result<TdxFailure> failure_of_arguments(const CommandLine& line) {
  TdxFailure failure;
  const auto request = line.option("ioctl").toStdString();
  if (!request.empty()) {
    const auto known = kvm_request_of_name(request);
    if (!known)
      return fail(Error::Code::InvalidArgument, "--ioctl '{}' is not known; see the manual page", request);
    failure.request = *known;
  }
  const auto first = line.argument(0).toStdString();
  const auto second = line.argument(1).toStdString();
  if (const auto status = hex_number(first); status && *status >= kSmallestStatus && second.empty()) {
    failure.hw_error = *status;
    return failure;
  }
  failure.system_errno = TRY(errno_argument(first));
  if (!second.empty()) failure.hw_error = TRY(status_argument(second));
  return failure;
}

Explanation explain_line(std::string_view line) {
  auto explained = explain_log_line(line);
  if (!explained) return {std::string(line), {}, {}};
  return {std::string(line), explained->failure, std::move(explained->causes)};
}

/// The lines of standard input that tell of a failure.
std::vector<Explanation> explain_input() {
  std::vector<Explanation> explanations;
  std::array<char, kLineMaximum> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), stdin) != nullptr) {
    std::string_view line = buffer.data();
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    auto explanation = explain_line(line);
    if (explanation.failure != TdxFailure{} || !explanation.causes.empty())
      explanations.push_back(std::move(explanation));
  }
  return explanations;
}

Result<std::vector<Explanation>> explanations_of(const CommandLine& line) {
  const bool has_log = line.is_set("log");
  if (has_log ? line.argument_count() != 0 || line.is_set("ioctl") : line.argument_count() == 0)
    return fail(Error::Code::InvalidArgument,
                "give one of ERRNO, '--log LINE' and '-'; see 'virt-tdx explain --help'");
  if (has_log) return std::vector{explain_line(line.option("log").toStdString())};
  if (line.argument(0) == "-") return explain_input();
  const auto failure = TRY(failure_of_arguments(line));
  return std::vector{Explanation{{}, failure, explain_tdx(failure)}};
}

void print_failure(const TdxFailure& failure) {
  if (failure.request != KvmRequest::Unknown)
    print(fmt::format("{}{}\n", kvm_request_name(failure.request),
                      failure.seamcall ? " " + seamcall_name(*failure.seamcall) : ""));
  if (failure.system_errno != 0)
    print(fmt::format("{}: {}\n", errno_name(failure.system_errno), strerrordesc_np(failure.system_errno)));
  if (failure.hw_error.value_or(0) != 0) print(describe_tdx_status(*failure.hw_error) + "\n");
}

void print_text(const Explanation& explanation) {
  if (!explanation.line.empty()) print(printable(explanation.line) + "\n");
  print_failure(explanation.failure);
  if (explanation.causes.empty()) print("no cause known\n");
  for (const auto& cause : explanation.causes)
    print(fmt::format("  {} [{}]: {}\n    remedy: {}\n",
                      cause.certainty == TdxCertainty::Certain ? "cause" : "possible cause", cause.id,
                      printable(cause.sentence), printable(cause.remedy)));
}

nlohmann::json to_json(const Explanation& explanation) {
  const auto& failure = explanation.failure;
  auto json = nlohmann::json::object();
  if (!explanation.line.empty()) json["line"] = explanation.line;
  if (failure.request != KvmRequest::Unknown) json["request"] = kvm_request_name(failure.request);
  if (failure.system_errno != 0) json["errno"] = errno_name(failure.system_errno);
  if (failure.hw_error) json["hw_error"] = hex_text(*failure.hw_error);
  if (failure.hw_error.value_or(0) != 0) json["status"] = describe_tdx_status(*failure.hw_error);
  if (failure.seamcall) json["seamcall"] = seamcall_name(*failure.seamcall);
  json["causes"] = nlohmann::json::array();
  for (const auto& cause : explanation.causes)
    json["causes"].push_back(
        {{"id", cause.id},
         {"request", kvm_request_name(cause.request)},
         {"sentence", cause.sentence},
         {"remedy", cause.remedy},
         {"certainty", cause.certainty == TdxCertainty::Certain ? "certain" : "possible"}});
  return json;
}

void print_all(const std::vector<Explanation>& explanations, bool as_json) {
  auto list = nlohmann::json::array();
  for (const auto& explanation : explanations) {
    if (as_json)
      list.push_back(to_json(explanation));
    else
      print_text(explanation);
  }
  if (as_json) print_json(nlohmann::json{{"explanations", std::move(list)}});
}

}  // namespace

Result<ExitCode> run_explain(const QStringList& words) {
  CommandLine line(
      "Says why a request of KVM's TDX ABI failed, and what to do. Exit status 1: no cause is known.\n"
      "'-' instead of ERRNO reads log lines from standard input.");
  line.add_argument("ERRNO", "Name or number; or a status of the TDX module (0xc0...) alone.");
  line.add_argument("[HW_ERROR]",
                    "The TDX module's status (kvm_tdx_cmd's hw_error), hexadecimal; 0: none came.");
  line.add_option("ioctl", "NAME", "The request, e.g. KVM_TDX_INIT_VM or INIT_VM.");
  line.add_option("log", "LINE", "A line of a log instead: virttdx's, QEMU's or the kernel's.");
  if (!TRY(line.parse(words, 0, 2))) return kOk;
  const auto explanations = TRY(explanations_of(line));
  print_all(explanations, line.wants_json());
  for (const auto& explanation : explanations)
    if (!explanation.causes.empty()) return kOk;
  return kFindings;
}

}  // namespace virttdx::tools
