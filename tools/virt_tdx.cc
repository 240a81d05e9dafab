// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx: looks at TDX firmware, hosts and running TDs. One file a sub-command; this one has their list.
#include <QCoreApplication>
#include <algorithm>
#include <array>
#include <cstdio>

#include "command.h"

namespace virttdx::tools {
namespace {

struct Command {
  std::string_view name;
  std::string_view arguments;
  std::string_view summary;
  CommandFunction run;
};

constexpr std::array kCommands = {
    Command{"check", "DOMAIN", "what would keep a domain from starting on a host", run_check},
    Command{"cpuid", "DOMAIN", "a running TD's actual CPUID against what was asked for", run_cpuid},
    Command{"explain", "ERRNO|--log LINE", "why a request of KVM's TDX ABI failed", run_explain},
    Command{"firmware", "FIRMWARE", "a firmware's TDVF sections, and what is wrong with it", run_firmware},
    Command{"hob", "FILE|DOMAIN", "the TD HOB that a firmware finds, and what is wrong with it", run_hob},
    Command{"host", "", "what this host offers to TDs", run_host},
    Command{"measure", "FIRMWARE|DOMAIN", "what a TDREPORT will say of a TD before it is launched",
            run_measure},
    Command{"qgs-sim", "", "a quote generation service whose quotes prove nothing", run_qgs_sim},
    Command{"run", "--kernel FILE", "one TD from a kernel, its console in this terminal", run_run},
    Command{"trace", "DOMAIN", "for what a running TD leaves the guest, and how long it takes", run_trace},
};

std::string usage() {
  std::string text = "Usage: virt-tdx COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n";
  for (const auto& command : kCommands)
    text +=
        fmt::format("  {:<25} {}\n", fmt::format("{} {}", command.name, command.arguments), command.summary);
  return text +
         "\nEvery command takes --json and --help.\n"
         "Exit status: 0 in order, 1 findings, 2 wrong usage or failure.\n";
}

int fail_with(std::string_view text) {
  std::fprintf(stderr, "virt-tdx: %.*s\n", static_cast<int>(text.size()), text.data());
  return kError;
}

int run(const QStringList& words) {
  const auto name = words.value(1).toStdString();
  if (name == "--help" || name == "-h" || name == "help") {
    print(usage());
    return kOk;
  }
  if (name == "--version") {
    print("virt-tdx " VIRTTDX_VERSION "\n");
    return kOk;
  }
  const auto* const command =
      std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& row) { return row.name == name; });
  if (command == kCommands.end())
    return fail_with(name.empty() ? "no command given; see 'virt-tdx --help'"
                                  : fmt::format("unknown command '{}'; see 'virt-tdx --help'", name));
  auto own_words = words.mid(1);
  own_words[0] = QString("virt-tdx %1").arg(own_words[0]);
  const auto result = command->run(own_words);
  if (!result) return fail_with(result.error().message());
  return *result;
}

}  // namespace
}  // namespace virttdx::tools

int main(int argc, char** argv) {
  const QCoreApplication application(argc, argv);
  return virttdx::tools::run(QCoreApplication::arguments());
}
