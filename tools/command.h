// SPDX-License-Identifier: GPL-2.0-or-later
// What a sub-command of virt-tdx is, and what all of them share.
#pragma once

#include <QCommandLineParser>
#include <QStringList>
#include <nlohmann/json.hpp>
#include <string_view>

#include "support/result.h"
#include "vmm_backend/vm_config.h"

namespace virttdx::tools {

/// Exit codes of every sub-command.
enum ExitCode : int {
  kOk = 0,
  kFindings = 1,  ///< it worked, and there is something to look at
  kError = 2,     ///< wrong usage, or it could not be done; of check: the domain would not start
};

/// `words` starts with "virt-tdx NAME". Returns an exit code or an error, which is printed for it.
using CommandFunction = Result<ExitCode> (*)(const QStringList& words);

Result<ExitCode> run_check(const QStringList& words);
Result<ExitCode> run_cpuid(const QStringList& words);
Result<ExitCode> run_explain(const QStringList& words);
Result<ExitCode> run_firmware(const QStringList& words);
Result<ExitCode> run_hob(const QStringList& words);
Result<ExitCode> run_host(const QStringList& words);
Result<ExitCode> run_measure(const QStringList& words);
Result<ExitCode> run_qgs_sim(const QStringList& words);
Result<ExitCode> run_run(const QStringList& words);
Result<ExitCode> run_trace(const QStringList& words);

/// A sub-command's command line: --help and --json are there already.
class CommandLine {
 public:
  explicit CommandLine(const char* description);
  void add_argument(const char* name, const char* description);
  void add_option(const char* name, const char* value, const char* description);
  void add_flag(const char* name, const char* description);
  /// Error InvalidArgument: unknown option, or not `minimum` to `maximum` arguments. When --help was asked
  /// for, prints it and returns false.
  Result<bool> parse(const QStringList& words, qsizetype minimum, qsizetype maximum);

  bool wants_json() const { return parser_.isSet("json"); }
  bool is_set(const char* name) const { return parser_.isSet(name); }
  qsizetype argument_count() const { return parser_.positionalArguments().size(); }
  QString argument(qsizetype number) const { return parser_.positionalArguments().value(number); }
  /// Empty when not given.
  QString option(const char* name) const { return parser_.value(name); }

 private:
  QCommandLineParser parser_;
};

/// To standard output.
void print(std::string_view text);
void print_json(const nlohmann::json& json);

/// Text from outside (a log, a domain's XML) without control characters, a terminal's escape sequences too.
std::string printable(std::string text);

std::string hex_text(const Measurement& digest);
/// "0x1f".
std::string hex_text(std::uint64_t number);

}  // namespace virttdx::tools
