// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/storage_daemon/protocol_nodes.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace virttdx {
namespace {

using nlohmann::json;

constexpr std::uint16_t kNbdPort = 10809, kIscsiPort = 3260, kSshPort = 22, kGlusterPort = 24007,
                        kCephPort = 6789;

Result<> require(const DiskConfig& config, bool holds, std::string_view what) {
  if (holds) return {};
  return fail(Error::Code::ConfigUnsupported, "disk '{}': {}", config.target, what);
}

Result<const NetworkHost*> only_host(const DiskConfig& config) {
  TRY(require(config, config.source->hosts.size() == 1, "this protocol takes one host"));
  return &config.source->hosts.front();
}

Result<const NetworkHost*> only_network_host(const DiskConfig& config) {
  const auto* const host = TRY(only_host(config));
  TRY(require(config, host->unix_socket.empty(), "this protocol takes a host's name, no Unix socket"));
  return host;
}

json inet(const NetworkHost& host, std::uint16_t default_port) {
  return {{"host", host.name}, {"port", std::to_string(host.port == 0 ? default_port : host.port)}};
}

json socket_address(const NetworkHost& host, std::uint16_t default_port) {
  if (!host.unix_socket.empty()) return {{"type", "unix"}, {"path", host.unix_socket}};
  json address = inet(host, default_port);
  address["type"] = "inet";
  return address;
}

// A URL's or portal's authority; an IPv6 address stands in brackets.
std::string authority(const NetworkHost& host, std::uint16_t port) {
  const bool is_ipv6 = host.name.find(':') != std::string::npos;
  const auto name = is_ipv6 ? "[" + host.name + "]" : host.name;
  return port == 0 ? name : fmt::format("{}:{}", name, port);
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts(1);
  for (const char c : path) {
    if (c == '/')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

Result<json> nbd(const DiskConfig& config) {
  const auto& source = *config.source;
  const auto* const host = TRY(only_host(config));
  json node = {{"driver", "nbd"}, {"server", socket_address(*host, kNbdPort)}};
  if (!source.path.empty()) node["export"] = source.path;
  if (source.tls) node["tls-creds"] = kTlsCredentials;
  if (source.tls_hostname) node["tls-hostname"] = *source.tls_hostname;
  if (source.reconnect_seconds) node["reconnect-delay"] = *source.reconnect_seconds;
  return node;
}

Result<json> rbd(const DiskConfig& config) {
  const auto& source = *config.source;
  const auto parts = split(source.path);
  TRY(require(config, parts.size() == 2 || parts.size() == 3,
              "an rbd image is named POOL/IMAGE or POOL/NAMESPACE/IMAGE"));
  json node = {{"driver", "rbd"}, {"pool", parts.front()}, {"image", parts.back()}};
  if (parts.size() == 3) node["namespace"] = parts[1];
  if (source.ceph_configuration) node["conf"] = *source.ceph_configuration;
  if (source.ceph_snapshot) node["snapshot"] = *source.ceph_snapshot;
  if (source.user) node["user"] = *source.user;
  if (source.secret_file) node["key-secret"] = kAccessSecret;
  for (const auto& host : source.hosts) {
    TRY(require(config, host.unix_socket.empty(), "an rbd monitor has a name, no Unix socket"));
    node["server"].push_back(inet(host, kCephPort));
  }
  return node;
}

// TARGET/LUN; the LUN is 0 when it is left out.
Result<json> iscsi(const DiskConfig& config) {
  const auto& source = *config.source;
  const auto slash = source.path.rfind('/');
  const auto text = slash == std::string::npos ? std::string("0") : source.path.substr(slash + 1);
  std::uint32_t lun = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lun);
  TRY(require(config, error == std::errc() && end == text.data() + text.size(),
              "an iSCSI disk is named TARGET/LUN, with a number as LUN"));
  const auto& host = *TRY(only_network_host(config));
  json node = {{"driver", "iscsi"},
               {"transport", "tcp"},
               {"portal", authority(host, host.port == 0 ? kIscsiPort : host.port)},
               {"target", source.path.substr(0, slash)},
               {"lun", lun}};
  if (source.initiator) node["initiator-name"] = *source.initiator;
  if (source.user) node["user"] = *source.user;
  if (source.secret_file) node["password-secret"] = kAccessSecret;
  return node;
}

Result<json> url(const DiskConfig& config, std::string_view scheme) {
  const auto& source = *config.source;
  TRY(require(config, config.read_only, "http and ftp disks can only be read; make the disk read-only"));
  const auto& host = *TRY(only_network_host(config));
  const auto path = source.path.starts_with('/') ? source.path : "/" + source.path;
  json node = {{"driver", scheme},
               {"url", fmt::format("{}://{}{}{}", scheme, authority(host, host.port), path,
                                   source.query ? "?" + *source.query : "")}};
  if (source.readahead_bytes) node["readahead"] = *source.readahead_bytes;
  if (source.timeout_seconds) node["timeout"] = *source.timeout_seconds;
  if (source.verify_certificate) node["sslverify"] = *source.verify_certificate;
  if (source.user) node["username"] = *source.user;
  if (source.cookies_file) node["cookie-secret"] = kCookiesSecret;
  if (source.secret_file) node["password-secret"] = kAccessSecret;
  return node;
}

Result<json> ssh(const DiskConfig& config) {
  const auto& source = *config.source;
  TRY(require(config, !source.secret_file, "an ssh disk logs in with the host's agent or keys, no password"));
  json node = {{"driver", "ssh"},
               {"path", source.path.starts_with('/') ? source.path : "/" + source.path},
               {"server", inet(*TRY(only_network_host(config)), kSshPort)}};
  if (source.user) node["user"] = *source.user;
  return node;
}

Result<json> gluster(const DiskConfig& config) {
  const auto& source = *config.source;
  const auto slash = source.path.find('/');
  TRY(require(config, slash != std::string::npos && slash != 0, "a gluster image is named VOLUME/PATH"));
  json node = {{"driver", "gluster"},
               {"volume", source.path.substr(0, slash)},
               {"path", source.path.substr(slash + 1)}};
  for (const auto& host : source.hosts) node["server"].push_back(socket_address(host, kGlusterPort));
  return node;
}

}  // namespace

Result<json> protocol_node(const DiskConfig& config) {
  switch (config.source->protocol) {
    case DiskProtocol::File:
      return json{{"driver", "file"}, {"filename", config.source->path}};
    case DiskProtocol::Block:
      return json{{"driver", "host_device"}, {"filename", config.source->path}};
    case DiskProtocol::Nbd:
      return nbd(config);
    case DiskProtocol::Rbd:
      return rbd(config);
    case DiskProtocol::Iscsi:
      return iscsi(config);
    case DiskProtocol::Http:
      return url(config, "http");
    case DiskProtocol::Https:
      return url(config, "https");
    case DiskProtocol::Ftp:
      return url(config, "ftp");
    case DiskProtocol::Ftps:
      return url(config, "ftps");
    case DiskProtocol::Ssh:
      return ssh(config);
    case DiskProtocol::Gluster:
      return gluster(config);
  }
  return fail(Error::Code::Internal, "disk '{}': unknown protocol", config.target);
}

}  // namespace virttdx
