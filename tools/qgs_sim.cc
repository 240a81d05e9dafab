// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx qgs-sim: a quote generation service for TDs on the software TDX host.
#include <sys/signalfd.h>
#include <unistd.h>

#include <QCoreApplication>
#include <QSocketNotifier>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>

#include "command.h"
#include "qgs_sim/quote_server.h"
#include "qgs_sim/simulated_quote.h"
#include "support/file.h"
#include "vmm_backend/qgs_message.h"

namespace virttdx::tools {
namespace {

constexpr std::uint32_t kDelayMaximum = 600'000;

Result<std::uint32_t> number_of(const CommandLine& line, const char* option, std::uint32_t maximum) {
  if (!line.is_set(option)) return 0U;
  const auto text = line.option(option).toStdString();
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > maximum)
    return fail(Error::Code::InvalidArgument, "--{} '{}' is not a number from 0 to {}", option, text,
                maximum);
  return value;
}

void report_line(const std::string& text) {
  print(text + "\n");
  std::fflush(stdout);
}

Bytes answer(const QuoteSigner& signer, bool failing, std::span<const std::byte> request) {
  if (failing) {
    report_line("request answered with an error, as --fail asks");
    return qgs::encode_quote_response({}, qgs::ErrorCode::Unexpected);
  }
  const auto quote = qgs::report_of_request(request).and_then(
      [&](const Bytes& report) -> Result<Bytes> { return signer.quote(report); });
  report_line(quote ? fmt::format("quote of {} bytes (SIMULATED)", quote->size())
                    : "request refused: " + printable(quote.error().message()));
  if (quote) return qgs::encode_quote_response(*quote);
  return qgs::encode_quote_response({}, qgs::ErrorCode::InvalidParameter);
}

/// SIGINT and SIGTERM end the event loop. The descriptor becomes readable with the signal.
Result<UniqueFd> open_end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC));
  if (!fd) return fail_errno(errno, "cannot receive signals");
  return fd;
}

}  // namespace

Result<ExitCode> run_qgs_sim(const QStringList& words) {
  CommandLine line(
      "A quote generation service that signs quotes with keys made at its start. They prove nothing: for TDs "
      "on "
      "the software TDX host.");
  line.add_option("socket", "path", "Unix socket to listen at.");
  line.add_option("root-certificate", "file", "Write the certificate that quotes lead to, as PEM.");
  line.add_option("delay", "milliseconds", "Answer so much later.");
  line.add_flag("fail", "Answer every request with an error.");
  if (!TRY(line.parse(words, 0, 0))) return kOk;
  if (!line.is_set("socket")) return fail(Error::Code::InvalidArgument, "--socket PATH is missing");
  const std::chrono::milliseconds delay(TRY(number_of(line, "delay", kDelayMaximum)));
  const auto signer = TRY(QuoteSigner::create());
  if (const auto file = line.option("root-certificate").toStdString(); !file.empty())
    TRY(write_file_atomically(file, TRY(signer.root_certificate()), 0644));
  const auto end_signals = TRY(open_end_signals());
  const bool failing = line.is_set("fail");
  const auto server = TRY(QuoteServer::create(
      line.option("socket").toStdString(), delay,
      [&signer, failing](std::span<const std::byte> request) { return answer(signer, failing, request); }));
  const QSocketNotifier ended(end_signals.get(), QSocketNotifier::Read);
  QObject::connect(&ended, &QSocketNotifier::activated, QCoreApplication::instance(),
                   &QCoreApplication::quit);
  report_line("SIMULATED quotes at " + line.option("socket").toStdString() + "; Ctrl-C ends");
  QCoreApplication::exec();
  return kOk;
}

}  // namespace virttdx::tools
