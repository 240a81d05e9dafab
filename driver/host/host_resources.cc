// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/host_resources.h"

#include <QTimer>
#include <chrono>
#include <memory>
#include <utility>

#include "host/host_objects.h"
#include "host/host_secrets.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// A daemon that does not answer holds one of them, for as long as somebody waits for it.
constexpr int kThreads = 16;
// Who ends a domain waits no longer for a daemon that has to take its ports back.
constexpr std::chrono::seconds kReleasePatience{5};

void release_all(const ObjectDaemons& daemons, const std::vector<NetworkPortRequest>& ports) {
  for (const auto& port : ports)
    if (const auto released = delete_network_port(daemons, port); !released)
      log::warning("{}", released.error().message());
}

Result<Resources> acquire_all(const ObjectDaemons& daemons, const ResourceRequest& request) {
  Resources resources;
  for (const auto& volume : request.volumes)
    resources.volumes[volume.target] = TRY(find_volume(daemons, volume));
  for (const auto& secret : request.secrets) {
    auto& of_disk = resources.secrets[secret.target];
    (secret.use == SecretUse::Encryption ? of_disk.encryption : of_disk.authentication) =
        TRY(read_secret(daemons, secret));
  }
  for (const auto& cookies : request.cookies)
    resources.secrets[cookies.target].cookies = TRY(put_in_pipe(cookies.header));
  for (const auto& port : request.ports)
    resources.ports[port.mac] = TRY(create_network_port(daemons, request, port));
  return resources;
}

}  // namespace

HostResources::HostResources(std::filesystem::path run, bool per_user)
    : run_(std::move(run)), per_user_(per_user), threads_(kThreads, WorkAtEnd::Abandon) {}

void HostResources::acquire(ResourceRequest request, AcquireHandler handler) {
  if (request.empty()) return handler(Resources());
  auto result = std::make_shared<Result<Resources>>();
  const auto number = ++last_number_;
  waiting_[number] = {request.domain_uuid, std::move(handler)};
  auto ports = request.ports;
  threads_.run(
      [result, request = std::move(request), daemons = ObjectDaemons{run_, per_user_}] {
        *result = acquire_all(daemons, request);
      },
      [this, result, number, ports = std::move(ports)] { acquired(number, ports, std::move(*result)); });
}

void HostResources::acquired(std::uint64_t number, const std::vector<NetworkPortRequest>& ports,
                             Result<Resources> result) {
  if (const auto waiting = waiting_.extract(number)) return waiting.mapped().handler(std::move(result));
  threads_.count_again();
  release(ports, [] {});
}

void HostResources::interrupt(const std::string& domain_uuid) {
  std::vector<AcquireHandler> interrupted;
  std::erase_if(waiting_, [&](auto& each) {
    const bool is_meant = each.second.domain_uuid == domain_uuid;
    if (is_meant) interrupted.push_back(std::move(each.second.handler));
    return is_meant;
  });
  for (const auto& handler : interrupted) {
    threads_.discount();
    handler(fail(Error::Code::WrongState, "domain is being destroyed"));
  }
}

void HostResources::ask_leases(std::vector<LeaseRequest> requests, LeaseHandler handler) {
  if (requests.empty()) return handler(std::vector<DhcpLease>());
  auto result = std::make_shared<Result<std::vector<DhcpLease>>>();
  threads_.run([result, requests = std::move(requests),
                daemons = ObjectDaemons{run_, per_user_}] { *result = read_leases(daemons, requests); },
               [result, handler = std::move(handler)] { handler(std::move(*result)); });
}

void HostResources::release(std::vector<NetworkPortRequest> ports, std::function<void()> handler) {
  if (ports.empty()) return handler();
  const auto waiting = std::make_shared<std::function<void()>>(std::move(handler));
  threads_.run(
      [ports = std::move(ports), daemons = ObjectDaemons{run_, per_user_}] { release_all(daemons, ports); },
      [this, waiting] {
        if (const auto released = std::exchange(*waiting, nullptr)) return released();
        threads_.count_again();
      });
  QTimer::singleShot(kReleasePatience, [this, waiting] {
    const auto left = std::exchange(*waiting, nullptr);
    if (!left) return;
    log::warning("a network's daemon does not answer: its ports are given back when it does");
    threads_.discount();
    left();
  });
}

}  // namespace virttdx::driver
