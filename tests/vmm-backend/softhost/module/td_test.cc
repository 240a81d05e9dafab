// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/td.h"

#include <cstring>
#include <filesystem>
#include <vector>

#include "module_fixture.h"
#include "vmm_backend/tdvf.h"

namespace virttdx::softhost {
namespace {

using namespace tdx;

constexpr std::uint64_t kInvalid = 0xC000010000000000;
constexpr std::uint64_t kWrongState = 0xC000060800000000;

TdParameters with(void (*change)(TdParameters&)) {
  auto parameters = kvm_parameters();
  change(parameters);
  return parameters;
}

struct ParameterRow {
  const char* name;
  void (*change)(TdParameters&);
  std::uint64_t status;
};

class MngInit : public testing::TestWithParam<ParameterRow> {};

TEST_P(MngInit, AnswersWithTheStatusOfTheFirstFailingCheck) {
  const TdxModule module(test_native_cpuid);
  Td td(module);
  EXPECT_EQ(td.mng_init(with(GetParam().change)).status, GetParam().status);
  EXPECT_EQ(td.state(), GetParam().status ? TdState::Uninitialized : TdState::Initialized);
}

constexpr ParameterRow kRows[] = {
    {"Kvm", [](TdParameters&) {}, 0},
    {"ReservedAttribute", [](TdParameters& p) { p.attributes |= 2; }, kInvalid | 64},
    {"KeyLocker", [](TdParameters& p) { p.attributes |= 1U << 31; }, kInvalid | 64},
    {"MigratableAndDebug", [](TdParameters& p) { p.attributes |= 1U << 29 | 1; }, kInvalid | 64},
    {"Migratable", [](TdParameters& p) { p.attributes |= 1U << 29; }, 0},
    {"XfamWithoutX87", [](TdParameters& p) { p.xfam = 2; }, kInvalid | 65},
    {"XfamMpx", [](TdParameters& p) { p.xfam |= 8; }, kInvalid | 65},
    {"XfamHalfAvx512", [](TdParameters& p) { p.xfam |= 0x60; }, kInvalid | 65},
    {"XfamAvx512", [](TdParameters& p) { p.xfam |= 0xE0; }, 0},
    {"XfamAvx512WithoutAvx", [](TdParameters& p) { p.xfam = 0xE3; }, kInvalid | 65},
    {"XfamHalfCet", [](TdParameters& p) { p.xfam |= 0x800; }, kInvalid | 65},
    {"XfamCet", [](TdParameters& p) { p.xfam |= 0x1800; }, 0},
    {"XfamHalfAmx", [](TdParameters& p) { p.xfam |= 0x20000; }, kInvalid | 65},
    {"NoVcpus", [](TdParameters& p) { p.max_vcpus = 0; }, kInvalid | 68},
    {"MostVcpus", [](TdParameters& p) { p.max_vcpus = 576; }, 0},
    {"TooManyVcpus", [](TdParameters& p) { p.max_vcpus = 577; }, kInvalid | 68},
    {"TooManyL2Vms", [](TdParameters& p) { p.num_l2_vms = 4; }, kInvalid | 71},
    {"UnknownConfigFlag", [](TdParameters& p) { p.config_flags |= 1U << 5; }, kInvalid | 66},
    {"EptWithoutWriteBack", [](TdParameters& p) { p.eptp_controls = 0x18; }, kInvalid | 67},
    {"EptThreeLevels", [](TdParameters& p) { p.eptp_controls = 6 | 0x10; }, kInvalid | 67},
    {"EptFiveLevels", [](TdParameters& p) { p.eptp_controls = 6 | 0x20; }, 0},
    {"EptAccessedDirty", [](TdParameters& p) { p.eptp_controls |= 0x40; }, kInvalid | 67},
    {"Gpaw52WithFourLevels", [](TdParameters& p) { p.config_flags |= 1; }, kInvalid | 67},
    {"TscTooSlow", [](TdParameters& p) { p.tsc_frequency = 3; }, kInvalid | 70},
    {"TscTooFast", [](TdParameters& p) { p.tsc_frequency = 401; }, kInvalid | 70},
    {"CpuidFixedBit", [](TdParameters& p) { p.cpuid_config[0].ecx = 1U << 5; }, kInvalid | 69},
    {"CpuidRtmWithoutHle", [](TdParameters& p) { p.cpuid_config[5].ebx = 1U << 11; }, kInvalid | 69},
    {"Leaf1fWithoutCore", [](TdParameters& p) { p.cpuid_config[12].ecx = 0x100; }, 0xC000090400000000},
    {"Leaf1fSmtAndCore",
     [](TdParameters& p) {
       p.cpuid_config[12].ecx = 0x100;
       p.cpuid_config[13].ecx = 0x201;
     },
     0},
    {"FirstOfTwo",
     [](TdParameters& p) {
       p.tsc_frequency = 0;
       p.xfam = 0;
     },
     kInvalid | 65},
};

INSTANTIATE_TEST_SUITE_P(Rows, MngInit, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.name; });

TEST_F(TdTest, NamesTheLeafThatCpuidConfigFailedOn) {
  auto parameters = kvm_parameters();
  parameters.cpuid_config[11].eax = 0x10;  // leaf 0x23, sub-leaf 0
  EXPECT_EQ(td_.mng_init(parameters).rcx, 0x23U);
  parameters = kvm_parameters();
  parameters.cpuid_config[8].ebx = 1;  // leaf 0x1C has no sub-leaf
  EXPECT_EQ(td_.mng_init(parameters).rcx, 0xFFFFFFFF0000001C);
}

TEST_F(TdTest, IsInitializedOnce) {
  initialize(kvm_parameters());
  EXPECT_EQ(td_.mng_init(kvm_parameters()).status, kWrongState);
}

TEST_F(TdTest, NeedsAVcpuToBeFinalized) {
  EXPECT_EQ(td_.mr_finalize(), kWrongState);
  ASSERT_EQ(td_.mng_init(kvm_parameters()).status, 0U);
  EXPECT_EQ(td_.mr_finalize(), 0xC000060900000000);
  EXPECT_EQ(td_.vp_init(0, 0).status, 0U);
  EXPECT_EQ(td_.mr_finalize(), 0U);
  EXPECT_EQ(td_.state(), TdState::Runnable);
}

TEST_F(TdTest, CountsVcpusInTheOrderOfTheirCreation) {
  ASSERT_EQ(td_.mng_init(kvm_parameters()).status, 0U);
  EXPECT_EQ(td_.vp_init(0, 7).vcpu->index(), 0U);
  EXPECT_EQ(td_.vp_init(0, 7).status, 0xC000062100000000);
  EXPECT_EQ(td_.vp_init(0, 3).vcpu->index(), 1U);
  EXPECT_EQ(td_.vp_init(0, 4).status, 0U);
  EXPECT_EQ(td_.vp_init(0, 5).status, 0U);
  EXPECT_EQ(td_.vp_init(0, 6).status, 0xC000070500000000);
}

TEST_F(TdTest, BuildsAndPendingPagesFollowTheState) {
  const HostMemory memory(2 * 4096);
  const std::array<std::byte, 4096> source{};
  EXPECT_EQ(td_.mem_page_add(0, source, memory.at(0)), kWrongState);
  EXPECT_EQ(td_.mem_page_aug(0, 0, memory.at(0), false), kWrongState);
  run(kvm_parameters());
  EXPECT_EQ(td_.mem_page_add(0, source, memory.at(0)), kWrongState);
  EXPECT_EQ(td_.mr_extend(0), kWrongState);
  EXPECT_EQ(td_.mem_page_aug(0, 0, memory.at(0), false), 0U);
  EXPECT_EQ(td_.mem_page_aug(0, 0, memory.at(4096), false), 0xC0000B0200000001);
  EXPECT_EQ(td_.mem_page_aug(0x1000, 1, memory.at(0), false), kInvalid | 1);
  EXPECT_EQ(td_.mem_page_aug(std::uint64_t{1} << 47, 0, memory.at(0), false), kInvalid | 1);
}

TEST_F(TdTest, AddsACopyOfTheSource) {
  initialize(kvm_parameters());
  const HostMemory memory(4096);
  std::array<std::byte, 4096> source;
  source.fill(std::byte{0x77});
  ASSERT_EQ(td_.mem_page_add(0x809000, source, memory.at(0)), 0U);
  EXPECT_EQ(*memory.at(4095), std::byte{0x77});
  EXPECT_EQ(td_.walk_private(0x809000).state, PageState::Mapped);
}

// Values computed with Python's hashlib from the record format of the specification.
TEST_F(TdTest, MrtdIsTheHashOfAddAndExtendRecords) {
  initialize(kvm_parameters());
  const HostMemory memory(3 * 4096);
  std::array<std::byte, 4096> measured, plain{};
  for (std::size_t i = 0; i < measured.size(); ++i) measured[i] = static_cast<std::byte>((i * 7 + 3) % 251);
  ASSERT_EQ(td_.mem_page_add(0xFFFFF000, measured, memory.at(0)), 0U);
  for (std::uint64_t gpa = 0xFFFFF000; gpa < 0x100000000; gpa += 256) ASSERT_EQ(td_.mr_extend(gpa), 0U);
  ASSERT_EQ(td_.mem_page_add(0x809000, plain, memory.at(4096)), 0U);
  ASSERT_EQ(td_.mem_page_add(0x80A000, plain, memory.at(8192)), 0U);
  EXPECT_FALSE(td_.mrtd());
  ASSERT_EQ(td_.mr_finalize(), 0U);
  EXPECT_EQ(hex(*td_.mrtd()),
            "90d808d76bbfc69adb16c918eb123fb4de427aaa2c9afa65"
            "3e996db5107639aafc2fe9be42cb05b12324716df4185ba2");
}

// ovmf 2022.11-6+deb12u2, added section by section as KVM adds it; the value was computed independently.
TEST_F(TdTest, MrtdOfDebian12sFirmwareIsTheKnownOne) {
  constexpr const char* kFirmware = "/usr/share/ovmf/OVMF.fd";
  if (!std::filesystem::exists(kFirmware)) GTEST_SKIP() << kFirmware << " is not installed";
  const auto tdvf = load_tdvf(kFirmware);
  ASSERT_TRUE(tdvf) << tdvf.error().message();
  initialize(kvm_parameters());
  std::vector<HostMemory> pages;
  for (const auto& section : tdvf->sections) {
    for (std::uint64_t offset = 0; offset < section.memory.size(); offset += 4096) {
      std::array<std::byte, 4096> source{};
      if (offset < section.raw_size)
        std::memcpy(source.data(), tdvf->image.data() + section.data_offset + offset, source.size());
      const auto gpa = section.memory.base().value + offset;
      ASSERT_EQ(td_.mem_page_add(gpa, source, pages.emplace_back(4096).at(0)), 0U);
      for (std::uint64_t chunk = 0; section.measured && chunk < 4096; chunk += 256)
        ASSERT_EQ(td_.mr_extend(gpa + chunk), 0U);
    }
  }
  ASSERT_EQ(td_.mr_finalize(), 0U);
  EXPECT_EQ(hex(*td_.mrtd()),
            "4c7206f0f483c524f12c366c711e9049030a8d47c471ee5a"
            "a9c4999a08de4057fb887fed0744d5631a212967fb231c47");
}

TEST_F(TdTest, MrtdOfNoPagesIsTheEmptyHash) {
  run(kvm_parameters());
  EXPECT_EQ(hex(*td_.mrtd()),
            "38b060a751ac96384cd9327eb1b1e36a21fdb71114be0743"
            "4c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b");
}

TEST_F(TdTest, ExtendNeedsAnAddedPageAndAChunkAddress) {
  initialize(kvm_parameters());
  EXPECT_EQ(td_.mr_extend(0x1080), kInvalid | 1);
  EXPECT_EQ(td_.mr_extend(0x1000), 0xC0000B0100000001);
}

TEST_F(TdTest, RtmrsHashTheirOldValueAndTheData) {
  run(kvm_parameters());
  MeasurementValue data;
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i);
  td_.extend_rtmr(2, data);
  EXPECT_EQ(hex(td_.rtmr(2)),
            "fe83f742d1cab5c709a0c424729831fbff9b5bb9748a618f"
            "0b6ea04fe1fde4d546f4040e7fc9587b2e6badada6c941b0");
  td_.extend_rtmr(2, data);
  EXPECT_EQ(hex(td_.rtmr(2)),
            "80e8e19c7ab39d81cd4022d3170787b72a97d4db30c8fd56"
            "bcb1b743a18980939d6ae5057dd4c9470739ac4852d8f59d");
  EXPECT_EQ(td_.rtmr(1), MeasurementValue{});
}

TEST_F(TdTest, SharedBitFollowsGpaw) {
  auto parameters = kvm_parameters();
  parameters.config_flags |= 1;
  parameters.eptp_controls = 6 | 0x20;
  initialize(parameters);
  EXPECT_EQ(td_.gpaw(), 52U);
  EXPECT_EQ(td_.shared_bit(), std::uint64_t{1} << 51);
}

}  // namespace
}  // namespace virttdx::softhost
