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
    KnownElements{"/domain", " bootloader bootloader_args idmap keywrap throttlegroups "},
    KnownElements{"/domain/devices",
                  " lease smartcard parallel redirfilter nvram shmem memory crypto pstore "},
    KnownElements{"/domain/os",
                  " firmware init initarg initenv initdir inituser initgroup dtb acpi shim varstore "},
    KnownElements{"/domain/features",
                  " viridian privnet xen capabilities gic hpt tseg "
                  "nested-hv msrs ccf-assist cfpc sbbc ibs tcg async-teardown ras ps2 aia "},
    KnownElements{"/domain/devices/disk", " geometry mirror backenddomain throttlefilters "},
    KnownElements{"/domain/devices/disk/source", " seclabel slices address identity privateData "},
    KnownElements{"/domain/devices/interface", " backenddomain downscript rom "},
    KnownElements{"/domain/devices/interface/source", " address reconnect ip route "},
    KnownElements{"/domain/cpu", " microcode signature counter "},
};

struct ImpossibleElement {
  std::string_view parent;
  std::string_view name;
  std::string_view why;
};

constexpr std::array kImpossible = {
    ImpossibleElement{"/domain", "maxMemory",
                      "memory cannot be plugged into a TD: its size is part of what the firmware is told at "
                      "launch; give it all by <memory>"},
    ImpossibleElement{"/domain/devices", "memory",
                      "memory cannot be plugged into a TD, nor can persistent memory or another file be its "
                      "private memory; give it all by <memory>"},
    ImpossibleElement{"/domain/devices", "hostdev",
                      "a host device cannot reach a TD's private memory by DMA; use a virtio device"},
    ImpossibleElement{"/domain/devices", "shmem",
                      "a TD's memory is private, and shared memory regions of the host are none of it; use "
                      "vsock or a network"},
    ImpossibleElement{"/domain/devices", "nvram", "a TD's firmware keeps no variables in a file; remove it"},
    ImpossibleElement{"/domain/devices", "iommu",
                      "an emulated IOMMU would have to read a TD's private memory; remove it"},
    ImpossibleElement{
        "/domain/devices", "pstore",
        "the host's store of a guest's crash messages is outside of what the TD trusts; remove it"},
    ImpossibleElement{"/domain/os", "varstore", "a TD's firmware keeps no variables in a file; remove it"},
    ImpossibleElement{"/domain/features", "tseg",
                      "it is memory of system management mode, which TDX does not have; remove it"},
    ImpossibleElement{"/domain/features", "hyperv",
                      "KVM offers a TD none of Hyper-V's enlightenments; remove it"},
    ImpossibleElement{
        "/domain/features", "vmport",
        "the port reads and writes registers of the guest, which are private in a TD; remove it"},
    ImpossibleElement{"/domain/features", "nested-hv", "a TD has no VMX; remove it"},
};

}  // namespace

std::string_view impossible_in_td(std::string_view parent_path, std::string_view name) {
  for (const auto& element : kImpossible)
    if (element.parent == parent_path && element.name == name) return element.why;
  return {};
}

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
