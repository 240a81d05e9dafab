// SPDX-License-Identifier: GPL-2.0-or-later
// MRTD as the TDX module computes it while a TD is built. Intel TDX Module Base Specification, "Measurement
// and Attestation"; written apart from the monitor's prediction on purpose, so that each checks the other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "tdx/tdx_spec.h"

struct evp_md_ctx_st;

namespace virttdx::softhost {

using MeasurementValue = std::array<std::byte, tdx::kMeasurementSize>;

MeasurementValue sha384(std::span<const std::byte> bytes);

class MrtdContext {
 public:
  MrtdContext();
  void page_add(std::uint64_t gpa);
  void extend(std::uint64_t gpa, std::span<const std::byte, tdx::kExtendChunkSize> chunk);
  /// Ends the computation.
  MeasurementValue finish();

 private:
  void record(const char* name, std::uint64_t gpa);

  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace virttdx::softhost
