// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx check: what define and start would say of a domain on a host, without either.
#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "command.h"
#include "domain_source.h"
#include "domain_xml/plan.h"
#include "host_source.h"

namespace virttdx::tools {
namespace {

using domain_xml::Finding;
using domain_xml::Severity;

struct SeverityWords {
  Severity severity;
  const char* name;
  const char* heading;
};
/// In the order of the report.
constexpr std::array kSeverities = {SeverityWords{Severity::Error, "error", "Errors"},
                                    SeverityWords{Severity::Warning, "warning", "Warnings"},
                                    SeverityWords{Severity::Note, "note", "Notes"}};

struct Report {
  std::string domain;  ///< name, empty when the XML does not tell
  std::string source;
  std::string host;
  std::optional<std::string> host_description;
  std::string xml;
  std::vector<Finding> findings;

  std::ptrdiff_t count(Severity severity) const {
    return std::ranges::count(findings, severity, &Finding::severity);
  }
  const char* result() const {
    if (count(Severity::Error) > 0) return "error";
    return count(Severity::Warning) > 0 ? "warning" : "clean";
  }
  ExitCode exit_code() const {
    if (count(Severity::Error) > 0) return kError;
    return count(Severity::Warning) > 0 ? kFindings : kOk;
  }
};

/// The stable identifier of what the reader refuses.
std::string_view finding_id(Error::Code code) {
  switch (code) {
    case Error::Code::XmlSyntax:
      return "xml-syntax";
    case Error::Code::MissingName:
      return "xml-missing-name";
    case Error::Code::ConfigUnsupported:
      return "xml-not-offered";
    default:
      return "xml-invalid";
  }
}

/// The reader's message is "line N: what".
Finding finding_of(const Error& error) {
  Finding finding{.severity = Severity::Error,
                  .id = std::string(finding_id(error.code())),
                  .xml_path = {},
                  .bit = {},
                  .message = error.message(),
                  .remedy = {}};
  constexpr std::string_view kPrefix = "line ";
  const std::string_view text = error.message();
  if (!text.starts_with(kPrefix)) return finding;
  const auto* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data() + kPrefix.size(), end, finding.line);
  if (number.ec == std::errc() && std::string_view(number.ptr, end).starts_with(": "))
    finding.message = std::string(number.ptr + 2, end);
  return finding;
}

/// Fails on internal errors only: what is wrong with the XML is a finding.
Result<> check(Report& report, const HostCapabilities& host) {
  auto domain = domain_xml::parse_domain(report.xml);
  if (domain) {
    report.domain = domain->name;
    domain = domain_xml::complete_definition(*std::move(domain),
                                             {.emulator = monitor_program().toStdString()}, &report.findings);
  }
  if (!domain) {
    report.findings = {finding_of(domain.error())};
    return {};
  }
  std::ranges::move(TRY(domain_xml::plan_launch(*domain, host)).findings,
                    std::back_inserter(report.findings));
  return {};
}

/// Without indentation, shortened; empty when there is no such line.
std::string source_line(std::string_view xml, int number) {
  for (int line = 1; line < number; ++line) {
    const auto end = xml.find('\n');
    if (end == std::string_view::npos) return {};
    xml.remove_prefix(end + 1);
  }
  if (number < 1) return {};
  constexpr std::size_t kLongest = 160;
  constexpr std::string_view kSpace = " \t\r";
  xml = xml.substr(0, xml.find('\n'));
  xml.remove_prefix(std::min(xml.find_first_not_of(kSpace), xml.size()));
  if (xml.size() > kLongest) return std::string(xml.substr(0, kLongest)) + "...";
  return std::string(xml.substr(0, xml.find_last_not_of(kSpace) + 1));
}

void print_finding(const Finding& finding, std::string_view xml) {
  std::string text = fmt::format("  [{}]", finding.id);
  if (!finding.xml_path.empty()) text += " " + finding.xml_path;
  if (finding.line != 0) text += fmt::format("{} line {}", finding.xml_path.empty() ? "" : ",", finding.line);
  text += "\n";
  if (const auto line = source_line(xml, finding.line); !line.empty())
    text += fmt::format("    {:>5} | {}\n", finding.line, printable(line));
  if (!finding.bit.empty()) text += fmt::format("    {}\n", finding.bit);
  text += fmt::format("    {}\n", printable(finding.message));
  if (!finding.remedy.empty()) text += fmt::format("    remedy: {}\n", printable(finding.remedy));
  print(text);
}

std::string verdict(const Report& report) {
  if (report.findings.empty()) return "it would start, nothing to say";
  std::string text = report.exit_code() == kError ? "it would not start" : "it would start";
  for (const auto& words : kSeverities)
    if (const auto count = report.count(words.severity); count > 0)
      text += fmt::format(", {} {}{}", count, words.name, count == 1 ? "" : "s");
  return text;
}

void print_text(const Report& report) {
  print(fmt::format("domain  {}\n",
                    printable(report.domain.empty() ? report.source
                                                    : fmt::format("{} ({})", report.domain, report.source))));
  print(fmt::format("host    {}\n", printable(report.host)));
  if (report.host_description) print(fmt::format("        {}\n", printable(*report.host_description)));
  print(fmt::format("result  {}\n", verdict(report)));
  for (const auto& words : kSeverities) {
    if (report.count(words.severity) == 0) continue;
    print(fmt::format("\n{}:\n", words.heading));
    for (const auto& finding : report.findings)
      if (finding.severity == words.severity) print_finding(finding, report.xml);
  }
}

nlohmann::json to_json(const Finding& finding, std::string_view xml) {
  const auto* const words = std::ranges::find(kSeverities, finding.severity, &SeverityWords::severity);
  nlohmann::json json = {{"severity", words->name}, {"id", finding.id}, {"message", finding.message}};
  if (!finding.xml_path.empty()) json["xml_path"] = finding.xml_path;
  if (!finding.bit.empty()) json["bit"] = finding.bit;
  if (!finding.remedy.empty()) json["remedy"] = finding.remedy;
  if (finding.line == 0) return json;
  json["line"] = finding.line;
  if (auto line = source_line(xml, finding.line); !line.empty()) json["source_line"] = std::move(line);
  return json;
}

nlohmann::json to_json(const Report& report) {
  auto findings = nlohmann::json::array();
  for (const auto& finding : report.findings) findings.push_back(to_json(finding, report.xml));
  nlohmann::json json = {{"source", report.source},
                         {"host", report.host},
                         {"result", report.result()},
                         {"findings", std::move(findings)}};
  if (!report.domain.empty()) json["domain"] = report.domain;
  if (report.host_description) json["host_description"] = *report.host_description;
  return json;
}

}  // namespace

