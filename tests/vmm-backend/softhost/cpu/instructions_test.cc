// SPDX-License-Identifier: GPL-2.0-or-later
// Every instruction that the processor's CPUID tells runs, what CPUID does not tell is #UD, and what the
// engine lacks does what the SDM says.
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "micro_guest.h"

namespace virttdx::softhost {

namespace {

constexpr std::uint64_t kData = 0x30000;
constexpr unsigned kInvalidOpcode = 6, kGeneralProtection = 13;
constexpr std::uint64_t kOsfxsr = 1 << 9;  // of CR4
constexpr std::initializer_list<int> kTdcall = {0x66, 0x0f, 0x01, 0xcc};

/// A guest in 64-bit mode at CPL 0, all of XCR0 enabled; #UD and #GP handlers end it with their vector in
/// R15.
class InstructionGuest : public MicroGuest {
 public:
  InstructionGuest() : MicroGuest(true) {
    SystemRegisters state = long_mode_state(*this);
    state.cr4 |= 1 << 16 | 1 << 17 | 1 << 18;  // FSGSBASE, PCIDE, OSXSAVE
    engine().set_system_registers(state);
    for (const unsigned vector : {kInvalidOpcode, kGeneralProtection}) {
      const std::uint64_t handler = kHandler + vector * 0x10;
      put_gate(*this, vector, handler);
      put(handler, {0x41, 0xbf, static_cast<int>(vector), 0, 0, 0});  // mov r15d, vector
      put(handler + 6, kTdcall);
    }
    registers_ = start_at(kCode);
    registers_.gpr[kRbx] = kData;
  }

  Registers& registers() { return registers_; }
  /// Runs `code` and the TDCALL that follows it.
  Registers run(std::initializer_list<int> code) {
    engine().invalidate(kCode, 0x1000);  // this program replaces the one before
    put(kCode, code);
    put(kCode + code.size(), kTdcall);
    registers_.rip = kCode;
    engine().set_registers(registers_);
    return run_until_exit();
  }

