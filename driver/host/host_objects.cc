// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/host_objects.h"

#include <libvirt/libvirt.h>

#include <QString>
#include <QXmlStreamReader>
#include <array>
#include <utility>

#include "host/object_connection.h"

namespace virttdx::driver {
namespace {

std::string escaped(const std::string& text) {
  return QString::fromStdString(text).toHtmlEscaped().toStdString();
}

// https://libvirt.org/formatnetworkport.html
std::string port_document(const ResourceRequest& domain, const NetworkPortRequest& request) {
  const std::string group =
      request.port_group.empty() ? "" : fmt::format("<group>{}</group>", escaped(request.port_group));
  return fmt::format(
      "<networkport><uuid>{}</uuid><owner><name>{}</name><uuid>{}</uuid></owner>{}<mac "
      "address='{}'/>{}</networkport>",
      request.port_uuid, escaped(domain.domain_name), domain.domain_uuid, group, escaped(request.mac),
      domain_xml::format_bandwidth(request.bandwidth));
}

std::optional<std::string> attribute(const QXmlStreamReader& reader, const char* name) {
  const auto attributes = reader.attributes();
  if (!attributes.hasAttribute(QLatin1String(name))) return std::nullopt;
  return attributes.value(QLatin1String(name)).toString().toStdString();
}

// The first element of a document that has this name; the reader stands at it.
bool find_element(QXmlStreamReader& reader, const char* name) {
  while (!reader.atEnd())
    if (reader.readNext() == QXmlStreamReader::StartElement && reader.name() == QLatin1String(name))
      return true;
  return false;
}

// A network keeps guests apart by these: without them a port would reach what it must not.
Result<> check_port(const std::string& network, const char* xml) {
  QXmlStreamReader reader{QString::fromUtf8(xml)};
  while (!reader.atEnd()) {
    if (reader.readNext() != QXmlStreamReader::StartElement) continue;
    const std::string name = reader.name().toString().toStdString();
    const bool isolated = name == "port" && attribute(reader, "isolated") == "yes";
    if (isolated || name == "vlan" || name == "virtualport")
      return fail(Error::Code::ConfigUnsupported,
                  "network '{}' gives a port with <{}>, which is not offered; use a network or a port group "
                  "without it",
                  network, isolated ? "port isolated='yes'" : name);
  }
  return {};
}

Result<NetworkPort> read_port(const std::string& network, const char* xml) {
  TRY(check_port(network, xml));
  QXmlStreamReader reader{QString::fromUtf8(xml)};
  const auto unusable = [&](const std::string& type) {
    return fail(Error::Code::ConfigUnsupported,
                "network '{}' gives a port of type '{}', which is not offered; use a network with a bridge",
                network, type);
  };
  if (!find_element(reader, "plug")) return unusable("");
  const auto type = attribute(reader, "type").value_or("");
  NetworkPort port;
  if (type == "network" || type == "bridge") port.bridge = attribute(reader, "bridge");
  if (type == "direct") {
    port.link = attribute(reader, "dev");
    port.mode = attribute(reader, "mode");
  }
  if (!port.bridge && !port.link) return unusable(type);
  return port;
}

domain_xml::BandwidthRate rate_at(const QXmlStreamReader& reader) {
  const auto number = [&](const char* name) {
    return QString::fromStdString(attribute(reader, name).value_or("")).toULongLong();
  };
  return {number("average"), number("peak"), number("burst"), number("floor")};
}

// The interface's own, or what its port group or network says.
domain_xml::Bandwidth bandwidth_of_port(const char* xml) {
  domain_xml::Bandwidth bandwidth;
  QXmlStreamReader reader{QString::fromUtf8(xml)};
  while (!reader.atEnd()) {
    if (reader.readNext() != QXmlStreamReader::StartElement) continue;
    if (reader.name() == QLatin1String("inbound")) bandwidth.inbound = rate_at(reader);
    if (reader.name() == QLatin1String("outbound")) bandwidth.outbound = rate_at(reader);
  }
  return bandwidth;
}

std::optional<std::uint16_t> mtu_of(virNetworkPtr network) {
  const Text xml(virNetworkGetXMLDesc(network, 0));
  if (!xml) return std::nullopt;
  QXmlStreamReader reader{QString::fromUtf8(xml.get())};
  if (!find_element(reader, "mtu")) return std::nullopt;
  bool is_number = false;
  const auto mtu = QString::fromStdString(attribute(reader, "size").value_or("")).toUShort(&is_number);
  return is_number ? std::optional<std::uint16_t>(mtu) : std::nullopt;
}

Result<Network> find_network(virConnectPtr connection, const std::string& name) {
  Network network(virNetworkLookupByName(connection, name.c_str()));
  if (!network) return library_error(fmt::format("network '{}'", name));
  return network;
}

}  // namespace

Result<NetworkPort> create_network_port(const ObjectDaemons& daemons, const ResourceRequest& domain,
                                        const NetworkPortRequest& request) {
  const auto connection = connect(daemons, ObjectClass::Network);
  if (!connection) {
    Error error = connection.error();
    return tl::unexpected(std::move(error).with_context(
        fmt::format("interface {} of network '{}'", request.mac, request.network)));
  }
  const auto network = TRY(find_network(connection->get(), request.network));
  const Port port(virNetworkPortCreateXML(network.get(), port_document(domain, request).c_str(), 0));
  if (!port) return library_error(fmt::format("port of network '{}'", request.network));
  const Text xml(virNetworkPortGetXMLDesc(port.get(), 0));
  if (!xml) return library_error(fmt::format("port of network '{}'", request.network));
  auto found = TRY(read_port(request.network, xml.get()));
  found.mtu = mtu_of(network.get());
  found.bandwidth = bandwidth_of_port(xml.get());
  return found;
}

Result<> delete_network_port(const ObjectDaemons& daemons, const NetworkPortRequest& request) {
  const auto connection = TRY(connect(daemons, ObjectClass::Network));
  const auto network = TRY(find_network(connection.get(), request.network));
  const Port port(virNetworkPortLookupByUUIDString(network.get(), request.port_uuid.c_str()));
  if (!port) return {};
  if (virNetworkPortDelete(port.get(), 0) != 0)
    return library_error(fmt::format("delete port {} of network '{}'", request.port_uuid, request.network));
  return {};
}

Result<std::vector<DhcpLease>> read_leases(const ObjectDaemons& daemons,
                                           const std::vector<LeaseRequest>& requests) {
  const auto connection = TRY(connect(daemons, ObjectClass::Network));
  std::vector<DhcpLease> leases;
  for (const auto& request : requests) {
    const auto network = TRY(find_network(connection.get(), request.network));
    virNetworkDHCPLeasePtr* list = nullptr;
    const int count = virNetworkGetDHCPLeases(network.get(), request.mac.c_str(), &list, 0);
    if (count < 0) return library_error(fmt::format("leases of network '{}'", request.network));
    for (int i = 0; i < count; ++i) {
      auto& lease = leases.emplace_back();
      lease = {request.mac, list[i]->ipaddr, list[i]->type == VIR_IP_ADDR_TYPE_IPV6, list[i]->prefix, {}};
      if (list[i]->hostname != nullptr) lease.hostname = list[i]->hostname;
      virNetworkDHCPLeaseFree(list[i]);
    }
    std::free(list);
  }
  return leases;
}

Result<VolumePlace> find_volume(const ObjectDaemons& daemons, const VolumeRequest& request) {
  const auto what =
      fmt::format("disk '{}': volume '{}' of pool '{}'", request.target, request.volume, request.pool);
  auto connection = connect(daemons, ObjectClass::Storage);
  if (!connection) return tl::unexpected(Error(connection.error()).with_context(what));
  const Pool pool(virStoragePoolLookupByName(connection->get(), request.pool.c_str()));
  if (!pool) return library_error(what);
  const Volume volume(virStorageVolLookupByName(pool.get(), request.volume.c_str()));
  virStorageVolInfo info{};
  if (!volume || virStorageVolGetInfo(volume.get(), &info) != 0) return library_error(what);
  const Text path(virStorageVolGetPath(volume.get()));
  if (!path) return library_error(what);
  if (info.type != VIR_STORAGE_VOL_FILE && info.type != VIR_STORAGE_VOL_BLOCK)
    return fail(Error::Code::ConfigUnsupported,
                "{} is neither a file nor a block device, which is what can be used", what);
  return VolumePlace{path.get(), info.type == VIR_STORAGE_VOL_BLOCK};
}

}  // namespace virttdx::driver
