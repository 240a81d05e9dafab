// SPDX-License-Identifier: GPL-2.0-or-later
#include "section_table.h"

#include "command.h"

namespace virttdx::tools {

std::string section_table(const Tdvf& tdvf) {
  std::string text = fmt::format("{:>2}  {:<8}  {:>10}  {:>10}  {:>12}  {:>10}  {:>6}  {}\n", "#", "type",
                                 "file offset", "file size", "memory", "size", "pages", "MRTD");
  std::size_t number = 0;
  for (const auto& section : tdvf.sections)
    text += fmt::format("{:>2}  {:<8}  {:>#11x}  {:>#10x}  {:>#12x}  {:>#10x}  {:>6}  {}\n", number++,
                        name_of(section.type), section.data_offset, section.raw_size,
                        section.memory.base().value, section.memory.size(), section.memory.size() / kPageSize,
                        section.measured ? "content" : "address");
  return text;
}

nlohmann::json sections_to_json(const Tdvf& tdvf) {
  auto list = nlohmann::json::array();
  for (const auto& section : tdvf.sections)
    list.push_back({{"type", name_of(section.type)},
                    {"data_offset", hex_text(section.data_offset)},
                    {"raw_size", hex_text(section.raw_size)},
                    {"memory_base", hex_text(section.memory.base().value)},
                    {"memory_size", hex_text(section.memory.size())},
                    {"pages", section.memory.size() / kPageSize},
                    {"measured", section.measured}});
  return list;
}

}  // namespace virttdx::tools
