// SPDX-License-Identifier: GPL-2.0-or-later
// https://libvirt.org/formatdomaincaps.html
#include <algorithm>
#include <array>
#include <initializer_list>

#include "domain_xml/cpu_models.h"
#include "domain_xml/plan.h"
#include "plan/firmware.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

using Words = std::initializer_list<std::string_view>;

xml::Element& add_supported(xml::Element& parent, std::string_view name, bool supported) {
  auto& element = parent.add_child(name);
  element.add_attribute("supported", supported ? "yes" : "no");
  return element;
}

void add_enum(xml::Element& parent, std::string_view name, Words values) {
  auto& element = parent.add_child("enum");
  element.add_attribute("name", std::string(name));
  for (const auto value : values) element.add_text("value", std::string(value));
}

void add_os(xml::Element& root, const DomainCapabilitiesRequest& request) {
  auto& os = add_supported(root, "os", true);
  add_enum(os, "firmware", {"efi"});
  const auto images = firmware_for_trust_domains(request.sources, request.machine);
  auto& loader = add_supported(os, "loader", true);
  for (const auto& image : images) loader.add_text("value", image);
  add_enum(loader, "type", {"rom"});
  add_enum(loader, "readonly", {"yes"});
  add_enum(loader, "secure", {"no"});
}

xml::Element& add_mode(xml::Element& cpu, std::string_view name, bool supported) {
  auto& mode = cpu.add_child("mode");
  mode.add_attribute("name", std::string(name));
  mode.add_attribute("supported", supported ? "yes" : "no");
  return mode;
}

void add_host_model(xml::Element& cpu, const HostCapabilities& host, const PlanSources& sources) {
  const auto model = host_model_cpu(host, sources);
  auto& mode = add_mode(cpu, "host-model", host.tdx_supported && model.has_value());
  if (!host.tdx_supported || !model) return;
  auto& name = mode.add_child("model");
  name.add_attribute("fallback", *model->fallback);
  name.set_text(*model->model);
  if (model->vendor) mode.add_text("vendor", *model->vendor);
  auto& address = mode.add_child("maxphysaddr");
  address.add_attribute("mode", "passthrough");
  address.add_attribute("limit", std::to_string(host.physical_address_bits));
  for (const auto& feature : model->features) {
    auto& element = mode.add_child("feature");
    element.add_attribute("policy", feature.policy == CpuFeaturePolicy::Disable ? "disable" : "require");
    element.add_attribute("name", feature.name);
  }
}

void add_named_model(xml::Element& mode, const CpuModelUsability& model) {
  auto& element = mode.add_child("model");
  element.add_attribute("usable", model.usable ? "yes" : "no");
  element.add_attribute("vendor", model.vendor);
  element.set_text(model.name);
  if (model.blockers.empty()) return;
  auto& blockers = mode.add_child("blockers");
  blockers.add_attribute("model", model.name);
  for (const auto& feature : model.blockers) blockers.add_child("feature").add_attribute("name", feature);
}

// Without a CPU map no name means anything.
void add_custom(xml::Element& cpu, const HostCapabilities& host, const PlanSources& sources) {
  const auto models = cpu_model_usability(host, sources);
  const bool supported = host.tdx_supported && models.has_value();
  auto& mode = add_mode(cpu, "custom", supported);
  if (!supported) return;
  for (const auto& model : *models) add_named_model(mode, model);
}

void add_cpu(xml::Element& root, const HostCapabilities& host, const PlanSources& sources) {
  const bool supported = host.tdx_supported;
  auto& cpu = root.add_child("cpu");
  auto& passthrough = add_mode(cpu, "host-passthrough", supported);
  if (supported) add_enum(passthrough, "hostPassthroughMigratable", {"off"});
  auto& maximum = add_mode(cpu, "maximum", supported);
  if (supported) add_enum(maximum, "maximumMigratable", {"off"});
  add_host_model(cpu, host, sources);
  add_custom(cpu, host, sources);
}

void add_devices(xml::Element& root) {
  auto& devices = root.add_child("devices");
  auto& disk = add_supported(devices, "disk", true);
  // What the format cannot say: disks are on the first bus, CD-ROM drives on the second.
  add_enum(disk, "diskDevice", {"disk", "cdrom"});
  add_enum(disk, "bus", {"virtio", "scsi"});
  add_enum(disk, "model", {"virtio", "virtio-non-transitional"});
  add_supported(devices, "graphics", false);
  add_enum(add_supported(devices, "video", true), "modelType", {"none"});
  add_supported(devices, "hostdev", false);
  auto& rng = add_supported(devices, "rng", true);
  add_enum(rng, "model", {"virtio", "virtio-non-transitional"});
  add_enum(rng, "backendModel", {"random", "builtin"});
  for (const std::string_view name : {"filesystem", "tpm", "redirdev"}) add_supported(devices, name, false);
  add_enum(add_supported(devices, "channel", true), "type", {"pty", "unix"});
}

void add_features(xml::Element& root, const HostCapabilities& host) {
  auto& features = root.add_child("features");
  for (const std::string_view name : {"gic", "vmcoreinfo", "genid", "backingStoreInput", "backup"})
    add_supported(features, name, false);
  add_supported(features, "tdx", host.tdx_supported);
  for (const std::string_view name : {"sev", "sgx", "hyperv"}) add_supported(features, name, false);
  auto& security = add_supported(features, "launchSecurity", host.tdx_supported);
  if (host.tdx_supported) add_enum(security, "sectype", {"tdx"});
}

}  // namespace

std::string format_domain_capabilities(const HostCapabilities& host,
                                       const DomainCapabilitiesRequest& request) {
  xml::Element root;
  root.name = "domainCapabilities";
  root.add_text("path", request.emulator_path);
  root.add_text("domain", "kvm");
  root.add_text("machine", request.machine);
  root.add_text("arch", "x86_64");
  root.add_child("vcpu").add_attribute("max", std::to_string(host.max_vcpus));
  add_supported(root, "iothreads", false);
  add_os(root, request);
  add_cpu(root, host, request.sources);
  add_supported(root, "memoryBacking", false);
  add_devices(root);
  add_features(root, host);
  return xml::write_element(root);
}

}  // namespace virttdx::domain_xml
