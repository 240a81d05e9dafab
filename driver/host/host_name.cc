// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/host_name.h"

#include <netdb.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "support/log.h"

namespace virttdx::driver {
namespace {

std::optional<std::string> resolve(const std::string& name) {
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME | AI_CANONIDN;
  hints.ai_family = AF_UNSPEC;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(name.c_str(), nullptr, &hints, &found); error != 0) {
    log::debug("canonical name of '{}': {}", name, gai_strerror(error));
    return std::nullopt;
  }
  std::optional<std::string> canonical;
  if (found->ai_canonname != nullptr) canonical = found->ai_canonname;
  freeaddrinfo(found);
  return canonical;
}

Result<std::string> read_host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0)
    return fail_errno(errno, "failed to determine host name");
  return best_host_name(name.data(), resolve);
}

}  // namespace

std::string best_host_name(const std::string& name, const CanonicalName& canonical) {
  constexpr std::string_view kLocal = "localhost";
  if (name.starts_with(kLocal) || name.find('.') != std::string::npos) return name;
  const auto longer = canonical(name);
  return longer && !longer->starts_with(kLocal) ? *longer : name;
}

void HostName::ask(Handler handler) {
  waiting_.push_back(std::move(handler));
  if (waiting_.size() > 1) return;
  auto name = std::make_shared<Result<std::string>>();
  thread_.run([name] { *name = read_host_name(); },
              [this, name] {
                for (const auto& waiting : std::exchange(waiting_, {})) waiting(*name);
              });
}

}  // namespace virttdx::driver
