// SPDX-License-Identifier: GPL-2.0-or-later
// Arbitrary values of the types that travel as JSON.
#pragma once

#include <rapidcheck.h>

#include "device_generators.h"
#include "vmm_backend/host_capabilities.h"
#include "vmm_backend/monitor_messages.h"
#include "vmm_backend/vm_config.h"

namespace rc {

template <>
struct Arbitrary<virttdx::Measurement> {
  static Gen<virttdx::Measurement> arbitrary() {
    return gen::map(gen::container<std::vector<std::uint8_t>>(48, gen::arbitrary<std::uint8_t>()),
                    [](const std::vector<std::uint8_t>& bytes) {
                      virttdx::Measurement digest{};
                      for (std::size_t i = 0; i < digest.size(); ++i) digest.at(i) = std::byte{bytes[i]};
                      return digest;
                    });
  }
};

template <>
struct Arbitrary<virttdx::CpuidEntry> {
  static Gen<virttdx::CpuidEntry> arbitrary() {
    using virttdx::CpuidEntry;
    return gen::build<CpuidEntry>(gen::set(&CpuidEntry::function), gen::set(&CpuidEntry::index),
                                  gen::set(&CpuidEntry::index_significant), gen::set(&CpuidEntry::eax),
                                  gen::set(&CpuidEntry::ebx), gen::set(&CpuidEntry::ecx),
                                  gen::set(&CpuidEntry::edx));
  }
};

// Names are UTF-8 in JSON; bytes that are not are tested apart.
inline Gen<std::string> ascii() {
  return gen::container<std::string>(
      gen::map(gen::inRange(1, 128), [](int c) { return static_cast<char>(c); }));
}

inline Gen<std::optional<std::string>> maybe_ascii() {
  return gen::apply(
      [](bool present, std::string text) { return present ? std::optional(std::move(text)) : std::nullopt; },
      gen::arbitrary<bool>(), ascii());
}

inline Gen<std::optional<std::uint32_t>> maybe_number() {
  return gen::apply(
      [](bool present, std::uint32_t number) { return present ? std::optional(number) : std::nullopt; },
      gen::arbitrary<bool>(), gen::arbitrary<std::uint32_t>());
}

template <>
struct Arbitrary<virttdx::TdConfig> {
  static Gen<virttdx::TdConfig> arbitrary() {
    using virttdx::TdConfig;
    return gen::build<TdConfig>(
        gen::set(&TdConfig::attributes), gen::set(&TdConfig::xfam), gen::set(&TdConfig::mr_config_id),
        gen::set(&TdConfig::mr_owner), gen::set(&TdConfig::mr_owner_config), gen::set(&TdConfig::cpuid),
        gen::set(&TdConfig::vcpu_cpuid), gen::set(&TdConfig::tsc_khz),
        gen::set(&TdConfig::quote_service_socket, maybe_ascii()), gen::set(&TdConfig::quote_wait_ms));
  }
};

template <>
struct Arbitrary<virttdx::SerialConfig> {
  static Gen<virttdx::SerialConfig> arbitrary() {
    using virttdx::SerialConfig;
    return gen::build<SerialConfig>(gen::set(&SerialConfig::port), gen::set(&SerialConfig::pty),
                                    gen::set(&SerialConfig::log_file, maybe_ascii()),
                                    gen::set(&SerialConfig::log_append));
  }
};

template <>
struct Arbitrary<virttdx::NumaNodeConfig> {
  static Gen<virttdx::NumaNodeConfig> arbitrary() {
    using virttdx::NumaNodeConfig;
    return gen::build<NumaNodeConfig>(gen::set(&NumaNodeConfig::memory_bytes),
                                      gen::set(&NumaNodeConfig::vcpus), gen::set(&NumaNodeConfig::distances));
  }
};

template <>
struct Arbitrary<virttdx::VmConfig> {
  static Gen<virttdx::VmConfig> arbitrary() {
    using namespace virttdx;
    return gen::build<VmConfig>(
        gen::set(&VmConfig::name, ascii()), gen::set(&VmConfig::uuid, ascii()),
        gen::set(&VmConfig::host, gen::element(HostKind::Kvm, HostKind::Soft)),
        gen::set(&VmConfig::memory_bytes), gen::set(&VmConfig::vcpu_count), gen::set(&VmConfig::vcpu_ids),
        gen::set(&VmConfig::numa_nodes), gen::set(&VmConfig::td), gen::set(&VmConfig::firmware_path, ascii()),
        gen::set(&VmConfig::serials), gen::set(&VmConfig::devices),
        gen::set(&VmConfig::kernel, gen::exec([] { return test::maybe(test::any_kernel); })),
        gen::set(&VmConfig::smbios, gen::exec([] { return test::maybe(test::any_smbios); })),
        gen::set(&VmConfig::clock, gen::element(ClockBase::Utc, ClockBase::LocalTime)),
        gen::set(&VmConfig::clock_zone, gen::exec([] { return test::maybe(test::any_text); })),
        gen::set(&VmConfig::clock_start_seconds,
                 gen::exec([] { return test::maybe(test::any_number<std::int64_t>); })),
        gen::set(&VmConfig::clock_offset_seconds),
        gen::set(&VmConfig::on_reset, gen::element(ResetAction::Recreate, ResetAction::Stop)),
        gen::set(&VmConfig::on_power_off, gen::element(ResetAction::Recreate, ResetAction::Stop)),
        gen::set(&VmConfig::on_crash,
                 gen::element(ResetAction::Recreate, ResetAction::Stop, ResetAction::Preserve)),
        gen::set(&VmConfig::shared_page_bytes), gen::set(&VmConfig::panic_device),
        gen::set(&VmConfig::start_paused));
  }
};

template <>
struct Arbitrary<virttdx::HostCapabilities> {
  static Gen<virttdx::HostCapabilities> arbitrary() {
    using virttdx::HostCapabilities;
    return gen::build<HostCapabilities>(
        gen::set(&HostCapabilities::kind, gen::element(virttdx::HostKind::Kvm, virttdx::HostKind::Soft)),
        gen::set(&HostCapabilities::tdx_supported),
        gen::set(&HostCapabilities::tdx_unsupported_reason, ascii()),
        gen::set(&HostCapabilities::supported_attributes), gen::set(&HostCapabilities::supported_xfam),
        gen::set(&HostCapabilities::configurable_cpuid), gen::set(&HostCapabilities::user_tdvmcallinfo_1_r11),
        gen::set(&HostCapabilities::user_tdvmcallinfo_1_r12), gen::set(&HostCapabilities::supported_cpuid),
        gen::set(&HostCapabilities::max_vcpus), gen::set(&HostCapabilities::physical_address_bits),
        gen::set(&HostCapabilities::five_level_ept), gen::set(&HostCapabilities::tsc_khz),
        gen::set(&HostCapabilities::key_ids, maybe_number()),
        gen::set(&HostCapabilities::key_ids_used, maybe_number()),
        gen::set(&HostCapabilities::description, maybe_ascii()));
  }
};

template <>
struct Arbitrary<virttdx::VcpuCpuid> {
  static Gen<virttdx::VcpuCpuid> arbitrary() {
    using virttdx::VcpuCpuid;
    return gen::build<VcpuCpuid>(gen::set(&VcpuCpuid::vcpu), gen::set(&VcpuCpuid::entries));
  }
};

template <>
struct Arbitrary<virttdx::CpuidReport> {
  static Gen<virttdx::CpuidReport> arbitrary() {
    using virttdx::CpuidReport;
    return gen::build<CpuidReport>(gen::set(&CpuidReport::requested), gen::set(&CpuidReport::vcpu_requested),
                                   gen::set(&CpuidReport::actual), gen::set(&CpuidReport::deviations));
  }
};

}  // namespace rc
