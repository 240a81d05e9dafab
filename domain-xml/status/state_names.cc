// SPDX-License-Identifier: GPL-2.0-or-later
#include "status/state_names.h"

#include <algorithm>
#include <array>
#include <span>

namespace virttdx::domain_xml {
namespace {

using Names = std::span<const std::string_view>;

// Indexed by virDomainState and by the state's reason (libvirt-domain.h).
constexpr std::array<std::string_view, 8> kStates = {"nostate",  "running", "blocked", "paused",
                                                     "shutdown", "shutoff", "crashed", "pmsuspended"};
constexpr std::array<std::string_view, 1> kUnknownOnly = {"unknown"};
constexpr std::array<std::string_view, 12> kRunning = {
    "unknown",       "booted", "migrated", "restored",  "from snapshot",   "unpaused", "migration canceled",
    "save canceled", "wakeup", "crashed",  "post-copy", "post-copy failed"};
constexpr std::array<std::string_view, 15> kPaused = {
    "unknown",       "user",     "migration", "save",     "dump",        "ioerror",   "watchdog",
    "from snapshot", "shutdown", "snapshot",  "panicked", "starting up", "post-copy", "post-copy failed",
    "api error"};
constexpr std::array<std::string_view, 2> kShutdown = {"unknown", "user"};
constexpr std::array<std::string_view, 9> kShutoff = {
    "unknown", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from snapshot", "daemon"};
constexpr std::array<std::string_view, 2> kCrashed = {"unknown", "panicked"};

constexpr std::array<Names, 8> kReasons = {Names(kUnknownOnly), Names(kRunning),    Names(kUnknownOnly),
                                           Names(kPaused),      Names(kShutdown),   Names(kShutoff),
                                           Names(kCrashed),     Names(kUnknownOnly)};

std::string_view name_at(Names names, int index) {
  return index < 0 || static_cast<std::size_t>(index) >= names.size()
             ? std::string_view()
             : names[static_cast<std::size_t>(index)];
}

std::optional<int> index_of(Names names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

Names reasons_of(int state) {
  return state < 0 || static_cast<std::size_t>(state) >= kReasons.size()
             ? Names()
             : kReasons[static_cast<std::size_t>(state)];
}

}  // namespace

std::string_view state_name(int state) { return name_at(kStates, state); }
std::string_view reason_name(int state, int reason) { return name_at(reasons_of(state), reason); }
std::optional<int> state_of(std::string_view name) { return index_of(kStates, name); }
std::optional<int> reason_of(int state, std::string_view name) { return index_of(reasons_of(state), name); }

}  // namespace virttdx::domain_xml
