// SPDX-License-Identifier: GPL-2.0-or-later
// What a domain uses of other daemons: ports of networks, volumes of storage pools, secrets. Asked of them
// through libvirt's client library, which blocks, so on a thread of its own; answers come on the event loop.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain_xml/interface_traffic.h"
#include "process/worker_threads.h"
#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

struct NetworkPortRequest {
  std::string mac, network, port_group;
  std::string port_uuid;  ///< chosen by whoever asks, so that it is known whatever happens
  domain_xml::Bandwidth bandwidth{};
};
struct VolumeRequest {
  std::string target, pool, volume;
};
enum class SecretUse : std::uint8_t { Authentication, Encryption };
/// By its uuid, or by usage and what the XML calls its type ("ceph", "iscsi").
struct SecretRequest {
  std::string target;
  SecretUse use = SecretUse::Authentication;
  std::string uuid, usage, type;
};
/// What a disk's definition itself says: it goes through a pipe as other secrets do.
struct CookiesRequest {
  std::string target, header;
};
struct ResourceRequest {
  std::string domain_name, domain_uuid;
  std::vector<NetworkPortRequest> ports;
  std::vector<VolumeRequest> volumes;
  std::vector<SecretRequest> secrets;
  std::vector<CookiesRequest> cookies;
  bool empty() const { return ports.empty() && volumes.empty() && secrets.empty() && cookies.empty(); }
};

/// Where an interface goes: to a bridge, or to a macvtap device on a link of the host.
struct NetworkPort {
  std::optional<std::string> bridge, link, mode;
  std::optional<std::uint16_t> mtu;
  domain_xml::Bandwidth bandwidth;  ///< the interface's own, or its port group's or network's
};
struct VolumePlace {
  std::string path;
  bool is_block_device = false;
};
/// Pipes to read each from, once.
struct DiskSecrets {
  UniqueFd authentication, encryption, cookies;
};
struct Resources {
  std::map<std::string, NetworkPort> ports;    ///< by MAC address
  std::map<std::string, VolumePlace> volumes;  ///< by target
  std::map<std::string, DiskSecrets> secrets;  ///< by target
};

struct LeaseRequest {
  std::string mac, network;
};
/// An address that a network's DHCP server gave.
struct DhcpLease {
  std::string mac, address;
  bool is_ipv6 = false;
  unsigned prefix = 0;                  ///< bits of the network
  std::optional<std::string> hostname;  ///< that the guest gave
};

class HostResources {
 public:
  /// `run`: where the daemons' sockets are.
  HostResources(std::filesystem::path run, bool per_user);

  using AcquireHandler = std::function<void(Result<Resources>)>;
  /// All of it, or an error that names what is missing and nothing.
  void acquire(ResourceRequest request, AcquireHandler handler);
  /// What is being asked for a domain fails at once. What comes all the same is given back.
  void interrupt(const std::string& domain_uuid);
  using LeaseHandler = std::function<void(Result<std::vector<DhcpLease>>)>;
  /// What the servers of networks gave to these addresses. Without requests nobody is asked.
  void ask_leases(std::vector<LeaseRequest> requests, LeaseHandler handler);
  /// Gives ports back. Those that are gone already are no error; others are logged. The handler does not wait
  /// for a daemon that does not answer, who gets to know when it does.
  void release(std::vector<NetworkPortRequest> ports, std::function<void()> handler);

 private:
  const std::filesystem::path run_;
  const bool per_user_;
  struct Waiting {
    std::string domain_uuid;
    AcquireHandler handler;
  };
  void acquired(std::uint64_t number, const std::vector<NetworkPortRequest>& ports, Result<Resources> result);
  std::map<std::uint64_t, Waiting> waiting_;  ///< who has not been interrupted
  std::uint64_t last_number_ = 0;
  WorkerThreads threads_;
};

}  // namespace virttdx::driver
