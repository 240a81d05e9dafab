// SPDX-License-Identifier: GPL-2.0-or-later
// `<source>` of a disk: one table for all types; check_disk_source() says which members a type needs.
#include <span>

#include "elements/disk_parts.h"
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

using Protocols = OneOf<"nbd", "rbd", "sheepdog", "gluster", "iscsi", "http", "https", "ftp", "ftps", "tftp",
                        "ssh", "vxhs", "nfs">;

constexpr std::array kHeadTable = {
    property<&DiskSource::socket_type, OneOf<"unix">>("@type"),
    property<&DiskSource::socket_path, AbsolutePath>("@path"),
    property<&DiskSource::file, AbsolutePath>("@file"),
    property<&DiskSource::dev, AbsolutePath>("@dev"),
    property<&DiskSource::dir, AbsolutePath>("@dir"),
    property<&DiskSource::protocol, Protocols>("@protocol"),
    property<&DiskSource::name, Text>("@name"),
    property<&DiskSource::query, Text>("@query"),
    property<&DiskSource::tls, YesNo>("@tls"),
    property<&DiskSource::tls_hostname, NonEmptyText>("@tlsHostname"),
    property<&DiskSource::pool, NonEmptyText>("@pool"),
    property<&DiskSource::volume, NonEmptyText>("@volume"),
    property<&DiskSource::mode, OneOf<"host", "direct">>("@mode"),
    property<&DiskSource::startup_policy, OneOf<"mandatory", "requisite", "optional">>("@startupPolicy"),
    property<&DiskSource::index, Number>("@index", {.live = true}),
};
constexpr std::array kTailTable = {
    property<&DiskSource::snapshot, NonEmptyText>("snapshot/@name"),
    property<&DiskSource::configuration, AbsolutePath>("config/@file"),
};
constexpr std::array kHostTable = {
    property<&SourceHost::transport, OneOf<"tcp", "unix", "rdma">>("@transport"),
    property<&SourceHost::name, NonEmptyText>("@name"),
    property<&SourceHost::port, NonEmptyText>("@port"),
    property<&SourceHost::socket, AbsolutePath>("@socket"),
};
constexpr std::array kChildren = {ChildRule{"host", true}, ChildRule{"auth"}, ChildRule{"encryption"}};

Result<SourceHost> read_host(const Place& place) {
  SourceHost host;
  TRY(read_properties(place, kHostTable, host));
  const bool socket = host.transport == "unix";
  if (socket && !host.socket) return tl::unexpected<Error>(missing_value(place, "@socket"));
  if (!socket && !host.name) return tl::unexpected<Error>(missing_value(place, "@name"));
  return host;
}

struct TypeNeed {
  std::string_view type;
  std::string_view attribute;
  bool (*has)(const DiskSource&);
};
template <auto kMember>
bool has(const DiskSource& source) {
  return (source.*kMember).has_value();
}
constexpr std::array kNeeds = {
    TypeNeed{"file", "@file", has<&DiskSource::file>},
    TypeNeed{"block", "@dev", has<&DiskSource::dev>},
    TypeNeed{"dir", "@dir", has<&DiskSource::dir>},
    TypeNeed{"network", "@protocol", has<&DiskSource::protocol>},
    TypeNeed{"volume", "@pool", has<&DiskSource::pool>},
    TypeNeed{"volume", "@volume", has<&DiskSource::volume>},
    TypeNeed{"vhostuser", "@path", has<&DiskSource::socket_path>},
};

}  // namespace

Result<DiskSource> read_disk_source(const Place& place) {
  DiskSource source;
  TRY(read_properties(place, join_tables(kHeadTable, kTailTable), source,
                      with_shapes(kChildren, kDiskSourceShapes)));
  for (const auto& child : place.element.children) {
    const auto inner = place.child(child);
    if (child.name == "host") source.hosts.push_back(TRY(read_host(inner)));
    if (child.name == "auth") source.authentication = TRY(read_authentication(inner));
    if (child.name == "encryption") source.encryption = TRY(read_encryption(inner));
  }
  source.others = TRY(read_others(place, kDiskSourceShapes));
  return source;
}

Result<> check_disk_source(const Place& place, std::string_view type, const DiskSource& source) {
  for (const auto& need : kNeeds)
    if (need.type == type && !need.has(source))
      return tl::unexpected<Error>(missing_value(place, need.attribute));
  return {};
}

void write_disk_source(xml::Element& parent, const DiskSource& source, const WriteContext& context) {
  auto& element = parent.add_child("source");
  write_properties(element, kHeadTable, source, context);
  for (const auto& host : source.hosts)
    write_properties(element.add_child("host"), kHostTable, host, context);
  write_properties(element, kTailTable, source, context);
  if (source.authentication) write_authentication(element, *source.authentication);
  if (source.encryption) write_encryption(element, *source.encryption);
  write_others(element, source.others, context);
}

}  // namespace virttdx::domain_xml
