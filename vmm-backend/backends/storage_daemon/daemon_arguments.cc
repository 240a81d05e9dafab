// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/storage_daemon/daemon_arguments.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "backends/storage_daemon/protocol_nodes.h"

namespace virttdx {
namespace {

using nlohmann::json;

constexpr auto kStorageNode = "storage", kMonitor = "monitor";
constexpr auto kExport = "disk";
// Where libvirt's QEMU driver looks for x509 credentials, unless its configuration says otherwise.
constexpr auto kTlsDirectory = "/etc/pki/qemu";

bool is_local(const DiskConfig& config) {
  return config.source->protocol == DiskProtocol::File || config.source->protocol == DiskProtocol::Block;
}

std::string_view driver_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::Raw:
      return "raw";
    case ImageFormat::Qcow2:
      return "qcow2";
    case ImageFormat::Qed:
      return "qed";
    case ImageFormat::Vdi:
      return "vdi";
    case ImageFormat::Vhdx:
      return "vhdx";
    case ImageFormat::Vmdk:
      return "vmdk";
    case ImageFormat::Vpc:
      return "vpc";
  }
  return "raw";
}

// QEMU refuses to unmap where nothing is unmapped; libvirt's QEMU driver asks for "on" there.
std::string_view detection_of(const DiskConfig& config) {
  if (config.detect_zeroes == DetectZeroes::Off) return "off";
  return config.detect_zeroes == DetectZeroes::Unmap && config.discard ? "unmap" : "on";
}

// What both nodes have.
void add_common(json& node, const DiskConfig& config) {
  const bool direct = config.cache == DiskCache::None || config.cache == DiskCache::Directsync;
  node["cache"] = {{"direct", direct}, {"no-flush", config.cache == DiskCache::Unsafe}};
  node["read-only"] = config.read_only;
  node["discard"] = config.discard ? "unmap" : "ignore";
}

Result<json> storage_node(const DiskConfig& config) {
  json node = TRY(protocol_node(config));
  node["node-name"] = kStorageNode;
  add_common(node, config);
  if (!is_local(config)) return node;
  // No io_uring: QEMU 7.2 does not come back from a read that a file's end cuts short inside a sector.
  node["aio"] = config.io == DiskIo::Native ? "native" : "threads";
  node["locking"] = config.shareable ? "off" : "auto";
  return node;
}

Result<json> format_node(const DiskConfig& config) {
  json node = {
      {"driver", driver_of(config.format)}, {"node-name", kStorageDaemonNode}, {"file", kStorageNode}};
  add_common(node, config);
  node["detect-zeroes"] = detection_of(config);
  if (!config.source->luks_passphrase_file) return node;
  switch (config.format) {
    case ImageFormat::Raw:
      node["driver"] = "luks";
      node["key-secret"] = kLuksSecret;
      return node;
    case ImageFormat::Qcow2:
      node["encrypt"] = {{"format", "luks"}, {"key-secret", kLuksSecret}};
      return node;
    default:
      return fail(Error::Code::ConfigUnsupported,
                  "disk '{}': LUKS is a container of its own (format raw) or inside qcow2, not inside {}",
                  config.target, driver_of(config.format));
  }
}

json secret(const char* id, int descriptor) {
  return {{"qom-type", "secret"}, {"id", id}, {"file", fmt::format("/proc/self/fd/{}", descriptor)}};
}

void add(std::vector<std::string>& words, const char* option, const json& value) {
  words.emplace_back(option);
  // Replaced rather than thrown at: the daemon refuses what is no UTF-8.
  words.push_back(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

void add_objects(std::vector<std::string>& words, const DiskConfig& config,
                 const DaemonDescriptors& descriptors) {
  const auto& source = *config.source;
  if (source.secret_file) add(words, "--object", secret(kAccessSecret, descriptors.access_secret));
  if (source.luks_passphrase_file) add(words, "--object", secret(kLuksSecret, descriptors.luks_passphrase));
  if (source.cookies_file) add(words, "--object", secret(kCookiesSecret, descriptors.cookies));
  if (source.tls)
    add(words, "--object",
        {{"qom-type", "tls-creds-x509"},
         {"id", kTlsCredentials},
         {"dir", kTlsDirectory},
         {"endpoint", "client"}});
}

}  // namespace

Result<std::vector<std::string>> storage_daemon_arguments(const DiskConfig& config,
                                                          const DaemonDescriptors& descriptors) {
  std::vector<std::string> words;
  words.insert(words.end(), {"--chardev", fmt::format("socket,id={},fd={}", kMonitor, descriptors.monitor)});
  add(words, "--monitor", {{"chardev", kMonitor}});
  add_objects(words, config, descriptors);
  add(words, "--blockdev", TRY(storage_node(config)));
  add(words, "--blockdev", TRY(format_node(config)));
  add(words, "--export",
      {{"type", "vhost-user-blk"},
       {"id", kExport},
       {"node-name", kStorageDaemonNode},
       {"addr", {{"type", "fd"}, {"str", std::to_string(descriptors.listener)}}},
       {"writable", !config.read_only},
       {"num-queues", config.queues},
       {"logical-block-size", config.logical_block_size}});
  return words;
}

}  // namespace virttdx
