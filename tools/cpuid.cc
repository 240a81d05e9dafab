// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx cpuid: asks a TD's monitor what KVM_TDX_GET_CPUID answered, and says why bits differ from the
// request.
#include <chrono>

#include "command.h"
#include "cpuid_text.h"
#include "domain_xml/cpu_models.h"
#include "domain_xml/plan.h"
#include "monitor_socket.h"
#include "vmm_backend/control_client.h"

namespace virttdx::tools {
namespace {

constexpr std::chrono::seconds kPatience{10};

using Differences = std::vector<domain_xml::CpuidDifference>;

Result<nlohmann::json> ask(ControlClient& client, std::string_view command) {
  auto reply = TRY(client.call(command, nlohmann::json::object(), kPatience));
  return std::move(reply.result);
}

Result<domain_xml::GuestCpuid> ask_monitor(ControlClient& client) {
  auto report = TRY(cpuid_report_from_json(TRY(ask(client, control_command::kCpuid))));
  const auto td = TRY(monitor_measurements_from_json(TRY(ask(client, control_command::kMeasurements))));
  return domain_xml::GuestCpuid{.report = std::move(report), .xfam = td.xfam, .attributes = td.attributes};
}

std::string_view predicted_text(const domain_xml::CpuidDifference& difference) {
  if (!difference.predicted) return "-";
  return *difference.predicted ? "1" : "0";
}

void print_text(const domain_xml::GuestCpuid& cpuid, const Differences& differences) {
  print("Actual CPUID (KVM_TDX_GET_CPUID):\n");
  print(cpuid_table(cpuid.report.actual));
  if (differences.empty()) print("\nEvery bit is as it was asked for.\n");
  if (!differences.empty())
    print(fmt::format("\n{} bits differ from what was asked for:\n", differences.size()));
  for (const auto& difference : differences)
    print(fmt::format("{:<48}  asked {}  predicted {}  actual {}  {}\n", to_string(difference),
                      difference.requested ? 1 : 0, predicted_text(difference), difference.actual ? 1 : 0,
                      difference.reason));
}

nlohmann::json to_json(const Differences& differences) {
  constexpr const char* kRegisters[] = {"eax", "ebx", "ecx", "edx"};
  auto list = nlohmann::json::array();
  for (const auto& difference : differences) {
    list.push_back({{"function", hex_text(difference.function)},
                    {"index", hex_text(difference.index)},
                    {"register", kRegisters[static_cast<std::size_t>(difference.reg)]},
                    {"bit", difference.bit},
                    {"bit_name", domain_xml::bit_name(difference.function, difference.index, difference.reg,
                                                      difference.bit)},
                    {"requested", difference.requested},
                    {"actual", difference.actual},
                    {"reason", difference.reason}});
    if (difference.predicted) list.back()["predicted"] = *difference.predicted;
    if (difference.vcpu != 0) list.back()["vcpu"] = difference.vcpu;
  }
  return list;
}

}  // namespace

Result<ExitCode> run_cpuid(const QStringList& words) {
  CommandLine line(
      "Prints the CPUID that a running TD really sees, and every bit in which it differs from what was asked "
      "for\n"
      "or predicted, with the reason. Exit status 1: some bits differ.");
  line.add_argument("DOMAIN", "name of a running domain (not with --monitor)");
  add_monitor_options(line);
  if (!TRY(line.parse(words, 0, 1))) return kOk;
  auto client = TRY(connect_monitor(line));
  const auto cpuid = TRY(ask_monitor(client));
  const auto predicted = domain_xml::predict_cpuid(cpuid);
  const auto differences = domain_xml::compare_cpuid(cpuid.report, cpuid.xfam, cpuid.attributes, predicted);
  if (line.wants_json()) {
    auto json = cpuid_report_to_json(cpuid.report);
    json["predicted"] =
        cpuid_report_to_json({.requested = predicted, .vcpu_requested = {}, .actual = {}})["requested"];
    json["differences"] = to_json(differences);
    print_json(json);
  } else {
    print_text(cpuid, differences);
  }
  return differences.empty() ? kOk : kFindings;
}

}  // namespace virttdx::tools
