// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/acpi/acpi_files.h"

#include "firmware/acpi/acpi_table.h"
#include "firmware/acpi/acpi_tables.h"
#include "firmware/acpi/table_loader.h"

namespace virttdx {

using namespace acpi_spec;

namespace {

using Bytes = std::vector<std::byte>;

/// The file of tables: appends, and tells where.
class TablesFile {
 public:
  std::size_t add(const Bytes& table) {
    constexpr std::size_t kAlignment = 8;
    bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
    const std::size_t offset = bytes_.size();
    bytes_.insert(bytes_.end(), table.begin(), table.end());
    return offset;
  }
  Bytes take() { return std::move(bytes_); }
  std::size_t size() const { return bytes_.size(); }
  /// The 8 bytes at `field` become the address of what is at `target`, and the checksum is left to firmware.
  void point(TableLoader& loader, std::size_t field, std::size_t target) {
    store_le<std::uint64_t>(std::span(bytes_), field, target);
    loader.add_pointer(kAcpiTablesFile, field, kAcpiTablesFile);
  }
  void leave_checksum(TableLoader& loader, std::size_t table, std::size_t size) {
    bytes_[table + kHeaderChecksum] = std::byte{0};
    loader.add_checksum(kAcpiTablesFile, table + kHeaderChecksum, {table, size});
  }

 private:
  Bytes bytes_;
};

std::size_t add_fadt(TablesFile& file, TableLoader& loader, const AcpiInputs& inputs) {
  const std::size_t facs = file.add(build_facs());
  const std::size_t dsdt = file.add(build_dsdt(inputs));
  const std::size_t fadt = file.add(build_fadt(inputs));
  file.point(loader, fadt + kXFacs, facs);
  file.point(loader, fadt + kXDsdt, dsdt);
  file.leave_checksum(loader, fadt, kFadtSize);
  return fadt;
}

std::size_t add_xsdt(TablesFile& file, TableLoader& loader, std::span<const std::size_t> tables) {
  AcpiTable empty("XSDT", kXsdtRevision);
  empty.resize(kHeaderSize + tables.size() * sizeof(std::uint64_t));
  const std::size_t xsdt = file.add(std::move(empty).finish());
  for (std::size_t i = 0; i < tables.size(); ++i)
    file.point(loader, xsdt + kHeaderSize + i * sizeof(std::uint64_t), tables[i]);
  file.leave_checksum(loader, xsdt, file.size() - xsdt);
  return xsdt;
}

Bytes build_rsdp(TableLoader& loader, std::size_t xsdt) {
  constexpr std::uint8_t kRevision = 2;
  Bytes bytes(kRsdpSize);
  const std::span rsdp(bytes);
  put_text(rsdp.first(8), "RSD PTR ");
  put_text(rsdp.subspan(kRsdpOemId, 6), kAcpiOemId);
  store_le(rsdp, kRsdpRevision, kRevision);
  store_le<std::uint32_t>(rsdp, kRsdpLength, kRsdpSize);
  store_le<std::uint64_t>(rsdp, kRsdpXsdt, xsdt);
  loader.add_pointer(kAcpiRsdpFile, kRsdpXsdt, kAcpiTablesFile);
  loader.add_checksum(kAcpiRsdpFile, kRsdpChecksum, {0, kRsdpSizeRevision0});
  loader.add_checksum(kAcpiRsdpFile, kRsdpExtendedChecksum, {0, kRsdpSize});
  return bytes;
}

}  // namespace

AcpiFiles acpi_files(const AcpiInputs& inputs) {
  TableLoader loader;
  loader.allocate(kAcpiRsdpFile, 16, TableLoader::Zone::Fseg);
  loader.allocate(kAcpiTablesFile, kFacsSize, TableLoader::Zone::High);
  TablesFile tables;
  std::vector offsets = {add_fadt(tables, loader, inputs), tables.add(build_madt(inputs)),
                         tables.add(build_mcfg(inputs))};
  if (!inputs.numa_nodes.empty()) {
    offsets.push_back(tables.add(build_srat(inputs)));
    if (!inputs.numa_nodes.front().distances.empty()) offsets.push_back(tables.add(build_slit(inputs)));
  }
  const std::size_t xsdt = add_xsdt(tables, loader, offsets);
  Bytes rsdp = build_rsdp(loader, xsdt);
  return {std::move(rsdp), tables.take(), loader.take()};
}

}  // namespace virttdx
