// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/tdx_cpuid_classes.h"

#include <gtest/gtest.h>

namespace virttdx {
namespace {

struct Row {
  const char* name;
  std::uint32_t function, index;
  CpuidRegister register_name;
  unsigned bit;
  TdxCpuidClass bit_class;
};

class TdxCpuidClasses : public testing::TestWithParam<Row> {};

TEST_P(TdxCpuidClasses, NamesWhatDecidesTheBit) {
  const auto& row = GetParam();
  const auto answer = tdx_cpuid_bit(row.function, row.index, row.register_name, row.bit);
  EXPECT_EQ(answer.bit_class, row.bit_class) << tdx_cpuid_reason(answer);
}

using R = CpuidRegister;
using C = TdxCpuidClass;
constexpr Row kRows[] = {
    {"Vmx", 1, 0, R::Ecx, 5, C::Fixed0},
    {"Hypervisor", 1, 0, R::Ecx, 31, C::Fixed1},
    {"Osxsave", 1, 0, R::Ecx, 27, C::Dynamic},
    {"Sse3", 1, 0, R::Ecx, 0, C::Native},
    {"Mwait", 1, 0, R::Ecx, 3, C::ConfigurableIfNative},
    {"Fma", 1, 0, R::Ecx, 12, C::XfamDependent},
    {"Avx", 1, 0, R::Ecx, 28, C::ConfigurableIfNative},
    {"Stepping", 1, 0, R::Eax, 0, C::Configurable},
    {"SubleafIsIgnoredWithoutSubleaves", 1, 9, R::Eax, 0, C::Configurable},
    {"Sgx", 7, 0, R::Ebx, 2, C::Fixed0},
    {"Pks", 7, 0, R::Ecx, 31, C::AttributeDependent},
    {"CetShadowStack", 7, 0, R::Ecx, 7, C::XfamDependent},
    {"AmxTile", 7, 0, R::Edx, 24, C::XfamDependent},
    {"CacheSets", 4, 3, R::Ecx, 7, C::Configurable},
    {"XsaveSize", 0xD, 0, R::Ebx, 0, C::Dynamic},
    {"PerfmonVersion", 0xA, 0, R::Eax, 0, C::AttributeDependent},
    {"KvmSignature", 0x40000000, 0, R::Eax, 0, C::Ve},
    {"ThermalLeaf", 6, 0, R::Eax, 0, C::Ve},
};
INSTANTIATE_TEST_SUITE_P(Rows, TdxCpuidClasses, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.name; });

TEST(TdxCpuidClassesGates, NameTheBitsThatMustBeSetToo) {
  const auto avx = tdx_cpuid_bit(1, 0, CpuidRegister::Ecx, 28);
  EXPECT_EQ(avx.xfam_bit, 2);
  EXPECT_EQ(
      tdx_cpuid_reason(avx),
      "it is configurable at TD creation if the physical CPU has it, and 0 unless XFAM bit 2 (AVX) is 1");
  EXPECT_EQ(tdx_cpuid_bit(7, 0, CpuidRegister::Ecx, 31).attribute_bit, 30);
  EXPECT_EQ(tdx_cpuid_reason(tdx_cpuid_bit(1, 0, CpuidRegister::Ecx, 5)), "the TDX module fixes it to 0");
}

bool is_open(const TdxCpuidBit& fact, std::uint64_t xfam, std::uint64_t attributes) {
  return (!fact.xfam_bit || (xfam >> *fact.xfam_bit & 1) != 0) &&
         (!fact.attribute_bit || (attributes >> *fact.attribute_bit & 1) != 0);
}

// With everything given and nothing native, and the other way round.
void expect_as_bits_say(std::uint32_t leaf, std::uint32_t index, CpuidRegister name, std::uint64_t gates) {
  const auto whole = tdx_cpuid_register(leaf, index, name, gates, gates);
  for (unsigned bit = 0; bit < 32; ++bit) {
    const auto fact = tdx_cpuid_bit(leaf, index, name, bit);
    const bool open = is_open(fact, gates, gates), fixed_1 = fact.bit_class == C::Fixed1;
    const bool given = fact.bit_class == C::Configurable || fact.bit_class == C::ConfigurableIfNative;
    const bool native = !given && !fixed_1 && fact.bit_class != C::Fixed0;
    EXPECT_EQ(whole.value(~0U, 0) >> bit & 1, open && (fixed_1 || given)) << std::hex << leaf << " " << bit;
    EXPECT_EQ(whole.value(0, ~0U) >> bit & 1, open && (fixed_1 || native)) << std::hex << leaf << " " << bit;
  }
}

TEST(TdxCpuidClassesGates, OfAWholeRegisterAreThoseOfItsBits) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0}, kFixed1 = 3, kAvx512 = 0xE7;
  for (const std::uint32_t leaf : {0U, 1U, 2U, 4U, 6U, 7U, 0xAU, 0xDU, 0x14U, 0x19U, 0x1CU, 0x1DU, 0x23U,
                                   0x40000001U, 0x80000001U, 0x80000008U})
    for (std::uint32_t index = 0; index < 3; ++index)
      for (const auto name : kCpuidRegisters)
        for (const auto gates : {kFixed1, kAvx512, kAll}) expect_as_bits_say(leaf, index, name, gates);
}

TEST(TdxCpuidClassesGates, EveryBitOfEveryLeafHasAReason) {
  for (std::uint32_t leaf = 0; leaf <= 0x24; ++leaf)
    for (const auto name : kCpuidRegisters)
      for (unsigned bit = 0; bit < 32; ++bit)
        EXPECT_FALSE(tdx_cpuid_reason(tdx_cpuid_bit(leaf, 0, name, bit)).empty());
}

}  // namespace
}  // namespace virttdx
