// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx hob: a TD HOB from a dump, or the one that a domain's launch makes.
#include "command.h"
#include "domain_source.h"
#include "planned_config.h"
#include "support/file.h"
#include "vmm_backend/td_hob_reader.h"

namespace virttdx::tools {
namespace {

std::string text_of(const TdHob& hob, const Measurement& digest) {
  std::string text = fmt::format("size         {} bytes\nend of list  {:#x}\nRTMR0 event  {}\n\n", hob.size,
                                 hob.end_of_list.value, hex_text(digest));
  text += fmt::format("{:<22}  {:>14}  {:>14}  {}\n", "type", "base", "size", "attributes");
  for (const auto& resource : hob.resources)
    text += fmt::format("{:<22}  {:>#14x}  {:>#14x}  {:#x}\n", name_of(resource.type),
                        resource.range.base().value, resource.range.size(), resource.attributes);
  for (const auto& block : hob.other_blocks) text += fmt::format("{} ({} bytes)\n", block.name, block.size);
  return text;
}

nlohmann::json json_of(const TdHob& hob, const Measurement& digest) {
  auto resources = nlohmann::json::array(), others = nlohmann::json::array();
  for (const auto& resource : hob.resources)
    resources.push_back({{"type", name_of(resource.type)},
                         {"base", hex_text(resource.range.base().value)},
                         {"size", hex_text(resource.range.size())},
                         {"attributes", hex_text(resource.attributes)}});
  for (const auto& block : hob.other_blocks) others.push_back({{"type", block.name}, {"size", block.size}});
  return {{"size", hob.size},
          {"boot_mode", hex_text(hob.boot_mode)},
          {"end_of_list", hex_text(hob.end_of_list.value)},
          {"rtmr0_event", hex_text(digest)},
          {"resources", std::move(resources)},
          {"other_blocks", std::move(others)}};
}

Result<std::vector<std::byte>> list_of(const CommandLine& line) {
  if (names_other_file(line.argument(0))) {
    const auto text = TRY(read_text_file(line.argument(0).toStdString(), kTdHobMaximum));
    const auto bytes = std::as_bytes(std::span(text));
    return std::vector(bytes.begin(), bytes.end());
  }
  const auto config = TRY(planned_config(line));
  const auto tdvf = TRY(load_tdvf(config.firmware_path));
  return td_hob_of(config, tdvf);
}

}  // namespace

Result<ExitCode> run_hob(const QStringList& words) {
  CommandLine line(
      "Prints the TD HOB with which a firmware learns the memory of its TD, and the digest that OVMF "
      "extends\n"
      "RTMR0 with for it.\n"
      "Exit status: 0 done, 1 a list that a firmware would not take, 2 wrong usage or failure.");
  line.add_argument(
      "FILE|DOMAIN",
      "a dump of a TD HOB (its path), a domain's FILE.xml, or the name of a domain of --connect");
  add_planning_options(line);
  if (!TRY(line.parse(words, 1, 1))) return kOk;
  const auto list = TRY(list_of(line));
  const auto hob = parse_td_hob(list);
  if (!hob) {
    if (line.wants_json())
      print_json({{"problem", hob.error().message()}});
    else
      print(hob.error().message() + "\n");
    return kFindings;
  }
  const auto digest = TRY(td_hob_digest(list));
  if (line.wants_json())
    print_json(json_of(*hob, digest));
  else
    print(text_of(*hob, digest));
  return kOk;
}

}  // namespace virttdx::tools
