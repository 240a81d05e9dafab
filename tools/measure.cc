// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx measure: the same page list and the same hash as the launch's.
#include "command.h"
#include "domain_source.h"
#include "expectation.h"
#include "planned_config.h"
#include "section_table.h"
#include "support/file.h"
#include "vmm_backend/rtmr_prediction.h"
#include "vmm_backend/td_prediction.h"

namespace virttdx::tools {
namespace {

struct PageCounts {
  std::uint64_t added = 0;
  std::uint64_t measured = 0;
};

PageCounts count_pages(std::span<const TdPageRange> ranges) {
  PageCounts counts;
  for (const auto& range : ranges) {
    const auto pages = range.memory.size() / kPageSize;
    counts.added += pages;
    if (range.measured) counts.measured += pages;
  }
  return counts;
}

nlohmann::json firmware_report(const std::string& path, const Tdvf& tdvf, const Measurement& mrtd,
                               MrtdOrder order) {
  const auto counts = count_pages(td_page_list(tdvf, {}));
  return {{"firmware", path},
          {"mrtd", hex_text(mrtd)},
          {"order", order == MrtdOrder::SinglePass ? "single-pass" : "two-pass"},
          {"pages_added", counts.added},
          {"pages_measured", counts.measured},
          {"sections", sections_to_json(tdvf)}};
}

Result<nlohmann::json> measure_firmware(const std::string& path, MrtdOrder order) {
  const auto tdvf = TRY(load_tdvf(path));
  return firmware_report(path, tdvf, TRY(predict_mrtd(td_page_list(tdvf, {}), order)), order);
}

struct EventLog {
  std::vector<PredictedEvent> events;
  Rtmrs rtmrs{};
};

Result<Rtmrs> rtmrs_of(const std::vector<PredictedEvent>& predicted) {
  std::vector<CcEvent> events;
  for (const auto& one : predicted) events.push_back(one.event);
  return replay_cc_events(events);
}

/// Takes from the domain's configuration what of the log follows from it.
Result<> fit_to_domain(EventLog& log, const VmConfig& config, const Tdvf& tdvf) {
  std::vector<CcEvent> events;
  for (auto& one : log.events) events.push_back(std::move(one.event));
  log.events = TRY(predict_cc_events(events, config, tdvf));
  log.rtmrs = TRY(rtmrs_of(log.events));
  return {};
}

Result<std::optional<EventLog>> read_event_log(const CommandLine& line) {
  if (!line.is_set("event-log")) return std::optional<EventLog>();
  const auto path = line.option("event-log").toStdString();
  const auto text = TRY(read_text_file(path, kCcEventLogMaximum));
  auto events = parse_cc_event_log(std::as_bytes(std::span(text)));
  if (!events) return tl::unexpected<Error>(std::move(events).error().with_context(path));
  EventLog log;
  for (auto& event : *events) log.events.push_back({std::move(event)});
  log.rtmrs = TRY(rtmrs_of(log.events));
  return std::optional(std::move(log));
}

void add_event_log(nlohmann::json& report, const EventLog& log) {
  for (std::size_t i = 0; i < log.rtmrs.size(); ++i)
    report[fmt::format("rtmr{}", i)] = hex_text(log.rtmrs.at(i));
  auto events = nlohmann::json::array();
  for (const auto& [event, source] : log.events)
    events.push_back({{"rtmr", event.rtmr},
                      {"type", event.type_name},
                      {"digest", hex_text(event.digest)},
                      {"covers", event.covers},
                      {"source", name_of(source)}});
  report["events"] = std::move(events);
}

Result<nlohmann::json> measure_domain(const CommandLine& line, MrtdOrder order,
                                      std::optional<EventLog>& log) {
  const auto config = TRY(planned_config(line));
  const auto tdvf = TRY(load_tdvf(config.firmware_path));
  if (log) TRY(fit_to_domain(*log, config, tdvf));
  const auto prediction = TRY(predict_td(config.td, tdvf, order, log ? log->rtmrs : Rtmrs{}));
  auto report = firmware_report(config.firmware_path, tdvf, prediction.mrtd, order);
  report.update({{"domain", config.name},
                 {"attributes", hex_text(prediction.attributes)},
                 {"xfam", hex_text(prediction.xfam)},
                 {"mr_config_id", hex_text(prediction.mr_config_id)},
                 {"mr_owner", hex_text(prediction.mr_owner)},
                 {"mr_owner_config", hex_text(prediction.mr_owner_config)},
                 {"td_info_hash", hex_text(prediction.td_info_hash)}});
  return report;
}

void print_events(const nlohmann::json& report) {
  if (!report.contains("events")) return;
  for (int i = 0; i < 4; ++i)
    print(fmt::format("RTMR{}          {}\n", i, report[fmt::format("rtmr{}", i)].get<std::string>()));
  for (const auto& event : report["events"])
    print(fmt::format("  RTMR{} {:<34} {} ({})\n", event["rtmr"].get<int>(), event["type"].get<std::string>(),
                      event["covers"].get<std::string>(), event["source"].get<std::string>()));
}

void print_report(const nlohmann::json& report) {
  const auto text = [&](const char* field) { return report[field].get<std::string>(); };
  if (!report.contains("domain")) {
    print(text("mrtd") + "\n");
    return print_events(report);
  }
  print(fmt::format("domain         {}\nfirmware       {}\n", printable(text("domain")),
                    printable(text("firmware"))));
  print(fmt::format("MRTD           {}\nMRCONFIGID     {}\nMROWNER        {}\nMROWNERCONFIG  {}\n",
                    text("mrtd"), text("mr_config_id"), text("mr_owner"), text("mr_owner_config")));
  print(fmt::format("ATTRIBUTES     {}\nXFAM           {}\n", text("attributes"), text("xfam")));
  print(fmt::format("TDINFO hash    {} ({})\n", text("td_info_hash"),
                    report.contains("events") ? "with the RTMRs of the event log"
                                              : "with RTMR0 to RTMR3 as the launch leaves them: zero"));
  print_events(report);
}

Result<ExitCode> compare(const nlohmann::json& report, const std::string& file) {
  const auto found = TRY(differences(report, file));
  for (const auto& difference : found)
    print(fmt::format("{}: expected {}, predicted {}\n", difference.field, printable(difference.expected),
                      difference.predicted));
  return found.empty() ? kOk : kFindings;
}

}  // namespace

Result<ExitCode> run_measure(const QStringList& words) {
  CommandLine line(
      "Prints the MRTD (SHA-384, hexadecimal) that the TDX module computes for a TD which is launched with "
      "this\n"
      "firmware, which depends on nothing else; of a domain also everything else that a TDREPORT says of "
      "it.\n"
      "Exit status: 0 done, 1 not what --expect wants, 2 wrong usage or failure.");
  line.add_argument("FIRMWARE|DOMAIN",
                    "a TDVF image (its path, e.g. /usr/share/ovmf/OVMF.fd), a domain's FILE.xml, or the name "
                    "of a domain of --connect");
  line.add_flag("two-pass", "As hosts before Linux 6.16 with QEMU 8.2 measure: all pages, then all chunks.");
  line.add_option("expect", "FILE",
                  "Compare with what FILE says (--json's output, or an MRTD); print differences.");
  line.add_option(
      "event-log", "FILE",
      "The firmware's event log (/sys/firmware/acpi/tables/data/CCEL of a TD that booted so): adds RTMR0 "
      "to RTMR3 and what each of their events covers.");
  add_planning_options(line);
  if (!TRY(line.parse(words, 1, 1))) return kOk;
  const auto order = line.is_set("two-pass") ? MrtdOrder::TwoPass : MrtdOrder::SinglePass;
  auto log = TRY(read_event_log(line));
  auto report = names_other_file(line.argument(0))
                    ? TRY(measure_firmware(line.argument(0).toStdString(), order))
                    : TRY(measure_domain(line, order, log));
  if (log) add_event_log(report, *log);
  if (line.is_set("expect")) return compare(report, line.option("expect").toStdString());
  if (line.wants_json())
    print_json(report);
  else
    print_report(report);
  return kOk;
}

}  // namespace virttdx::tools
