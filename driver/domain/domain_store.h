// SPDX-License-Identifier: GPL-2.0-or-later
// The files of domains: definitions, autostart links, status of the running ones.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/directories.h"
#include "domain_xml/domain.h"
#include "domain_xml/status.h"
#include "support/result.h"

namespace virttdx::driver {

/// Whether a domain's name can be part of file names. XmlInvalid says why not.
Result<> check_domain_name(std::string_view name);

/// Every write replaces its file atomically and its content is on disk when it returns. Which definitions and
/// autostart links there are is on disk after sync_names(): a crash of the host before it can undo what was
/// done since the last one, wholly.
class DomainStore {
 public:
  explicit DomainStore(Directories directories) : directories_(std::move(directories)) {}

  struct StoredDefinition {
    domain_xml::Domain domain;
    bool autostart = false;
    bool autostart_once = false;
  };
  /// What a daemon that was killed left behind: writes that were not finished, files of runs without a
  /// status.
  void remove_leftovers() const;
  /// Files that cannot be read are left alone and logged.
  std::vector<StoredDefinition> load_definitions() const;
  Result<> save_definition(const domain_xml::Domain& domain) const;
  /// With its autostart link.
  Result<> remove_definition(std::string_view name) const;
  /// After save_definition(), remove_definition(), set_autostart() and set_autostart_once(). Any thread.
  Result<> sync_names() const;
  /// Whether the first one's definition was written after the second one's.
  bool is_newer(std::string_view name, std::string_view than) const;
  Result<> set_autostart(std::string_view name, bool autostart) const;
  Result<> set_autostart_once(std::string_view name, bool autostart) const;

  std::vector<domain_xml::DomainStatus> load_statuses() const;
  Result<> save_status(const domain_xml::DomainStatus& status) const;
  /// The status and all else that a run left in the state directory.
  void remove_runtime_files(std::string_view name) const;
  Result<> save_monitor_config(std::string_view name, std::string_view json) const;
  /// Made anew, for the owner alone.
  Result<> make_channel_directory(std::string_view name) const;

  /// True once a boot: marks that autostart was done.
  bool take_autostart_turn() const;

  std::filesystem::path definition_file(std::string_view name) const;
  std::filesystem::path autostart_link(std::string_view name) const;
  std::filesystem::path autostart_once_link(std::string_view name) const;
  Result<> set_link(const std::filesystem::path& link, std::string_view name, bool wanted) const;
  std::filesystem::path status_file(std::string_view name) const;
  std::filesystem::path monitor_config(std::string_view name) const;
  std::filesystem::path monitor_socket(std::string_view name) const;
  /// Of the sockets of its channels, while it runs.
  std::filesystem::path channel_directory(std::string_view name) const;
  std::filesystem::path log_file(std::string_view name) const;

 private:
  Directories directories_;
};

}  // namespace virttdx::driver
