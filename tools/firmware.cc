// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx firmware: what a TDVF image asks for, and whether a TD can start with it.
#include "command.h"
#include "section_table.h"

namespace virttdx::tools {
namespace {

/// Where every vCPU of a TD begins (TDX Module Base Spec, initial vCPU state).
constexpr Gpa kResetVector{0xFFFFFFF0};

struct FirmwareFinding {
  std::string_view severity;
  std::string message;
};
using FirmwareFindings = std::vector<FirmwareFinding>;

bool has_code_at_reset_vector(const Tdvf& tdvf) {
  return std::any_of(tdvf.sections.begin(), tdvf.sections.end(), [](const TdvfSection& section) {
    return section.type == TdvfSectionType::Bfv && section.memory.contains(kResetVector);
  });
}

// What the metadata's rules allow and a user should know all the same.
FirmwareFindings look_at(const Tdvf& tdvf) {
  FirmwareFindings findings;
  if (!has_code_at_reset_vector(tdvf))
    findings.push_back(
        {"error", fmt::format("no BFV section covers {:#x}, where a vCPU starts: the TD would fault at "
                              "its first instruction; use an image whose BFV ends at 4 GiB",
                              kResetVector.value)});
  std::size_t number = 0;
  for (const auto& section : tdvf.sections) {
    if (section.type == TdvfSectionType::Bfv && !section.measured)
      findings.push_back(
          {"warning", fmt::format("BFV section {} is not measured: MRTD says nothing of this firmware's "
                                  "code, so no attestation can rely on it",
                                  number)});
    ++number;
  }
  return findings;
}

nlohmann::json to_json(const FirmwareFindings& findings) {
  auto list = nlohmann::json::array();
  for (const auto& finding : findings)
    list.push_back({{"severity", finding.severity}, {"message", finding.message}});
  return list;
}

void print_text(const Result<Tdvf>& tdvf, const FirmwareFindings& findings) {
  if (tdvf) print(section_table(*tdvf));
  for (const auto& finding : findings) print(fmt::format("{}: {}\n", finding.severity, finding.message));
}

}  // namespace

Result<ExitCode> run_firmware(const QStringList& words) {
  CommandLine line("Prints the TDVF sections of a firmware image and what is wrong with it.");
  line.add_argument("FIRMWARE", "firmware image, e.g. /usr/share/ovmf/OVMF.fd");
  if (!TRY(line.parse(words, 1, 1))) return kOk;
  const auto path = line.argument(0).toStdString();
  const auto tdvf = load_tdvf(path);
  // A file that cannot be read is a failure; one that is no TDVF is the finding that was asked for.
  if (!tdvf && tdvf.error().code() != Error::Code::InvalidData) return tl::unexpected<Error>(tdvf.error());
  const auto findings = tdvf ? look_at(*tdvf) : FirmwareFindings{{"error", tdvf.error().message()}};
  if (line.wants_json())
    print_json(nlohmann::json{{"firmware", path},
                              {"sections", tdvf ? sections_to_json(*tdvf) : nlohmann::json::array()},
                              {"findings", to_json(findings)}});
  else
    print_text(tdvf, findings);
  return findings.empty() ? kOk : kFindings;
}

}  // namespace virttdx::tools
