// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/domain_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>

#include "support/file.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// domain-xml reads no document larger than 16 MiB.
constexpr std::size_t kXmlMaximum = 16U << 20;
// NAME_MAX less the longest suffix, of a monitor's configuration while it is written.
constexpr std::size_t kNameMaximum = 255 - std::string_view(".json.new").size();
constexpr std::string_view kHeader =
    "<!--\nWARNING: virttdxd writes this file. Changes made here by hand can be overwritten; change the "
    "domain with\n"
    "'virsh edit' or another program that uses libvirt's API.\n-->\n\n";

std::string file_name(std::string_view name, std::string_view suffix) {
  return fmt::format("{}{}", name, suffix);
}

// With one of these extensions, in order.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& directory,
                                            std::initializer_list<std::string_view> extensions) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error))
    if (std::ranges::find(extensions, at->path().extension().native()) != extensions.end())
      files.push_back(at->path());
  if (error) log::error("read directory '{}': {}", directory.native(), error.message());
  std::sort(files.begin(), files.end());
  return files;
}

void discard(const std::filesystem::path& path) {
  if (const auto removed = remove_file(path); !removed) log::warning("{}", removed.error().message());
}

Result<domain_xml::Domain> read_definition(const std::filesystem::path& file) {
  auto domain = TRY(domain_xml::parse_domain(TRY(read_text_file(file, kXmlMaximum))));
  if (domain.name != file.stem().native())
    return fail(Error::Code::InvalidData, "it defines domain '{}', which belongs in another file",
                domain.name);
  return domain;
}

}  // namespace

Result<> check_domain_name(std::string_view name) {
  if (name.empty() || name == "." || name == "..")
    return fail(Error::Code::XmlInvalid, "name '{}' is not allowed", name);
  if (name.find('/') != std::string_view::npos)
    return fail(Error::Code::XmlInvalid, "name {} cannot contain '/'", name);
  if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }))
    return fail(Error::Code::XmlInvalid, "name cannot contain control characters");
  if (name.size() > kNameMaximum)
    return fail(Error::Code::XmlInvalid, "name has {} bytes, at most {} are allowed", name.size(),
                kNameMaximum);
  return {};
}

void DomainStore::remove_leftovers() const {
  for (const auto* directory : {&directories_.config, &directories_.state})
    for (const auto& file : files_of(*directory, {kUnfinishedSuffix})) discard(file);
  for (const auto& file : files_of(directories_.state, {".json", ".monitor", ".sockets"})) {
    const auto name = file.stem().native();
    std::error_code error;
    if (!std::filesystem::exists(status_file(name), error)) remove_runtime_files(name);
  }
}

std::vector<DomainStore::StoredDefinition> DomainStore::load_definitions() const {
  std::vector<StoredDefinition> definitions;
  for (const auto& file : files_of(directories_.config, {".xml"})) {
    auto domain = read_definition(file);
    if (!domain) {
      log::error("definition '{}': {}; left alone", file.native(), domain.error().message());
      continue;
    }
    std::error_code error;
    const bool autostart = std::filesystem::is_symlink(autostart_link(domain->name), error);
    const bool once = std::filesystem::is_symlink(autostart_once_link(domain->name), error);
    definitions.push_back({std::move(*domain), autostart, once});
  }
  return definitions;
}

Result<> DomainStore::save_definition(const domain_xml::Domain& domain) const {
  return replace_file(definition_file(domain.name),
                      fmt::format("{}{}", kHeader, domain_xml::format_domain(domain, {.inactive = true})),
                      0600);
}

Result<> DomainStore::remove_definition(std::string_view name) const {
  TRY(set_autostart(name, false));
  TRY(set_autostart_once(name, false));
  TRY(unlink_file(definition_file(name)));
  return {};
}

Result<> DomainStore::sync_names() const {
  TRY(sync_directory(directories_.config));
  return sync_directory(directories_.autostart());
}

