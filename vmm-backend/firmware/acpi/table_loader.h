// SPDX-License-Identifier: GPL-2.0-or-later
// The script of etc/table-loader: what firmware does with the files that hold tables. Layout: QEMU's
// hw/acpi/bios-linker-loader.c; OVMF takes it by OvmfPkg/AcpiPlatformDxe/QemuLoader.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace virttdx {

/// Appends one command a call. File names are of fw_cfg, offsets inside of the named file.
class TableLoader {
 public:
  enum class Zone : std::uint8_t { High = 1, Fseg = 2 };
  struct Extent {
    std::size_t start;
    std::size_t size;
  };

  void allocate(std::string_view file, std::uint32_t alignment, Zone zone);
  /// The 8 bytes at `offset` of `file` hold an offset into `target`; firmware adds where it has put `target`.
  void add_pointer(std::string_view file, std::size_t offset, std::string_view target);
  /// The byte at `offset`, now 0, is to make the bytes of `summed` add up to 0.
  void add_checksum(std::string_view file, std::size_t offset, Extent summed);

  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::size_t append(std::uint32_t command);
  void put_name(std::size_t offset, std::string_view name);
  template <typename T>
  void put(std::size_t offset, T value);

  std::vector<std::byte> bytes_;
};

}  // namespace virttdx
