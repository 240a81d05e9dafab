// SPDX-License-Identifier: GPL-2.0-or-later
// What the payload must have a line for. A line belongs to an entry by the first word of its name.
#pragma once

#include <array>
#include <string_view>

namespace virttdx::test {

/// TDCALL leaves 0 to 12, 18, 20, 22 to 27, 33 of the TDX Module ABI Specification.
inline constexpr std::array kTdcallLeaves = {
    "TDG.VP.VMCALL",
    "TDG.VP.INFO",
    "TDG.MR.RTMR.EXTEND",
    "TDG.VP.VEINFO.GET",
    "TDG.MR.REPORT",
    "TDG.VP.CPUIDVE.SET",
    "TDG.MEM.PAGE.ACCEPT",
    "TDG.VM.RD",
    "TDG.VM.WR",
    "TDG.VP.RD",
    "TDG.VP.WR",
    "TDG.SYS.RD",
    "TDG.SYS.RDALL",
    "TDG.SERVTD.RD",
    "TDG.SERVTD.WR",
    "TDG.MR.VERIFYREPORT",
    "TDG.MEM.PAGE.ATTR.RD",
    "TDG.MEM.PAGE.ATTR.WR",
    "TDG.VP.ENTER",
    "TDG.VP.INVEPT",
    "TDG.VP.INVVPID",
    "TDG.SERVTD.REBIND.APPROVE",
};
/// Those of them that the software host's module answers: each must succeed once and be refused once.
inline constexpr std::array kModelledLeaves = {
    "TDG.VP.VMCALL", "TDG.VP.INFO",        "TDG.MR.RTMR.EXTEND",  "TDG.VP.VEINFO.GET",
    "TDG.MR.REPORT", "TDG.VP.CPUIDVE.SET", "TDG.MEM.PAGE.ACCEPT", "TDG.VM.RD",
    "TDG.VM.WR",     "TDG.SYS.RD",         "TDG.MR.VERIFYREPORT",
};
/// Sub-functions of TDG.VP.VMCALL in the GHCI; the last is "R10 is not 0". ReportFatalError is the last thing
/// the payload does: its words are the monitor's.
inline constexpr std::array kTdVmcalls = {
    "Instruction.CPUID",
    "Instruction.HLT",
    "Instruction.IO",
    "Instruction.RDMSR",
    "Instruction.WRMSR",
    "RequestMMIO",
    "Instruction.WBINVD",
    "Instruction.PCONFIG",
    "GetTdVmCallInfo",
    "MapGPA",
    "GetQuote",
    "SetupEventNotifyInterrupt",
    "Service",
    "MigTD",
    "unknown",
    "vendor",
};
/// Those that KVM or the monitor serve, with an operand that can be refused.
inline constexpr std::array kRefusingTdVmcalls = {
    "Instruction.IO", "Instruction.RDMSR", "Instruction.WRMSR",         "RequestMMIO", "GetTdVmCallInfo",
    "MapGPA",         "GetQuote",          "SetupEventNotifyInterrupt",
};
/// TDX Module Base Specification: what raises #VE, and what an exception in its place.
inline constexpr std::array kVeSources = {
    "CPUID",  "RDMSR",    "WRMSR",    "IO",       "HLT",     "INVD",    "WBINVD", "VMCALL",
    "CR0",    "CR4",      "access",   "XSETBV",   "MONITOR", "MWAIT",   "RSM",    "RDPMC",
    "GETSEC", "VMXON",    "VMLAUNCH", "VMRESUME", "VMREAD",  "VMWRITE", "VMFUNC", "ENCLS",
    "ENCLV",  "SEAMCALL", "SEAMOPS",  "PCONFIG",  "TDCALL",  "#VE",
};

}  // namespace virttdx::test