bool DomainStore::is_newer(std::string_view name, std::string_view than) const {
  std::error_code error;
  return std::filesystem::last_write_time(definition_file(name), error) >
         std::filesystem::last_write_time(definition_file(than), error);
}

Result<> DomainStore::set_autostart(std::string_view name, bool autostart) const {
  return set_link(autostart_link(name), name, autostart);
}

Result<> DomainStore::set_autostart_once(std::string_view name, bool autostart) const {
  return set_link(autostart_once_link(name), name, autostart);
}

Result<> DomainStore::set_link(const std::filesystem::path& link, std::string_view name, bool wanted) const {
  if (!wanted) {
    TRY(unlink_file(link));
    return {};
  }
  std::error_code error;
  if (std::filesystem::is_symlink(link, error)) return {};
  std::filesystem::create_symlink(definition_file(name), link, error);
  if (error) return fail_errno(error.value(), "create autostart link '{}'", link.native());
  return {};
}

std::vector<domain_xml::DomainStatus> DomainStore::load_statuses() const {
  std::vector<domain_xml::DomainStatus> statuses;
  for (const auto& file : files_of(directories_.state, {".xml"})) {
    const auto text = read_text_file(file, kXmlMaximum);
    auto status = text ? domain_xml::parse_status(*text)
                       : Result<domain_xml::DomainStatus>(tl::unexpected(text.error()));
    if (status)
      statuses.push_back(std::move(*status));
    else
      log::error("status '{}': {}; left alone", file.native(), status.error().message());
  }
  return statuses;
}

Result<> DomainStore::save_status(const domain_xml::DomainStatus& status) const {
  return write_file_atomically(status_file(status.domain.name), domain_xml::format_status(status), 0600);
}

void DomainStore::remove_runtime_files(std::string_view name) const {
  for (const auto& path : {status_file(name), monitor_config(name), monitor_socket(name)}) discard(path);
  std::error_code error;
  std::filesystem::remove_all(channel_directory(name), error);
  if (error) log::warning("remove '{}': {}", channel_directory(name).native(), error.message());
}

Result<> DomainStore::make_channel_directory(std::string_view name) const {
  const auto path = channel_directory(name);
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (mkdir(path.c_str(), 0700) != 0)
    return tl::unexpected(Error::from_errno(errno, fmt::format("mkdir '{}'", path.native())));
  return {};
}

Result<> DomainStore::save_monitor_config(std::string_view name, std::string_view json) const {
  return write_file_atomically(monitor_config(name), json, 0600);
}

bool DomainStore::take_autostart_turn() const {
  const auto marker = directories_.state / "autostarted";
  std::error_code error;
  if (std::filesystem::exists(marker, error)) return false;
  if (const auto written = write_file_atomically(marker, "", 0600); !written)
    log::warning("{}", written.error().message());
  return true;
}

std::filesystem::path DomainStore::definition_file(std::string_view name) const {
  return directories_.config / file_name(name, ".xml");
}
std::filesystem::path DomainStore::autostart_link(std::string_view name) const {
  return directories_.autostart() / file_name(name, ".xml");
}
// As libvirt's daemons name it.
std::filesystem::path DomainStore::autostart_once_link(std::string_view name) const {
  return directories_.autostart() / file_name(name, ".xml.once");
}
std::filesystem::path DomainStore::status_file(std::string_view name) const {
  return directories_.state / file_name(name, ".xml");
}
std::filesystem::path DomainStore::monitor_config(std::string_view name) const {
  return directories_.state / file_name(name, ".json");
}
std::filesystem::path DomainStore::monitor_socket(std::string_view name) const {
  return directories_.state / file_name(name, ".monitor");
}
std::filesystem::path DomainStore::channel_directory(std::string_view name) const {
  return directories_.state / file_name(name, ".sockets");
}
std::filesystem::path DomainStore::log_file(std::string_view name) const {
  return directories_.log / file_name(name, ".log");
}

}  // namespace virttdx::driver
