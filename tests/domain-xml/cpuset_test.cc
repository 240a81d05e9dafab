// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "domain_xml/sysinfo.h"
#include "domain_xml/tuning.h"

namespace virttdx::domain_xml {
namespace {

std::string canonical(std::string_view text) {
  const auto cpus = parse_cpuset(text);
  return cpus ? format_cpuset(*cpus) : "refused";
}

TEST(CpuSet, IsWrittenInRanges) {
  EXPECT_EQ(canonical("0"), "0");
  EXPECT_EQ(canonical("3,1,2,0"), "0-3");
  EXPECT_EQ(canonical("0-7,^3,^5-6"), "0-2,4,7");
  EXPECT_EQ(canonical("16383"), "16383");
}

TEST(CpuSet, IsRefusedWhenItIsNone) {
  for (const char* text :
       {"", ",", "1,", "a", "3-1", "0-", "-1", "^0", "0,^0", "16384", "99999999999999", "1 ,2", "1;2"})
    EXPECT_EQ(canonical(text), "refused") << text;
}

TEST(Sysinfo, ShowsWhatTheHostTells) {
  const auto xml = format_sysinfo([](std::string_view name) -> std::string {
    return name == "bios_vendor" ? "A&B" : name == "product_name" ? "Board" : "";
  });
  EXPECT_EQ(xml,
            "<sysinfo type='smbios'>\n  <bios>\n    <entry name='vendor'>A&amp;B</entry>\n  </bios>\n"
            "  <system>\n    <entry name='product'>Board</entry>\n  </system>\n</sysinfo>\n");
  EXPECT_FALSE(format_sysinfo([](std::string_view) { return std::string(); }));
}

}  // namespace
}  // namespace virttdx::domain_xml
