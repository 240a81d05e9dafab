// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/machine.h"

#include "devices/acpi_pm/acpi_pm_spec.h"
#include "devices/debug_port/debug_port_spec.h"
#include "devices/fw_cfg/fw_cfg_spec.h"
#include "devices/host_bridge/host_bridge_spec.h"
#include "devices/i8042/i8042_spec.h"
#include "devices/lpc/lpc_spec.h"
#include "devices/pic/pic_spec.h"
#include "devices/rtc/rtc_spec.h"
#include "devices/serial/serial_spec.h"
#include "firmware/fw_cfg_contents.h"

namespace virttdx {

namespace {

// PMBASE as OVMF programs it.
constexpr std::uint16_t kUsualPmBase = 0x600;

CmosMemory cmos_memory(std::span<const GpaRange> ram) {
  CmosMemory memory;
  for (const GpaRange& range : ram)
    (range.base().value < 1ULL << 32 ? memory.below_4g : memory.above_4g) += range.size();
  return memory;
}

std::vector<AcpiNumaNode> acpi_numa_nodes(const MachineParts& parts) {
  std::vector<std::uint64_t> sizes;
  for (const auto& node : parts.numa_nodes) sizes.push_back(node.memory_bytes);
  auto memory = split_ram(parts.layout, sizes);
  std::vector<AcpiNumaNode> nodes;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    nodes.push_back({std::move(memory[i]), parts.numa_nodes[i].vcpus, parts.numa_nodes[i].distances});
  return nodes;
}

// Firmware programs the last two; until then nobody reads the tables.
AcpiInputs acpi_inputs(const MachineParts& parts) {
  using namespace host_bridge_spec;
  AcpiInputs inputs{.x2apic_ids = parts.x2apic_ids,
                    .serial_ports = {},
                    .pci_hole = parts.layout.pci_hole,
                    .pci_hole_64 = parts.layout.pci_hole_64,
                    .pci_window = *GpaRange::create(Gpa{kPciexbarAtReset}, kPciexbarLargest),
                    .pm_base = kUsualPmBase,
                    .panic_device = parts.on_panic != nullptr,
                    .numa_nodes = acpi_numa_nodes(parts)};
  for (const auto& [port, backend] : parts.serials) inputs.serial_ports.push_back(port);
  return inputs;
}

Result<> check_serial_ports(const MachineParts& parts) {
  for (const auto& [port, backend] : parts.serials)
    if (port >= serial_spec::kPortBases.size())
      return fail(Error::Code::InvalidArgument, "Serial port {} does not exist: 0 to 3 do", port);
  return {};
}

}  // namespace

Result<std::unique_ptr<Machine>> Machine::create(const MachineParts& parts) {
  TRY(check_serial_ports(parts));
  AcpiInputs acpi = acpi_inputs(parts);
  FwCfgItems items = TRY(fw_cfg_contents({.uuid = parts.uuid,
                                          .ram = parts.layout.ram,
                                          .acpi = acpi,
                                          .smbios = parts.smbios,
                                          .cpuid = parts.cpuid,
                                          .devices = parts.devices}));
  FwCfgViews views;
  if (parts.kernel != nullptr) {
    DirectKernelItems kernel = direct_kernel_items(*parts.kernel);
    items.merge(kernel.sizes);
    views = std::move(kernel.data);
  }
  std::unique_ptr<Machine> machine(new Machine(parts, std::move(acpi), std::move(items), std::move(views)));
  TRY(machine->add_platform());
  TRY(machine->add_legacy());
  TRY(machine->add_serials(parts.serials));
  TRY(machine->add_virtio(parts));
  return machine;
}

Machine::Machine(const MachineParts& parts, AcpiInputs acpi, FwCfgItems items, FwCfgViews views)
    : acpi_(std::move(acpi)),
      io_apic_(parts.interrupts),
      acpi_pm_(ports_, parts.clock, io_apic_.pin(acpi_pm_spec::kSciInterrupt), parts.on_power_off),
      reset_control_(parts.on_reset),
      pci_(mmio_, reset_control_),
      host_bridge_([this](const std::optional<GpaRange>& window) { place_pci_window(window); }),
      lpc_([this](std::optional<std::uint16_t> base) { place_pm_block(base); }),
      fw_cfg_(std::move(items), std::move(views), parts.memory),
      rtc_(parts.clock, cmos_memory(parts.layout.ram), parts.clock_adjustment),
      i8042_(parts.on_reset),
      port92_(parts.on_reset),
      com1_com3_line_(io_apic_.pin(serial_spec::kInterrupts[0])),
      com2_com4_line_(io_apic_.pin(serial_spec::kInterrupts[1])) {
  if (parts.on_panic) pvpanic_.emplace(parts.on_panic);
}

Result<> Machine::add_platform() {
  pci_.add(0, 0, host_bridge_);
  pci_.add(lpc_spec::kDevice, 0, lpc_);
  TRY(ports_.add(pci_spec::kConfigAddress, pci_spec::kConfigPorts, "PCI configuration", pci_.ports()));
  TRY(mmio_.add(io_apic_spec::kBase, io_apic_spec::kSize, "I/O APIC", io_apic_));
  TRY(ports_.add(fw_cfg_spec::kBase, fw_cfg_spec::kPorts, "fw_cfg", fw_cfg_));
  return ports_.add(debug_port_spec::kPort, 1, "debug port", debug_port_);
}

Result<> Machine::add_legacy() {
  TRY(ports_.add(pic_spec::kMasterPort, 2, "first 8259A", master_pic_));
  TRY(ports_.add(pic_spec::kSlavePort, 2, "second 8259A", slave_pic_));
  TRY(ports_.add(pic_spec::kEdgeLevelPort, 2, "edge/level control", edge_level_control_));
  TRY(ports_.add(rtc_spec::kIndexPort, 2, "RTC", rtc_));
  TRY(ports_.add(i8042_spec::kDataPort, 1, "keyboard controller data", i8042_.data_port()));
  TRY(ports_.add(i8042_spec::kCommandPort, 1, "keyboard controller command", i8042_.command_port()));
  if (pvpanic_) TRY(ports_.add(pvpanic_spec::kPort, 1, "pvpanic", *pvpanic_));
  return ports_.add(port92_spec::kPort, 1, "port 0x92", port92_);
}

Result<> Machine::add_virtio(const MachineParts& parts) {
  virtio_ = TRY(VirtioDevices::create(parts.devices, {.root = pci_,
                                                      .mmio = mmio_,
                                                      .memory = parts.memory,
                                                      .interrupts = parts.interrupts,
                                                      .doorbells = parts.doorbells,
                                                      .irqfds = parts.irqfds,
                                                      .backends = parts.backends,
                                                      .on_slot_power_off = parts.on_slot_power_off,
                                                      .on_port = parts.on_port}));
  return {};
}

Result<> Machine::add_serials(const std::map<std::uint8_t, SerialBackend*>& backends) {
  for (const auto& [port, backend] : backends) {
    SharedLine& line = port % 2 == 0 ? com1_com3_line_ : com2_com4_line_;
    auto& serial = serials_[port] = std::make_unique<Serial>(*backend, line.add_input());
    TRY(ports_.add(serial_spec::kPortBases[port], serial_spec::kRegisterCount, fmt::format("COM{}", port + 1),
                   *serial));
  }
  return {};
}

void Machine::place_pci_window(const std::optional<GpaRange>& window) {
  pci_.place_window(window);
  // Elsewhere it is of no use to the guest, and the tables have no place for it.
  if (!window || window->base() <= acpi_.pci_hole.base() || window->end() >= acpi_.pci_hole.end()) return;
  acpi_.pci_window = *window;
  renew_acpi_tables();
}

void Machine::place_pm_block(std::optional<std::uint16_t> base) {
  acpi_pm_.place(base);
  if (!base) return;
  acpi_.pm_base = *base;
  renew_acpi_tables();
}

void Machine::renew_acpi_tables() {
  const AcpiFiles files = acpi_files(acpi_);
  fw_cfg_.replace_file(kAcpiRsdpFile, files.rsdp);
  fw_cfg_.replace_file(kAcpiTablesFile, files.tables);
}

}  // namespace virttdx
