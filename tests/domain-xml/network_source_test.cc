// SPDX-License-Identifier: GPL-2.0-or-later
// What stands in a network disk's <source>: an option of the storage daemon, or refused by name.
#include <gtest/gtest.h>

#include "domain_xml/domain.h"
#include "domain_xml/plan.h"
#include "golden.h"

namespace virttdx::domain_xml {
namespace {

LaunchPlan plan_of(const std::string& attributes, const std::string& children) {
  const auto xml =
      "<domain type='kvm'><name>td</name><memory>524288</memory><os><type machine='q35'>hvm</type></os>"
      "<launchSecurity type='tdx'/><devices><disk type='network' device='disk'><source " +
      attributes + "><host name='server'/>" + children +
      "</source><target dev='vda' bus='virtio'/><readonly/></disk></devices></domain>";
  const auto domain = parse_domain(xml);
  EXPECT_TRUE(domain) << domain.error().message();
  const auto completed =
      complete_definition(domain.value_or(Domain()), {.emulator = "/usr/libexec/virttdx-vmm"});
  EXPECT_TRUE(completed) << completed.error().message();
  const auto host = host_capabilities_from_json(test::read_data("plan/soft.host.json"));
  auto plan = plan_launch(completed.value_or(Domain()), host.value_or(HostCapabilities()), {});
  EXPECT_TRUE(plan) << plan.error().message();
  return plan.value_or(LaunchPlan());
}

DiskSourceConfig source_of(const std::string& attributes, const std::string& children) {
  const auto disks = plan_of(attributes, children).config.devices.disks;
  EXPECT_EQ(disks.size(), 1U);
  return disks.empty() ? DiskSourceConfig() : disks.front().source.value_or(DiskSourceConfig());
}

/// The message of the one refusal of a disk.
std::string refusal_of(const std::string& attributes, const std::string& children) {
  const auto plan = plan_of(attributes, children);
  EXPECT_TRUE(plan.config.devices.disks.empty());
  for (const auto& finding : plan.findings)
    if (finding.id == "device-not-offered") return finding.message;
  return "none";
}

TEST(ANetworkDisksSource, HasTheOptionsOfItsProtocol) {
  const auto https = source_of("protocol='https' name='a.iso' query='token=1'",
                               "<ssl verify='no'/><readahead size='65536'/><timeout seconds='6'/>");
  EXPECT_EQ(https.query, "token=1");
  EXPECT_EQ(https.verify_certificate, false);
  EXPECT_EQ(https.readahead_bytes, 65536U);
  EXPECT_EQ(https.timeout_seconds, 6U);
  EXPECT_EQ(source_of("protocol='iscsi' name='iqn.2013-07.com.example:pool/1'",
                      "<initiator><iqn name='iqn.2013-07.com.example:client'/></initiator>")
                .initiator,
            "iqn.2013-07.com.example:client");
  EXPECT_EQ(source_of("protocol='nbd' name='a'", "<reconnect delay='10'/>").reconnect_seconds, 10U);
  const auto rbd = source_of("protocol='rbd' name='p/i'",
                             "<snapshot name='before'/><config file='/etc/ceph/other.conf'/>");
  EXPECT_EQ(rbd.ceph_snapshot, "before");
  EXPECT_EQ(rbd.ceph_configuration, "/etc/ceph/other.conf");
}

TEST(ANetworkDisksSource, HasQemusDefaultForAZero) {
  const auto source = source_of("protocol='http' name='a'", "<readahead size='0'/><timeout seconds='0'/>");
  EXPECT_FALSE(source.readahead_bytes);
  EXPECT_FALSE(source.timeout_seconds);
}

TEST(ANetworkDisksSource, RefusesTheOptionsOfOtherProtocols) {
  struct Refused {
    std::string attributes, children, message;
  };
  const std::string nbd = "protocol='nbd' name='a'", http = "protocol='http' name='a'";
  for (const auto& [attributes, children, message] : {
           Refused{nbd, "<ssl verify='no'/>", "<ssl> is supported only with https and ftps disks"},
           Refused{http, "<ssl verify='no'/>", "<ssl> is supported only with https and ftps disks"},
           Refused{nbd, "<readahead size='1'/>",
                   "<readahead> is supported only with http, https, ftp and ftps disks"},
           Refused{nbd, "<timeout seconds='1'/>",
                   "<timeout> is supported only with http, https, ftp and ftps disks"},
           Refused{http, "<timeout seconds='9223372036854775808'/>", "the number of <timeout> is too large"},
           Refused{nbd, "<initiator><iqn name='a'/></initiator>",
                   "<initiator> is supported only with iscsi disks"},
           Refused{http, "<reconnect delay='1'/>", "<reconnect> is supported only with nbd disks"},
           Refused{nbd, "<reconnect enabled='yes' timeout='1'/>",
                   "an nbd disk's <reconnect> has a delay of seconds"},
           Refused{nbd, "<snapshot name='a'/>", "<snapshot> is supported only with rbd disks"},
           Refused{nbd, "<config file='/a'/>", "<config> is supported only with rbd disks"},
           Refused{nbd + " query='a'", "", "'query' is supported only with http and https disks"},
           Refused{http + " tls='yes'", "", "tls='yes' is supported only with nbd disks"},
           Refused{http + " tlsHostname='a'", "", "'tlsHostname' is supported only with nbd disks"},
           Refused{nbd, "<cookies><cookie name='a'>hidden</cookie></cookies>",
                   "<cookies> is supported only with http and https disks"},
           Refused{http, "<cookies><cookie name='a b'>hidden</cookie></cookies>",
                   "cookie name 'a b' contains invalid characters"},
           Refused{http, "<cookies><cookie name='a'>hidden;b=c</cookie></cookies>",
                   "value of cookie 'a' contains invalid characters"},
           Refused{http, "<cookies><cookie name='a'>1</cookie><cookie name='a'>2</cookie></cookies>",
                   "duplicate cookie 'a'"},
           Refused{nbd, "<reservations managed='yes'/>", "<reservations> in <source> is not offered"},
       })
    EXPECT_EQ(refusal_of(attributes, children), "disk 'vda': " + message) << attributes << children;
}

}  // namespace
}  // namespace virttdx::domain_xml
