// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx trace: a running TD's exits to its monitor, by what the guest asked for, with rates and latencies.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <span>
#include <thread>
#include <tuple>

#include "command.h"
#include "monitor_socket.h"
#include "vmm_backend/control_client.h"
#include "vmm_backend/exit_statistics.h"

namespace virttdx::tools {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr unsigned kIntervalMs = 1000, kIntervalMaximumMs = 5000;  // the monitor stops tracing after 10 s

/// What tells kinds apart.
auto key_of(const ExitCount& exit) {
  return std::tie(exit.reason, exit.td_vmcall, exit.port, exit.gpa, exit.write);
}

std::uint64_t count_at(const std::vector<std::uint64_t>& histogram, std::size_t i) {
  return i < histogram.size() ? histogram[i] : 0;
}

/// What happened between two answers; all of `now` when tracing began anew in between.
ExitStatistics since(const ExitStatistics& before, const ExitStatistics& now) {
  if (now.elapsed_ns < before.elapsed_ns) return now;
  ExitStatistics difference{now.elapsed_ns - before.elapsed_ns, now.untold - before.untold, {}};
  for (ExitCount exit : now.exits) {
    const auto old =
        std::ranges::find_if(before.exits, [&](const auto& other) { return key_of(other) == key_of(exit); });
    if (old != before.exits.end()) {
      exit.count -= old->count;
      exit.total_ns -= old->total_ns;
      for (std::size_t i = 0; i < exit.histogram.size(); ++i)
        exit.histogram[i] -= count_at(old->histogram, i);
    }
    if (exit.count != 0) difference.exits.push_back(std::move(exit));
  }
  std::stable_sort(difference.exits.begin(), difference.exits.end(),
                   [](const ExitCount& a, const ExitCount& b) { return a.count > b.count; });
  return difference;
}

/// Upper end of the histogram's step below which `percent` of the exits lie.
std::uint64_t percentile_ns(const ExitCount& exit, unsigned percent) {
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < exit.histogram.size(); ++i) {
    seen += exit.histogram[i];
    if (seen * 100 >= exit.count * percent) return std::min((std::uint64_t{2} << i) - 1, exit.maximum_ns);
  }
  return exit.maximum_ns;
}

double per_second(std::uint64_t count, std::uint64_t elapsed_ns) {
  return elapsed_ns == 0 ? 0 : static_cast<double>(count) * 1e9 / static_cast<double>(elapsed_ns);
}

std::string duration(std::uint64_t ns) {
  if (ns < 10'000) return fmt::format("{} ns", ns);
  if (ns < 10'000'000) return fmt::format("{} us", ns / 1000);
  return fmt::format("{} ms", ns / 1'000'000);
}

std::string what(const ExitCount& exit) {
  std::string text = exit.td_vmcall.value_or("");
  if (exit.port) text += fmt::format(" port {:#x}", *exit.port);
  if (exit.gpa) text += fmt::format(" {:#x}", *exit.gpa);
  if (exit.write) text += *exit.write ? " write" : " read";
  return text;
}

/// One letter a step from 2^6 to 2^25 ns, " .:-=+*#%@" by the share of exits in it; the ends gather what is
/// beyond.
std::string bar(const ExitCount& exit) {
  constexpr std::string_view kShades = " .:-=+*#%@";
  constexpr std::size_t kFirst = 6, kSteps = 20;
  std::array<std::uint64_t, kSteps> steps{};
  for (std::size_t i = 0; i < exit.histogram.size(); ++i)
    steps.at(i < kFirst ? 0 : std::min(i - kFirst, kSteps - 1)) += exit.histogram[i];
  std::string text;
  for (const auto count : steps) {
    const auto shade = exit.count == 0 ? 0 : count * (kShades.size() - 1) / exit.count;
    text += kShades[count != 0 && shade == 0 ? 1 : shade];
  }
  return text;
}

/// Lines that a terminal has for kinds of exits; all of them where it is none.
std::size_t room_for_kinds() {
  constexpr unsigned kOtherLines = 4;
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row <= kOtherLines)
    return std::numeric_limits<std::size_t>::max();
  return window.ws_row - kOtherLines;
}

