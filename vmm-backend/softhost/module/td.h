// SPDX-License-Identifier: GPL-2.0-or-later
// One trust domain as the TDX module keeps it: life cycle, parameters, private memory, measurements.
// Functions are the host-side interface (SEAMCALL TDH.*) that KVM uses; Intel TDX Module ABI Specification.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "softhost/module/cpuid_virtualization.h"
#include "softhost/module/mrtd_context.h"
#include "softhost/module/secure_ept.h"
#include "softhost/module/td_parameters.h"
#include "softhost/module/tdx_module.h"
#include "softhost/module/ve_reduction.h"
#include "tdx/tdx_spec.h"

namespace virttdx::softhost {

enum class TdState : std::uint8_t { Uninitialized, Initialized, Runnable };

class TdVcpu;

/// Thread-safe where vCPUs meet: memory, RTMRs, controls. Building the TD (mng_init .. mr_finalize) is
/// serialised by the caller, as KVM does. Must outlive its vCPUs.
class Td {
 public:
  /// `module` must outlive the TD.
  explicit Td(const TdxModule& module);
  ~Td();
  Td(const Td&) = delete;
  Td& operator=(const Td&) = delete;

  TdState state() const { return state_; }
  const TdxModule& module() const { return module_; }

  /// TDH.MNG.INIT. A refusal changes nothing. `rcx` is the leaf and sub-leaf that CPUID_CONFIG failed on.
  struct InitResult {
    TdxStatus status;
    std::uint64_t rcx = 0;
  };
  InitResult mng_init(const TdParameters& parameters);

  /// TDH.VP.CREATE and TDH.VP.INIT: `initial_rcx` is what the guest finds in RCX and R8. Null with a status
  /// when refused. The vCPU's index is the order of these calls.
  struct NewVcpu {
    TdxStatus status;
    std::unique_ptr<TdVcpu> vcpu;
  };
  NewVcpu vp_init(std::uint64_t initial_rcx, std::uint32_t x2apic_id);

  /// TDH.MEM.PAGE.ADD: copies 4 KiB of `source` to `host` (4 KiB aligned, the caller's) and maps it at `gpa`
  /// as the guest's. Always enters MRTD.
  TdxStatus mem_page_add(std::uint64_t gpa, std::span<const std::byte, 4096> source, std::byte* host);
  /// TDH.MR.EXTEND: measures 256 bytes at `gpa` (256-byte aligned) of an added page.
  TdxStatus mr_extend(std::uint64_t gpa);
  /// TDH.MR.FINALIZE.
  TdxStatus mr_finalize();
  /// TDH.MEM.PAGE.AUG: a pending page of 4 KiB (level 0) or 2 MiB (level 1) over contiguous host memory.
  /// `host_is_zero`: the caller knows that it holds zeros, the guest's acceptance need not write them.
  TdxStatus mem_page_aug(std::uint64_t gpa, unsigned level, std::byte* host, bool host_is_zero);
  /// TDH.MEM.PAGE.DEMOTE: 4 KiB pages in place of the 2 MiB page that holds `gpa`, in the same state.
  TdxStatus mem_page_demote(std::uint64_t gpa);
  /// TDH.MEM.RANGE.BLOCK, TDH.MEM.TRACK and TDH.MEM.PAGE.REMOVE for whatever [gpa, gpa + size) holds; a 2 MiB
  /// page partly inside is demoted first. The caller makes the vCPUs drop their translations. Returns the
  /// bytes removed.
  std::uint64_t mem_page_remove(std::uint64_t gpa, std::uint64_t size);

  /// The 4 KiB private page that holds `gpa`.
  PrivatePage walk_private(std::uint64_t gpa) const { return memory_.walk(gpa); }
  SecureEpt& memory() { return memory_; }

  /// MRTD; nothing before mr_finalize().
  std::optional<MeasurementValue> mrtd() const;
  MeasurementValue rtmr(std::size_t index) const;
  /// RTMR[index] = SHA384(RTMR[index] || data); index < 4.
  void extend_rtmr(std::size_t index, const MeasurementValue& data);

  const TdParameters& parameters() const { return parameters_; }
  unsigned gpaw() const;
  /// The SHARED bit's value: bit 47 or 51.
  std::uint64_t shared_bit() const { return std::uint64_t{1} << (gpaw() - 1); }
  /// `gpa` has no SHARED bit and lies below it.
  bool is_private(std::uint64_t gpa) const { return gpa < shared_bit(); }
  std::uint32_t vcpu_count() const { return vcpu_count_; }
  /// The x2APIC ids of all vCPUs are known, so that leaves 0xB and 0x1F can be virtualised.
  bool topology_enum_configured() const { return state_ == TdState::Runnable; }

  TdControls controls() const;
  /// TDG.VM.WR of a control: bits of `mask` take the value of `value`. `old_value` is the value before.
  struct ControlWrite {
    TdxStatus status;
    std::uint64_t old_value = 0;
  };
  ControlWrite write_td_ctls(std::uint64_t value, std::uint64_t mask);
  ControlWrite write_notify_enables(std::uint64_t value, std::uint64_t mask);
  ControlWrite write_feature_paravirt_ctls(std::uint64_t value, std::uint64_t mask);

  /// The CPUID of the TD as TDH.MNG.RD CPUID_VALUES tells it (KVM_TDX_GET_CPUID), after mng_init().
  const CpuidVirtualization& cpuid() const { return cpuid_; }

 private:
  TdxStatus check_private_page(std::uint64_t gpa, unsigned level) const;

  const TdxModule& module_;
  TdState state_ = TdState::Uninitialized;
  TdParameters parameters_;
  CpuidVirtualization cpuid_;
  SecureEpt memory_;
  std::unique_ptr<MrtdContext> measurement_;
  std::optional<MeasurementValue> mrtd_;
  std::vector<std::uint32_t> x2apic_ids_;
  std::atomic<std::uint32_t> vcpu_count_ = 0;

  mutable std::mutex mutex_;  // rtmrs_ and controls_
  std::array<MeasurementValue, tdx::kRtmrCount> rtmrs_{};
  TdControls controls_;
};

}  // namespace virttdx::softhost
