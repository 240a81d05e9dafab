// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/td_bit_names.h"

#include <fmt/format.h>

#include <span>
#include <string_view>

namespace virttdx {
namespace {

struct BitName {
  unsigned bit;
  std::string_view name;
};

constexpr BitName kAttributes[] = {
    {0, "DEBUG"},       {4, "HGS_PLUS_PROF"}, {5, "PERF_PROF"},        {6, "PMT_PROF"},    {16, "ICSSD"},
    {17, "SERVTD_EXT"}, {27, "LASS"},         {28, "SEPT_VE_DISABLE"}, {29, "MIGRATABLE"}, {30, "PKS"},
    {31, "KL"},         {62, "TPA"},          {63, "PERFMON"}};

constexpr BitName kXfam[] = {{0, "X87"},          {1, "SSE"},           {2, "AVX"},    {5, "AVX512_OPMASK"},
                             {6, "ZMM_HI256"},    {7, "HI16_ZMM"},      {8, "PT"},     {9, "PKRU"},
                             {11, "CET_U"},       {12, "CET_S"},        {14, "UINTR"}, {15, "LBR"},
                             {17, "AMX_TILECFG"}, {18, "AMX_TILEDATA"}, {19, "APX"}};

std::string_view name_of_bit(std::span<const BitName> names, unsigned bit) {
  for (const auto& row : names)
    if (row.bit == bit) return row.name;
  return "reserved";
}

std::string names_of(std::span<const BitName> names, std::uint64_t mask) {
  std::string text;
  for (unsigned bit = 0; bit < 64; ++bit)
    if ((mask >> bit & 1) != 0)
      text += fmt::format("{}{} [bit {}]", text.empty() ? "" : ", ", name_of_bit(names, bit), bit);
  return text.empty() ? "none" : text;
}

}  // namespace

std::string td_attribute_names(std::uint64_t attributes) { return names_of(kAttributes, attributes); }
std::string xfam_names(std::uint64_t xfam) { return names_of(kXfam, xfam); }

}  // namespace virttdx