 private:
  Registers registers_;
};

struct Sample {
  const char* name;
  std::vector<int> code;
};

Registers run_sample(const Sample& sample, InstructionGuest& guest) {
  std::uint64_t at = kCode;
  for (const int byte : sample.code) guest.put(at++, {byte});
  guest.put(at, kTdcall);
  guest.registers().gpr[kRax] = 0x12345678;
  guest.registers().gpr[kRdi] = kData + 0x400;
  guest.engine().set_registers(guest.registers());
  return guest.run_until_exit();
}

Registers run_sample(const Sample& sample) {
  InstructionGuest guest;
  return run_sample(sample, guest);
}

}  // namespace

TEST(Instructions, OfEveryFeatureInCpuidRun) {
  const std::vector<Sample> samples = {
      {"SSE3 haddps xmm0, xmm1", {0xf2, 0x0f, 0x7c, 0xc1}},
      {"PCLMULQDQ xmm0, xmm1, 0", {0x66, 0x0f, 0x3a, 0x44, 0xc1, 0x00}},
      {"SSSE3 pshufb xmm0, xmm1", {0x66, 0x0f, 0x38, 0x00, 0xc1}},
      {"CMPXCHG16B [rbx]", {0x48, 0x0f, 0xc7, 0x0b}},
      {"SSE4.1 pmulld xmm0, xmm1", {0x66, 0x0f, 0x38, 0x40, 0xc1}},
      {"SSE4.2 crc32 eax, ebx", {0xf2, 0x0f, 0x38, 0xf1, 0xc3}},
      {"MOVBE eax, [rbx]", {0x0f, 0x38, 0xf0, 0x03}},
      {"POPCNT eax, eax", {0xf3, 0x0f, 0xb8, 0xc0}},
      {"AES aesenc xmm0, xmm1", {0x66, 0x0f, 0x38, 0xdc, 0xc1}},
      {"XSAVE [rbx]", {0x0f, 0xae, 0x23}},
      {"XSAVEOPT [rbx]", {0x0f, 0xae, 0x33}},
      {"XSAVEC [rbx]", {0x0f, 0xc7, 0x23}},
      {"XSAVES [rbx]", {0x0f, 0xc7, 0x2b}},
      {"XRSTOR [rbx]", {0x0f, 0xae, 0x2b}},
      {"XGETBV of XINUSE", {0xb9, 1, 0, 0, 0, 0x0f, 0x01, 0xd0}},
      {"RDRAND rax", {0x48, 0x0f, 0xc7, 0xf0}},
      {"RDSEED rax", {0x48, 0x0f, 0xc7, 0xf8}},
      {"FSGSBASE wrfsbase rax", {0xf3, 0x48, 0x0f, 0xae, 0xd0}},
      {"FSGSBASE rdgsbase rax", {0xf3, 0x48, 0x0f, 0xae, 0xc8}},
      {"BMI1 andn eax, ebx, ecx", {0xc4, 0xe2, 0x60, 0xf2, 0xc1}},
      {"BMI1 tzcnt eax, eax", {0xf3, 0x0f, 0xbc, 0xc0}},
      {"BMI2 pdep eax, ebx, ecx", {0xc4, 0xe2, 0x63, 0xf5, 0xc1}},
      {"BMI2 rorx eax, ebx, 1", {0xc4, 0xe3, 0x7b, 0xf0, 0xc3, 0x01}},
      {"ADX adcx eax, ebx", {0x66, 0x0f, 0x38, 0xf6, 0xc3}},
      {"ADX adox eax, ebx", {0xf3, 0x0f, 0x38, 0xf6, 0xc3}},
      {"CLFLUSH [rbx]", {0x0f, 0xae, 0x3b}},
      {"CLFLUSHOPT [rbx]", {0x66, 0x0f, 0xae, 0x3b}},
      {"CLWB [rbx]", {0x66, 0x0f, 0xae, 0x33}},
      {"INVPCID rcx, [rbx]", {0x66, 0x0f, 0x38, 0x82, 0x0b}},
      {"SMAP stac", {0x0f, 0x01, 0xcb}},
      {"SHA256MSG1 xmm0, xmm1", {0x0f, 0x38, 0xcc, 0xc1}},
      {"SHA1RNDS4 xmm0, [rbx], 1", {0x0f, 0x3a, 0xcc, 0x03, 0x01}},
      {"MOVDIRI [rbx], eax", {0x0f, 0x38, 0xf9, 0x03}},
      {"MOVDIR64B rdi, [rbx]", {0x66, 0x0f, 0x38, 0xf8, 0x3b}},
      {"LZCNT eax, eax", {0xf3, 0x0f, 0xbd, 0xc0}},
      {"PREFETCHW [rbx]", {0x0f, 0x0d, 0x0b}},
      {"LAHF", {0x9f}},
      {"RDTSCP", {0x0f, 0x01, 0xf9}},
  };
  for (const Sample& sample : samples) EXPECT_EQ(run_sample(sample).gpr[kR15], 0U) << sample.name;
}

// They use general registers: SDM volume 2, table 2-29 (exception type 13) and CR4.OSFXSR's description.
TEST(Instructions, OfGeneralRegistersRunWithoutOsfxsr) {
  const std::vector<Sample> samples = {{"SHLX r8d, r8d, edx", {0xc4, 0x42, 0x69, 0xf7, 0xc0}},
                                       {"ADCX eax, ebx", {0x66, 0x0f, 0x38, 0xf6, 0xc3}},
                                       {"MOVBE ax, [rbx]", {0x66, 0x0f, 0x38, 0xf0, 0x03}},
                                       {"CRC32 eax, bx", {0x66, 0xf2, 0x0f, 0x38, 0xf1, 0xc3}}};
  for (const Sample& sample : samples) {
    InstructionGuest guest;
    auto state = guest.engine().system_registers();
    state.cr4 &= ~kOsfxsr;
    guest.engine().set_system_registers(state);
    EXPECT_EQ(run_sample(sample, guest).gpr[kR15], 0U) << sample.name;
    EXPECT_EQ(guest.engine().system_registers().cr4, state.cr4) << sample.name;
  }
}

namespace {

/// Plays a processor with AVX.
class GuestThatIsToldOfAvx : public InstructionGuest {
 public:
  Outcome cpuid(std::uint32_t leaf, std::uint32_t subleaf, CpuidValue& value) override {
    const Outcome outcome = InstructionGuest::cpuid(leaf, subleaf, value);
    if (leaf == 1) value.ecx |= 1U << 28;
    return outcome;
  }
};

}  // namespace

constexpr std::initializer_list<int> kVaddps = {0xc5, 0xf4, 0x58, 0xc2};

std::string log_of(const std::function<void()>& run) {
  testing::internal::CaptureStderr();
  run();
  return testing::internal::GetCapturedStderr();
}

TEST(Instructions, OfAvxAreLoggedOnceWhereCpuidShowsIt) {
  GuestThatIsToldOfAvx guest;
  const auto first = [&] { EXPECT_EQ(guest.run(kVaddps).gpr[kR15], kInvalidOpcode); };
  EXPECT_NE(log_of(first).find("0xc5 0xf4 0x58 at RIP 0x10000 is of AVX"), std::string::npos);
  EXPECT_EQ(log_of(first), "");
}

TEST(Instructions, OfAvxAreNoNewsWhereCpuidDoesNotShowIt) {
  InstructionGuest guest;
  EXPECT_EQ(log_of([&] { EXPECT_EQ(guest.run(kVaddps).gpr[kR15], kInvalidOpcode); }), "");
}

TEST(Instructions, OfAbsentFeaturesAreInvalidOpcodes) {
  const std::vector<Sample> samples = {
      {"RDPID rax", {0xf3, 0x0f, 0xc7, 0xf8}},
      {"SERIALIZE", {0x0f, 0x01, 0xe8}},
      {"AVX vaddps ymm0, ymm1, ymm2", {0xc5, 0xf4, 0x58, 0xc2}},
      {"RDPKRU", {0x31, 0xc9, 0x0f, 0x01, 0xee}},
      {"VMMCALL", {0x0f, 0x01, 0xd9}},
      {"LOCK XSAVE [rbx]", {0xf0, 0x0f, 0xae, 0x23}},
      {"MONITOR", {0x0f, 0x01, 0xc8}},
  };
  for (const Sample& sample : samples) EXPECT_EQ(run_sample(sample).gpr[kR15], kInvalidOpcode) << sample.name;
}

TEST(Instructions, RdrandGivesDifferentValuesWithCarrySet) {
  InstructionGuest guest;
  const Registers end = guest.run({0x48, 0x0f, 0xc7, 0xf0,    // rdrand rax
                                   0x0f, 0x92, 0xc1,          // setc cl
                                   0x48, 0x0f, 0xc7, 0xfa});  // rdseed rdx
  EXPECT_NE(end.gpr[kRax], end.gpr[kRdx]);
  EXPECT_EQ(end.gpr[kRcx] & 0xff, 1U);
}

TEST(Instructions, InvpcidRefusesUnknownTypesAndPcidsBeyondTwelveBits) {
  InstructionGuest guest;
  guest.registers().gpr[kRcx] = 4;
  EXPECT_EQ(guest.run({0x66, 0x0f, 0x38, 0x82, 0x0b}).gpr[kR15], kGeneralProtection);
  guest.registers().gpr[kRcx] = 1;
  guest.put_value<std::uint64_t>(kData, 0x1000);
  EXPECT_EQ(guest.run({0x66, 0x0f, 0x38, 0x82, 0x0b}).gpr[kR15], kGeneralProtection);
  guest.put_value<std::uint64_t>(kData, 0xfff);
  EXPECT_EQ(guest.run({0x66, 0x0f, 0x38, 0x82, 0x0b}).gpr[kR15], 0U);
}

TEST(Instructions, InvpcidDropsTranslations) {
  InstructionGuest guest;
  guest.put_value<std::uint64_t>(0x2000, 0x3007);
  guest.put_value<std::uint64_t>(0x3010, 0x31000 | 0x7);   // 4 MiB: page table at 0x31000
  guest.put_value<std::uint64_t>(0x31000, 0x32000 | 0x7);  // its first page: 0x32000
  guest.put_value<std::uint64_t>(0x32000, 1);
  guest.put_value<std::uint64_t>(0x33000, 2);
  guest.registers().gpr[kRcx] = 2;
  const Registers end = guest.run({0x48, 0x8b, 0x04, 0x25, 0x00, 0x00, 0x40, 0x00,    // mov rax, [0x400000]
                                   0x48, 0xc7, 0x04, 0x25, 0x00, 0x10, 0x03, 0x00,    // mov qword [0x31000],
                                   0x07, 0x30, 0x03, 0x00,                            //     0x33007
                                   0x66, 0x0f, 0x38, 0x82, 0x0b,                      // invpcid rcx, [rbx]
                                   0x48, 0x8b, 0x14, 0x25, 0x00, 0x00, 0x40, 0x00});  // mov rdx, [0x400000]
  EXPECT_EQ(end.gpr[kRax], 1U);
  EXPECT_EQ(end.gpr[kRdx], 2U);
}

TEST(Instructions, DirectStoresReachMemory) {
  InstructionGuest guest;
  for (std::uint64_t i = 0; i < 64; ++i)
    guest.put_value<std::uint8_t>(kData + i, static_cast<std::uint8_t>(i));
  guest.registers().gpr[kRdi] = kData + 0x40;
  guest.registers().gpr[kRax] = 0x1122334455667788;
  guest.run({0x66, 0x0f, 0x38, 0xf8, 0x3b,          // movdir64b rdi, [rbx]
             0x48, 0x0f, 0x38, 0xf9, 0x43, 0x08});  // movdiri [rbx+8], rax
  EXPECT_EQ(guest.value_at<std::uint64_t>(kData + 0x78), 0x3f3e3d3c3b3a3938U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(kData + 8), 0x1122334455667788U);
  guest.registers().gpr[kRdi] = kData + 0x48;
  EXPECT_EQ(guest.run({0x66, 0x0f, 0x38, 0xf8, 0x3b}).gpr[kR15], kGeneralProtection);
}

TEST(Instructions, DirectStoreReplacesCodeThatHasRun) {
  InstructionGuest guest;
  guest.put(0x28000, {0xb8, 1, 0, 0, 0, 0xc3});  // mov eax, 1; ret
  guest.registers().gpr[kRdi] = 0x28001;
  guest.registers().gpr[kRcx] = 7 | 0xc3000000ULL << 8;
  const Registers end = guest.run({0xbe, 0x00, 0x80, 0x02, 0x00,  // mov esi, 0x28000
                                   0xff, 0xd6,                    // call rsi
                                   0x0f, 0x38, 0xf9, 0x0f,        // movdiri [rdi], ecx
                                   0xff, 0xd6});                  // call rsi
  EXPECT_EQ(end.gpr[kRax], 7U);
}

TEST(Instructions, Cr4AndCr3AreReadAsTheyWereWritten) {
  InstructionGuest guest;
  guest.registers().gpr[kRax] = 0x8000000000001000;
  const Registers end = guest.run({0x0f, 0x22, 0xd8,    // mov cr3, rax (bit 63: keep translations)
                                   0x0f, 0x20, 0xd9,    // mov rcx, cr3
                                   0x0f, 0x20, 0xe2});  // mov rdx, cr4
  EXPECT_EQ(end.gpr[kRcx], 0x1000U);
  EXPECT_EQ(end.gpr[kRdx], 0x70620U);
}

}  // namespace virttdx::softhost
