// SPDX-License-Identifier: GPL-2.0-or-later
// Intel TDX Module ABI Specification, "Guest-Side (TDCALL) Interface Functions" and "Completion Status
// Codes": a refused operand is TDX_OPERAND_INVALID (0xc0000100'00000000) with the operand's number (RAX 0,
// RCX 1, RDX 2, R8 8). "profile" marks what softhost/README.md lists as different from a TD made by KVM.
#include <fmt/format.h>

#include "expected_lines.h"
#include "support/byte_order.h"

namespace virttdx::test {
namespace {

std::string first_element(const Measurement& value) {
  return fmt::format("rax=0x0 r8={:#x}", load_le<std::uint64_t>(value, 0));
}

ExpectedLines calls_and_information() {
  return {
      // Sub-function 0 is none (GHCI): the call itself succeeds.
      {"TDG.VP.VMCALL", "rax=0x0 r10=0x8000000000000003 r11=0x0 r12=0x0 r13=0x0 r14=0x0"},
      {"TDG.VP.VMCALL RAX-in-RCX", "rax=0xc000010000000001"},
      {"TDG.VP.VMCALL RCX-in-RCX", "rax=0xc000010000000001"},
      {"TDG.VP.VMCALL RSP-in-RCX", "rax=0xc000010000000001"},
      // profile: 0xc000010000000001 where CONFIG_FLAGS.NO_RBP_MOD is set.
      {"TDG.VP.VMCALL RBP-in-RCX", "rax=0x0"},
      {"TDG.VP.VMCALL bit-32-in-RCX", "rax=0xc000010000000001"},
      // GPAW 48, no attribute, one vCPU (profile: of one at most), index 0, TDG.SYS.RD is there.
      {"TDG.VP.INFO", "rax=0x0 rcx=0x30 rdx=0x0 r8=0x100000001 r9=0x0 r10=0x1 r11=0x0"},
      {"TDG.VP.INFO version-255", "rax=0xc000010000000000"},
      {"TDG.VP.INFO reserved-bit-of-RAX", "rax=0xc000010000000000"},
      {"TDG.MR.RTMR.EXTEND", "rax=0x0"},
      {"TDG.MR.RTMR.EXTEND unaligned", "rax=0xc000010000000001"},
      {"TDG.MR.RTMR.EXTEND shared", "rax=0xc000010000000001"},
      {"TDG.MR.RTMR.EXTEND index-4", "rax=0xc000010000000002"},
      // TDX_NO_VALID_VE_INFO; HLT is exit reason 12 of one byte.
      {"TDG.VP.VEINFO.GET none", "rax=0xc000070400000000"},
      {"TDG.VP.VEINFO.GET", "rax=0x0 rcx=0xc rdx=0x0 r8=0x0 r9=0x0 r10=0x1"},
      {"TDG.VP.VEINFO.GET again", "rax=0xc000070400000000"},
      // REPORTMACSTRUCT's type 0x81 with subtype and version 0, REPORTDATA at 128, TDINFO's ATTRIBUTES and
      // XFAM.
      {"TDG.MR.REPORT", "rax=0x0"},
      {"TDG.MR.REPORT type", "rax=0x81 rcx=0x1122334455667788 rdx=0x0 r8=0x3"},
      {"TDG.MR.REPORT unaligned", "rax=0xc000010000000001"},
      {"TDG.MR.REPORT unaligned-data", "rax=0xc000010000000002"},
      {"TDG.MR.REPORT subtype-1", "rax=0xc000010000000008"},
      {"TDG.VP.CPUIDVE.SET", "rax=0x0"},
      {"TDG.VP.CPUIDVE.SET CPUID",
       "#VE reason=0xa qualification=0x0 gla=0x0 gpa=0x0 length=0x2 information=0x0"},
      {"TDG.VP.CPUIDVE.SET reserved", "rax=0xc000010000000001"},
      {"TDG.VP.CPUIDVE.SET off", "rax=0x0"},
  };
}

// TDX_PAGE_ALREADY_ACCEPTED is 0x00000b0a'00000000, TDX_PAGE_SIZE_MISMATCH 0xc0000b0b'00000000, each with the
// level of what was found.
ExpectedLines acceptance() {
  return {
      {"TDG.MEM.PAGE.ACCEPT 4K", "rax=0x0"},
      {"TDG.MEM.PAGE.ACCEPT 4K-again", "rax=0xb0a00000000"},
      {"TDG.MEM.PAGE.ACCEPT 2M-over-4K", "rax=0xc0000b0b00000001"},
      // profile: KVM adds pages of 4 KiB only, so that this is 0xc0000b0b00000001 there.
      {"TDG.MEM.PAGE.ACCEPT 2M", "rax=0x0"},
      {"TDG.MEM.PAGE.ACCEPT 2M-again", "rax=0xb0a00000001"},
      {"TDG.MEM.PAGE.ACCEPT 4K-in-2M", "rax=0xb0a00000001"},
      {"TDG.MEM.PAGE.ACCEPT 1G", "rax=0xc000010000000001"},
      {"TDG.MEM.PAGE.ACCEPT unaligned-2M", "rax=0xc000010000000001"},
      {"TDG.MEM.PAGE.ACCEPT reserved-bit", "rax=0xc000010000000001"},
      {"TDG.MEM.PAGE.ACCEPT shared", "rax=0xc000010000000001"},
      {"TDG.MEM.PAGE.ACCEPT beyond-GPAW", "rax=0xc000010000000001"},
  };
}

// TDX_METADATA_FIELD_ID_INCORRECT 0xc0000c00, _NOT_WRITABLE 0xc0000c01, _VALUE_NOT_VALID 0xc0000c03.
ExpectedLines metadata(const PayloadTd& td) {
  return {
      {"TDG.VM.RD ATTRIBUTES", "rax=0x0 r8=0x0"},
      {"TDG.VM.RD XFAM", "rax=0x0 r8=0x3"},
      {"TDG.VM.RD TSC_FREQUENCY", fmt::format("rax=0x0 r8={:#x}", td.tsc_frequency)},
      // profile: bit 2 (NO_RBP_MOD) is set by KVM.
      {"TDG.VM.RD CONFIG_FLAGS", "rax=0x0 r8=0x0"},
      {"TDG.VM.RD TD_CTLS", "rax=0x0 r8=0x0"},
      {"TDG.VM.RD NUM_VCPUS", "rax=0x0 r8=0x1"},
      {"TDG.VM.RD MRTD", first_element(td.mrtd)},
      {"TDG.VM.RD MRCONFIGID", first_element(td.mr_config_id)},
      {"TDG.VM.RD RTMR2", first_element(td.rtmr2)},
      {"TDG.VM.RD unknown-field", "rax=0xc0000c0000000000"},
      {"TDG.VM.RD RCX", "rax=0xc000010000000001"},
      // R8 is the value before.
      {"TDG.VM.WR NOTIFY_ENABLES", "rax=0x0 r8=0x0"},
      {"TDG.VM.WR NOTIFY_ENABLES-back", "rax=0x0 r8=0x1"},
      {"TDG.VM.WR ATTRIBUTES", "rax=0xc0000c0100000000"},
      {"TDG.VM.WR PENDING_VE_DISABLE", "rax=0xc0000c0300000000"},
      {"TDG.VM.WR unknown-field", "rax=0xc0000c0000000000"},
      {"TDG.VM.WR TD_CTLS-reserved", "rax=0xc0000c0100000000"},
      {"TDG.VM.WR ENUM_TOPOLOGY", "rax=0x0 r8=0x0"},
      {"TDG.VM.WR ENUM_TOPOLOGY-off", "rax=0x0 r8=0x2"},
      {"TDG.VM.WR FEATURE_PARAVIRT_CTLS-reserved", "rax=0xc0000c0300000000"},
      {"TDG.SYS.RD ATTRIBUTES_FIXED1", "rax=0x0 r8=0x0"},
      {"TDG.SYS.RD XFAM_FIXED1", "rax=0x0 r8=0x3"},
      {"TDG.SYS.RD MAX_VCPUS_PER_TD", "rax=0x0 r8=0x240"},
      {"TDG.SYS.RD unknown-field", "rax=0xc0000c0000000000"},
      // TDX_INVALID_REPORTMACSTRUCT.
      {"TDG.MR.VERIFYREPORT", "rax=0x0"},
      {"TDG.MR.VERIFYREPORT unaligned", "rax=0xc000010000000001"},
      {"TDG.MR.VERIFYREPORT changed", "rax=0xc000100100000000"},
  };
}

// softhost/module/README.md, "Not modelled": such leaves are as unknown ones are, OPERAND_INVALID of RAX.
ExpectedLines unknown_leaves() {
  ExpectedLines lines;
  for (const char* const name :
       {"TDG.VP.RD", "TDG.VP.WR", "TDG.SYS.RDALL", "TDG.SERVTD.RD", "TDG.SERVTD.WR", "TDG.MEM.PAGE.ATTR.RD",
        "TDG.MEM.PAGE.ATTR.WR", "TDG.VP.ENTER", "TDG.VP.INVEPT", "TDG.VP.INVVPID",
        "TDG.SERVTD.REBIND.APPROVE", "unknown leaf-13", "unknown leaf-65535"})
    lines.push_back({name, "rax=0xc000010000000000"});
  lines.push_back({"TDCALL 32-bit-code", "#GP error=0x0"});
  return lines;
}

}  // namespace

ExpectedLines expected_tdcall_leaves(const PayloadTd& td) {
  ExpectedLines lines;
  for (const auto& part : {calls_and_information(), acceptance(), metadata(td), unknown_leaves()})
    lines.insert(lines.end(), part.begin(), part.end());
  return lines;
}

}  // namespace virttdx::test
