// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of a VmConfig that hold on every host. What a host offers is checked by domain-xml/plan, and
// again by KVM and the TDX module.
#include <algorithm>
#include <bitset>
#include <cctype>
#include <functional>
#include <numeric>

#include "control/validation.h"
#include "vmm_backend/memory_limits.h"
#include "vmm_backend/qgs_address.h"

namespace virttdx {
namespace {

// KVM's largest VM (KVM_MAX_VCPUS), and the largest id that the software TDX host has too.
constexpr std::uint32_t kVcpuMaximum = 4096, kVcpuIdLimit = 4096;
constexpr std::uint32_t kTscMinimum = 100'000, kTscMaximum = 10'000'000, kTscUnit = 25'000;
constexpr unsigned kSerialPorts = 4;
constexpr std::size_t kNameMaximum = 255, kZoneMaximum = 255;
// A guest whose vCPU stands still longer takes it for a lockup.
constexpr std::uint32_t kQuoteWaitMaximum = 10'000;

// TDX Module ABI, TD_PARAMS.XFAM: x87 and SSE always; AVX-512 and AMX tile state come as whole groups.
constexpr std::uint64_t kXfamFixed1 = 0x3, kXfamAvx512 = 0xE0, kXfamAvx = 0x4, kXfamAmx = 0x60000,
                        kXfamCet = 0x1800;

Result<> check_uuid(const std::string& uuid) {
  bool good = uuid.size() == 36;
  for (std::size_t i = 0; good && i < uuid.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    good = dash ? uuid[i] == '-' : std::isxdigit(static_cast<unsigned char>(uuid[i])) != 0;
  }
  if (good) return {};
  return fail(Error::Code::InvalidArgument,
              "/uuid: '{}' is not 36 characters of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", uuid);
}

Result<> check_sizes(const VmConfig& config) {
  if (config.memory_bytes % kRamUnit != 0)
    return fail(Error::Code::InvalidArgument, "/memory_bytes: {} is not a multiple of 2 MiB",
                config.memory_bytes);
  if (config.memory_bytes < kRamMinimum || config.memory_bytes > kRamMaximum)
    return fail(Error::Code::InvalidArgument, "/memory_bytes: {} is outside {}", config.memory_bytes,
                kRamLimits);
  constexpr std::uint64_t kHugePages[] = {2ULL << 20, 1ULL << 30};
  const std::uint64_t page = config.shared_page_bytes;
  if (page != 0 && std::ranges::find(kHugePages, page) == std::end(kHugePages))
    return fail(Error::Code::InvalidArgument, "/shared_page_bytes: {} is neither 2 MiB nor 1 GiB", page);
  if (page != 0 && config.memory_bytes % page != 0)
    return fail(Error::Code::InvalidArgument,
                "/shared_page_bytes: memory of {} bytes is no multiple of pages of {} bytes",
                config.memory_bytes, page);
  if (config.vcpu_count < 1 || config.vcpu_count > kVcpuMaximum)
    return fail(Error::Code::InvalidArgument, "/vcpu_count: {} is outside 1 to {}", config.vcpu_count,
                kVcpuMaximum);
  return {};
}

Result<> check_vcpu_ids(const VmConfig& config) {
  const auto& ids = config.vcpu_ids;
  if (ids.empty()) return {};
  if (ids.size() != config.vcpu_count)
    return fail(Error::Code::InvalidArgument, "/vcpu_ids: {} ids for {} vCPUs", ids.size(),
                config.vcpu_count);
  const bool rises = std::ranges::adjacent_find(ids, std::ranges::greater_equal()) == ids.end();
  if (ids.front() != 0 || ids.back() >= kVcpuIdLimit || !rises)
    return fail(Error::Code::InvalidArgument, "/vcpu_ids: they do not rise from 0 to {} at most",
                kVcpuIdLimit - 1);
  return {};
}

Result<> check_serials(const std::vector<SerialConfig>& serials) {
  std::bitset<kSerialPorts> used;
  for (const auto& serial : serials) {
    if (serial.port >= kSerialPorts)
      return fail(Error::Code::InvalidArgument, "/serials: port {} is outside 0 to {}", serial.port,
                  kSerialPorts - 1);
    if (used.test(serial.port))
      return fail(Error::Code::InvalidArgument, "/serials: port {} stands twice", serial.port);
    used.set(serial.port);
    if (serial.log_file) TRY(check_text("/serials: log_file", *serial.log_file, kPathMaximum));
  }
  return {};
}

Result<> check_whole_group(std::uint64_t xfam, std::uint64_t group, const char* name) {
  if ((xfam & group) == 0 || (xfam & group) == group) return {};
  return fail(Error::Code::InvalidArgument,
              "/td/xfam: {:#x} has only some of the {} bits {:#x}; set all or none", xfam, name, group);
}

Result<> check_xfam(std::uint64_t xfam) {
  if ((xfam & kXfamFixed1) != kXfamFixed1)
    return fail(Error::Code::InvalidArgument,
                "/td/xfam: {:#x} lacks x87 and SSE (bits 0 and 1), which are fixed-1", xfam);
  TRY(check_whole_group(xfam, kXfamAvx512, "AVX-512"));
  TRY(check_whole_group(xfam, kXfamAmx, "AMX"));
  TRY(check_whole_group(xfam, kXfamCet, "CET"));
  if ((xfam & kXfamAvx512) != 0 && (xfam & kXfamAvx) == 0)
    return fail(Error::Code::InvalidArgument, "/td/xfam: {:#x} has AVX-512 without AVX (bit 2)", xfam);
  return {};
}

Result<> check_tsc(std::uint32_t khz) {
  if (khz == 0) return {};
  if (khz < kTscMinimum || khz > kTscMaximum || khz % kTscUnit != 0)
    return fail(Error::Code::InvalidArgument, "/td/tsc_khz: {} is not 0 or {} to {} in steps of {}", khz,
                kTscMinimum, kTscMaximum, kTscUnit);
  return {};
}

// The one leaf that INIT_VM insists on: guest-physical address width in 0x80000008.EAX[23:16].
Result<> check_gpaw(const CpuidEntries& cpuid) {
  const auto* const entry = find_cpuid(cpuid, 0x80000008, 0);
  if (entry == nullptr)
    return fail(Error::Code::InvalidArgument,
                "/td/cpuid: leaf 0x80000008 is missing; its EAX[23:16] must say 48 or 52");
  const std::uint32_t gpaw = (entry->eax >> 16) & 0xFF;
  if (gpaw != 48 && gpaw != 52)
    return fail(Error::Code::InvalidArgument, "/td/cpuid: 0x80000008.EAX[23:16] is {}; TDX allows 48 or 52",
                gpaw);
  return {};
}

Result<> check_duplicates(const char* field, const CpuidEntries& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& entry = entries[i];
    const auto rest = std::span(entries).subspan(i + 1);
    if (find_cpuid(rest, entry.function, entry.index) != nullptr)
      return fail(Error::Code::InvalidArgument, "{}: leaf {:#x} sub-leaf {:#x} stands twice", field,
                  entry.function, entry.index);
  }
  return {};
}

Result<> check_quotes(const TdConfig& td) {
  if (td.quote_wait_ms > kQuoteWaitMaximum)
    return fail(Error::Code::InvalidArgument, "/td/quote_wait_ms: {} is outside 0 to {}", td.quote_wait_ms,
                kQuoteWaitMaximum);
  if (!td.quote_service_socket) return {};
  TRY(check_text("/td/quote_service_socket", *td.quote_service_socket, kPathMaximum));
  const auto address = qgs::parse_address(*td.quote_service_socket);
  if (address) return {};
  return tl::unexpected(Error(address.error()).with_context("/td/quote_service_socket"));
}

Result<> check_td(const TdConfig& td) {
  TRY(check_xfam(td.xfam));
  TRY(check_tsc(td.tsc_khz));
  TRY(check_gpaw(td.cpuid));
  TRY(check_duplicates("/td/cpuid", td.cpuid));
  TRY(check_duplicates("/td/vcpu_cpuid", td.vcpu_cpuid));
  return check_quotes(td);
}

}  // namespace

