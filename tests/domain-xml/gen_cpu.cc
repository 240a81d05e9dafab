// SPDX-License-Identifier: GPL-2.0-or-later
#include "gen_cpu.h"

#include <rapidcheck.h>

namespace virttdx::domain_xml::test {
namespace {

const std::vector<std::string> kFeatures = {"aes",      "avx",      "avx2",
                                            "avx512f",  "avx512bw", "amx-tile",
                                            "vmx",      "pku",      "sha-ni",
                                            "umip",     "gfni",     "vaes",
                                            "la57",     "waitpkg",  "hle",
                                            "rtm",      "pks",      "x2apic",
                                            "intel-pt", "monitor",  "tsc-deadline",
                                            "acpi",     "erms",     "fsrm",
                                            "mtrr",     "nx",       "lm",
                                            "invtsc",   "xsaves",   "md-clear",
                                            "cet-ss",   "avx-vnni", "bus-lock-detect",
                                            "movdiri"};
const std::vector<std::string> kModels = {"Nehalem",        "Haswell-noTSX", "Skylake-Server",
                                          "Icelake-Server", "EPYC",          "pentium3"};

std::vector<CpuFeature> any_features() {
  std::vector<CpuFeature> features;
  for (const auto& name : kFeatures)
    if (*rc::gen::inRange(0, 6) == 0)
      features.push_back({name, static_cast<CpuFeaturePolicy>(*rc::gen::inRange(0, 5)),
                          static_cast<int>(features.size()) + 1});
  return features;
}

}  // namespace

Cpu any_cpu(const std::vector<std::string>& checks) {
  Cpu cpu;
  cpu.mode = *rc::gen::element<std::string>("host-passthrough", "maximum", "host-model", "custom");
  if (cpu.mode == "custom") {
    cpu.model = *rc::gen::elementOf(kModels);
    cpu.check = *rc::gen::elementOf(checks);
  }
  cpu.features = any_features();
  return cpu;
}

}  // namespace virttdx::domain_xml::test
