// SPDX-License-Identifier: GPL-2.0-or-later
// What firmware does with the ACPI files: runs the loader script, as edk2's AcpiPlatformDxe does.
#pragma once

#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "firmware/acpi/acpi_files.h"
#include "support/byte_order.h"

namespace virttdx::test {

inline std::vector<std::uint32_t> first_ids(std::uint32_t count) {
  std::vector<std::uint32_t> ids(count);
  std::iota(ids.begin(), ids.end(), 0U);
  return ids;
}

inline AcpiInputs example_acpi_inputs() {
  return {.x2apic_ids = {0, 1},
          .serial_ports = {0, 1},
          .pci_hole = *GpaRange::create(Gpa{0x20000000}, 0xFEC00000 - 0x20000000),
          .pci_hole_64 = *GpaRange::create(Gpa{1ULL << 32}, (1ULL << 46) - (1ULL << 32)),
          .pci_window = *GpaRange::create(Gpa{0xE0000000}, 256U << 20),
          .pm_base = 0x600};
}

/// Memory with the files in it, and where they are.
class InstalledTables {
 public:
  explicit InstalledTables(const AcpiFiles& files)
      : files_{{kAcpiRsdpFile, files.rsdp}, {kAcpiTablesFile, files.tables}} {
    for (std::size_t at = 0; at < files.loader.size(); at += 128)
      run(std::span(files.loader).subspan(at, 128));
  }

  std::span<const std::byte> at(std::uint64_t address) const {
    return std::span(memory_).subspan(address - kBase);
  }
  std::span<const std::byte> table(std::uint64_t address) const {
    const auto rest = at(address);
    return rest.first(load_le<std::uint32_t>(rest, 4));
  }
  std::span<const std::byte> rsdp() const { return at(places_.at(kAcpiRsdpFile)).first(36); }
  std::span<const std::byte> xsdt() const { return table(load_le<std::uint64_t>(rsdp(), 24)); }
  /// By signature; those that XSDT and FADT point to.
  std::map<std::string, std::span<const std::byte>> all() const {
    std::map<std::string, std::span<const std::byte>> found{{"XSDT", xsdt()}};
    for (std::size_t entry = 36; entry < xsdt().size(); entry += 8) {
      const auto bytes = table(load_le<std::uint64_t>(xsdt(), entry));
      found[signature(bytes)] = bytes;
    }
    for (const std::size_t field : {132, 140}) {
      const auto bytes = table(load_le<std::uint64_t>(found.at("FACP"), field));
      found[signature(bytes)] = bytes;
    }
    return found;
  }
  static std::string signature(std::span<const std::byte> table) {
    return {reinterpret_cast<const char*>(table.data()), 4};
  }
  static unsigned sum(std::span<const std::byte> bytes) {
    unsigned total = 0;
    for (const std::byte byte : bytes) total += std::to_integer<unsigned>(byte);
    return total & 0xFF;
  }

 private:
  static constexpr std::uint64_t kBase = 0x10000;

  static std::string text(std::span<const std::byte> field) {
    return reinterpret_cast<const char*>(field.data());
  }
  void run(std::span<const std::byte> command) {
    const auto kind = load_le<std::uint32_t>(command, 0);
    const std::string file = text(command.subspan(4, 56));
    if (kind == 1) allocate(file, load_le<std::uint32_t>(command, 60));
    if (kind == 2) add_pointer(file, text(command.subspan(60, 56)), load_le<std::uint32_t>(command, 116));
    if (kind == 3)
      add_checksum(file, load_le<std::uint32_t>(command, 60), load_le<std::uint32_t>(command, 64),
                   load_le<std::uint32_t>(command, 68));
  }
  void allocate(const std::string& file, std::size_t alignment) {
    memory_.resize((memory_.size() + alignment - 1) / alignment * alignment);
    places_[file] = kBase + memory_.size();
    memory_.insert(memory_.end(), files_.at(file).begin(), files_.at(file).end());
  }
  void add_pointer(const std::string& file, const std::string& target, std::size_t offset) {
    const std::size_t at = places_.at(file) - kBase + offset;
    store_le(std::span(memory_), at, load_le<std::uint64_t>(memory_, at) + places_.at(target));
  }
  void add_checksum(const std::string& file, std::size_t offset, std::size_t start, std::size_t size) {
    const std::size_t base = places_.at(file) - kBase;
    memory_[base + offset] = static_cast<std::byte>(-sum(std::span(memory_).subspan(base + start, size)));
  }

  std::map<std::string, std::vector<std::byte>> files_;
  std::map<std::string, std::uint64_t> places_;
  std::vector<std::byte> memory_;
};

}  // namespace virttdx::test