void print_text(const ExitStatistics& statistics) {
  std::string text = fmt::format("{:<22} {:<38} {:>10} {:>9} {:>9} {:>9}  |64ns    2us     33ms|\n", "exit",
                                 "call", "per second", "mean", "90% below", "maximum");
  const std::size_t shown = std::min(statistics.exits.size(), room_for_kinds());
  for (const ExitCount& exit : std::span(statistics.exits).first(shown))
    text += fmt::format("{:<22} {:<38} {:>10.0f} {:>9} {:>9} {:>9}  |{}|\n", exit.reason, what(exit),
                        per_second(exit.count, statistics.elapsed_ns), duration(exit.total_ns / exit.count),
                        duration(percentile_ns(exit, 90)), duration(exit.maximum_ns), bar(exit));
  if (shown < statistics.exits.size())
    text += fmt::format("{} rarer kinds\n", statistics.exits.size() - shown);
  if (statistics.exits.empty()) text += "no exits\n";
  if (statistics.untold != 0)
    text += fmt::format("and {} of kinds beyond the monitor's limit\n", statistics.untold);
  constexpr const char* kClearScreen = "\x1b[H\x1b[2J";
  print((isatty(STDOUT_FILENO) == 1 ? kClearScreen : "") + text + "\n");
}

Result<ExitStatistics> ask(ControlClient& client) {
  auto reply = TRY(client.call(control_command::kTrace, nlohmann::json::object(), kPatience));
  return exit_statistics_from_json(TRY(std::move(reply.result)));
}

Result<unsigned> number_option(const CommandLine& line, const char* name, unsigned otherwise,
                               unsigned maximum) {
  if (line.option(name).isEmpty()) return otherwise;
  bool is_number = false;
  const unsigned value = line.option(name).toUInt(&is_number);
  if (!is_number || value == 0 || value > maximum)
    return fail(Error::Code::InvalidArgument, "--{} '{}' is no number from 1 to {}", name,
                line.option(name).toStdString(), maximum);
  return value;
}

/// Until `count` samples (0: until the TD ends, which the monitor tells by closing the connection).
Result<> watch(ControlClient& client, std::chrono::milliseconds interval, unsigned count, bool as_json) {
  ExitStatistics before = TRY(ask(client));
  for (unsigned sample = 0; count == 0 || sample < count; ++sample) {
    std::this_thread::sleep_for(interval);
    auto answer = ask(client);
    if (!answer && answer.error().code() == Error::Code::WrongState && count == 0) return {};
    ExitStatistics now = TRY(std::move(answer));
    const ExitStatistics difference = since(before, now);
    if (as_json)
      print(exit_statistics_to_json(difference).dump() + "\n");
    else
      print_text(difference);
    before = std::move(now);
  }
  return {};
}

}  // namespace

Result<ExitCode> run_trace(const QStringList& words) {
  CommandLine line(
      "Shows for what a running TD's vCPUs leave the guest for its monitor, how often, and how long the "
      "monitor "
      "takes.\nWhat KVM answers itself (CPUID, MSRs, HLT, private memory) is not seen. With --json one "
      "object a line.");
  line.add_argument("DOMAIN", "name of a running domain (not with --monitor)");
  add_monitor_options(line);
  line.add_option("interval", "MS", "Milliseconds between samples, 1000 when not given, at most 5000.");
  line.add_option("count", "N", "End after N samples; otherwise with the TD.");
  if (!TRY(line.parse(words, 0, 1))) return kOk;
  const auto interval = TRY(number_option(line, "interval", kIntervalMs, kIntervalMaximumMs));
  const auto count = TRY(number_option(line, "count", 0, std::numeric_limits<int>::max()));
  auto client = TRY(connect_monitor(line));
  TRY(watch(client, std::chrono::milliseconds(interval), count, line.wants_json()));
  return kOk;
}

}  // namespace virttdx::tools
