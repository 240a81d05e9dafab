// SPDX-License-Identifier: GPL-2.0-or-later
// Documents a second: reading, checking, validating and writing a domain as Nova makes them, next to
// libvirt's own parser (its test driver, in this process) and virt-xml-validate on the same file. libvirt 9.0
// knows neither launchSecurity type='tdx' nor, in its test driver, type='kvm': it gets the file without the
// one and with type='test' instead of the other.
#include <benchmark/benchmark.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "domain_xml/plan.h"
#include "domain_xml/schema.h"

namespace {

using namespace virttdx;
using namespace virttdx::domain_xml;

const std::filesystem::path kRoot = VIRTTDX_SOURCE_ROOT;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string document() { return read_file(kRoot / "tests/bench/nova.xml"); }

std::string document_for_libvirt() {
  auto text = document();
  const std::string end = "</launchSecurity>";
  const auto from = text.find("<launchSecurity"), to = text.find(end) + end.size();
  text.erase(from, to - from);
  const std::string type = "type=\"kvm\"";
  return text.replace(text.find(type), type.size(), "type='test'");
}

void count(benchmark::State& state) { state.SetItemsProcessed(state.iterations()); }

Domain completed() {
  return *complete_definition(*parse_domain(document()), {.emulator = "/usr/libexec/virttdx-vmm"});
}

void virttdx_read(benchmark::State& state) {
  const auto text = document();
  for (auto _ : state) benchmark::DoNotOptimize(parse_domain(text));
  count(state);
}

void virttdx_check(benchmark::State& state) {
  const auto domain = completed();
  const auto host = *host_capabilities_from_json(read_file(kRoot / "tools/hosts/sapphire-rapids.json"));
  const auto plan = plan_launch(domain, host);
  if (!plan || !plan->can_start()) return state.SkipWithError("the document cannot start on Sapphire Rapids");
  for (auto _ : state) benchmark::DoNotOptimize(plan_launch(domain, host));
  count(state);
}

void virttdx_write(benchmark::State& state) {
  const auto domain = completed();
  for (auto _ : state) benchmark::DoNotOptimize(format_domain(domain));
  count(state);
}

void virttdx_validate(benchmark::State& state) {
  const auto text = document();
  const auto schema = kRoot / "schemas/domain.rng";
  if (const auto valid = validate_domain(text, schema); !valid)
    return state.SkipWithError(valid.error().message().c_str());
  for (auto _ : state) benchmark::DoNotOptimize(validate_domain(text, schema));
  count(state);
}

using Connection = std::unique_ptr<virConnect, int (*)(virConnectPtr)>;
using LibvirtDomain = std::unique_ptr<virDomain, int (*)(virDomainPtr)>;

Connection open_test_driver() { return {virConnectOpen("test:///default"), virConnectClose}; }

// Reads and keeps it, which takes it no file.
void libvirt_define(benchmark::State& state) {
  const auto connection = open_test_driver();
  const auto text = document_for_libvirt();
  for (auto _ : state)
    if (!LibvirtDomain(virDomainDefineXML(connection.get(), text.c_str()), virDomainFree))
      return state.SkipWithError(virGetLastErrorMessage());
  count(state);
}

void libvirt_write(benchmark::State& state) {
  const auto connection = open_test_driver();
  const LibvirtDomain domain(virDomainDefineXML(connection.get(), document_for_libvirt().c_str()),
                             virDomainFree);
  if (!domain) return state.SkipWithError(virGetLastErrorMessage());
  for (auto _ : state) std::free(virDomainGetXMLDesc(domain.get(), 0));
  count(state);
}

void libvirt_virt_xml_validate(benchmark::State& state) {
  const auto path =
      std::filesystem::temp_directory_path() / ("virttdx-bench-" + std::to_string(getpid()) + ".xml");
  std::ofstream(path, std::ios::binary) << document_for_libvirt();
  const auto command = "virt-xml-validate " + path.native() + " domain >/dev/null 2>&1";
  if (std::system(command.c_str()) != 0)
    state.SkipWithError("virt-xml-validate is missing or refuses the document");
  for (auto _ : state) benchmark::DoNotOptimize(std::system(command.c_str()));
  count(state);
  std::filesystem::remove(path);
}

BENCHMARK(virttdx_read);
BENCHMARK(virttdx_check);
BENCHMARK(virttdx_write);
BENCHMARK(virttdx_validate);
BENCHMARK(libvirt_define);
BENCHMARK(libvirt_write);
BENCHMARK(libvirt_virt_xml_validate)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
