// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/known_elements.h"

#include <array>

namespace virttdx::domain_xml {
namespace {

struct KnownElements {
  std::string_view parent;
  std::string_view names;  // between spaces
};

constexpr std::array kKnown = {
    KnownElements{
        "/domain",
        " genid maxMemory blkiotune memtune memoryBacking vcpus iothreads iothreadids defaultiothread "
        "cputune numatune resource sysinfo bootloader bootloader_args idmap pm perf seclabel keywrap "
        "throttlegroups "},
    KnownElements{
        "/domain/devices",
        " disk controller lease filesystem interface smartcard parallel channel input tpm graphics sound "
        "audio video hostdev redirdev redirfilter hub watchdog memballoon rng nvram panic shmem memory "
        "iommu vsock crypto pstore "},
    KnownElements{"/domain/os",
                  " firmware init initarg initenv initdir inituser initgroup dtb acpi shim bootmenu "
                  "bios smbios varstore "},
    KnownElements{
        "/domain/features",
        " hap viridian privnet hyperv kvm xen pvspinlock capabilities vmport gic hpt vmcoreinfo tseg "
        "nested-hv msrs ccf-assist cfpc sbbc ibs tcg async-teardown ras ps2 aia "},
    KnownElements{"/domain/cpu", " numa cache microcode signature counter "},
};

}  // namespace

bool is_libvirt_element(std::string_view parent_path, std::string_view name) {
  for (const auto& known : kKnown) {
    if (known.parent != parent_path) continue;
    const auto at = known.names.find(name);
    return at != std::string_view::npos && at > 0 && known.names[at - 1] == ' ' &&
           known.names[at + name.size()] == ' ';
  }
  return false;
}

}  // namespace virttdx::domain_xml
