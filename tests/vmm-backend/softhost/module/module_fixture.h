// SPDX-License-Identifier: GPL-2.0-or-later
// A processor, TD parameters and memory for tests of the TDX module model.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

#include "softhost/module/td.h"
#include "softhost/module/td_vcpu.h"

namespace virttdx::softhost {

// A processor that has every feature the module can pass on, 52 physical address bits.
inline CpuidValue test_native_cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  switch (leaf) {
    case 1:
      return {0x000806F8, 0x00000800, 0xFFFFFFFF, 0xFFFFFFFF};
    case 7:
      return {subleaf == 0 ? 2U : 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF};
    case 0xD:
      if (subleaf == 0) return {0x000602E7, 0, 0, 0};
      if (subleaf == 1) return {0x1F, 0, 0x0000D900, 0};
      if (subleaf == 2) return {256, 576, 0, 0};     // AVX
      if (subleaf == 5) return {64, 1088, 0, 0};     // opmask
      if (subleaf == 6) return {512, 1152, 0, 0};    // ZMM_Hi256
      if (subleaf == 7) return {1024, 1664, 0, 0};   // Hi16_ZMM
      if (subleaf == 9) return {8, 2688, 0, 0};      // PKRU
      if (subleaf == 11) return {16, 0, 1, 0};       // CET_U
      if (subleaf == 12) return {24, 0, 1, 0};       // CET_S
      if (subleaf == 17) return {64, 2752, 2, 0};    // TILECFG
      if (subleaf == 18) return {8192, 2816, 6, 0};  // TILEDATA
      return {};
    case 0x80000008:
      return {0x3934, 0x200, 0, 0};
    default:
      return {0x11111111, 0x22222222, 0x33333333, 0x44444444};
  }
}

// What KVM passes for an ordinary TD: SEPT_VE_DISABLE, x87, SSE and AVX, four levels, 2.3 GHz.
inline TdParameters kvm_parameters() {
  TdParameters parameters;
  parameters.attributes = 0x10000000;
  parameters.xfam = 0x7;
  parameters.max_vcpus = 4;
  parameters.eptp_controls = 6 | 0x18;
  parameters.config_flags = 4;
  parameters.tsc_frequency = 92;
  return parameters;
}

// Page-aligned host memory.
class HostMemory {
 public:
  explicit HostMemory(std::size_t size) : bytes_(static_cast<std::byte*>(std::aligned_alloc(4096, size))) {
    std::memset(bytes_.get(), 0x5A, size);
  }
  std::byte* at(std::size_t offset) const { return bytes_.get() + offset; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
};

inline std::string hex(const MeasurementValue& value) {
  std::string text;
  for (const auto byte : value) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

// A TD with one vCPU; run() makes it runnable.
class TdTest : public testing::Test {
 protected:
  void initialize(const TdParameters& parameters) {
    ASSERT_EQ(td_.mng_init(parameters).status, tdx::status::kSuccess);
    auto created = td_.vp_init(0x809000, 0);
    ASSERT_EQ(created.status, tdx::status::kSuccess);
    vcpu_ = std::move(created.vcpu);
  }
  void run(const TdParameters& parameters) {
    initialize(parameters);
    ASSERT_EQ(td_.mr_finalize(), tdx::status::kSuccess);
  }
  // RAX after a TDCALL that is done.
  std::uint64_t call(std::uint64_t leaf) {
    registers_.gpr[kRax] = leaf;
    const auto result = vcpu_->td_call(registers_);
    EXPECT_EQ(result.kind, TdCallResult::Kind::Done);
    return registers_.gpr[kRax];
  }

  TdxModule module_{test_native_cpuid};
  Td td_{module_};
  std::unique_ptr<TdVcpu> vcpu_;
  Registers registers_;
};

}  // namespace virttdx::softhost