Result<ExitCode> run_check(const QStringList& words) {
  CommandLine line(
      "Says what would keep a domain from starting as a TD on a host, and what it would not get there.\n"
      "Exit status: 0 clean or notes only, 1 warnings, 2 it would not start.");
  line.add_argument("DOMAIN", "a file (with a '/' or ending in .xml), or the name of a domain of --connect");
  line.add_option("host", "HOST",
                  "Which host: kvm (default), soft, a FILE.json of 'virt-tdx host --save', or a profile: "
                  "sapphire-rapids, granite-rapids, minimal.");
  line.add_option("connect", "URI", "libvirt connection of the domain named, tdx:///system when not given.");
  if (!TRY(line.parse(words, 1, 1))) return kOk;
  const auto uri = line.option("connect").isEmpty() ? QString("tdx:///system") : line.option("connect");
  const auto host_name = line.option("host").isEmpty() ? QString("kvm") : line.option("host");
  auto xml = TRY(domain_xml_from(line.argument(0), uri));
  Report report{.domain = {},
                .source = line.argument(0).toStdString(),
                .host = host_name.toStdString(),
                .host_description = {},
                .xml = std::move(xml),
                .findings = {}};
  const auto host = TRY(host_from(host_name));
  report.host_description = host.description;
  TRY(check(report, host));
  if (line.wants_json())
    print_json(to_json(report));
  else
    print_text(report);
  return report.exit_code();
}

}  // namespace virttdx::tools