std::vector<std::uint32_t> x2apic_ids(const std::vector<std::uint32_t>& vcpu_ids, std::uint32_t vcpu_count) {
  if (!vcpu_ids.empty()) return vcpu_ids;
  std::vector<std::uint32_t> ids(vcpu_count);
  std::iota(ids.begin(), ids.end(), 0U);
  return ids;
}

Result<> check_text(const std::string& field, const std::string& text, std::size_t maximum) {
  if (text.empty()) return fail(Error::Code::InvalidArgument, "{} is empty", field);
  if (text.size() > maximum)
    return fail(Error::Code::InvalidArgument, "{} has {} bytes; at most {} are accepted", field, text.size(),
                maximum);
  if (text.find('\0') != std::string::npos)
    return fail(Error::Code::InvalidArgument, "{} contains a NUL byte", field);
  return {};
}

Result<> check_optional_text(const std::string& field, const std::optional<std::string>& text,
                             std::size_t maximum) {
  return text ? check_text(field, *text, maximum) : Result<>();
}

Result<> validate(const VmConfig& config) {
  TRY(check_text("/name", config.name, kNameMaximum));
  TRY(check_uuid(config.uuid));
  TRY(check_sizes(config));
  TRY(check_vcpu_ids(config));
  TRY(validate_numa_nodes(config));
  if (config.on_reset == ResetAction::Preserve || config.on_power_off == ResetAction::Preserve)
    return fail(Error::Code::InvalidArgument, "preserve is for /on_crash only");
  TRY(check_text("/firmware_path", config.firmware_path, kPathMaximum));
  TRY(check_serials(config.serials));
  TRY(check_optional_text("/clock_zone", config.clock_zone, kZoneMaximum));
  TRY(validate_devices(config.devices));
  if (config.kernel) TRY(validate_kernel(*config.kernel));
  if (config.smbios) TRY(validate_smbios(*config.smbios));
  return check_td(config.td);
}

}  // namespace virttdx
