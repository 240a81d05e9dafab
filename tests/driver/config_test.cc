// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "config/command_line.h"
#include "config/daemon_config.h"
#include "support/file.h"

namespace virttdx::driver {
namespace {

TEST(DaemonConfig, ReadsEveryKey) {
  const auto config = parse_daemon_config(
      "# a comment\n\nhost = \"soft\"\nunix_sock_group='kvm'\n unix_sock_rw_perms = \"0600\" # another\n"
      "unix_sock_ro_perms = \"0644\"\nmax_clients = 7\nmax_client_requests=3\nkeepalive_interval = 0\n"
      "keepalive_count = 9\nlog_level = 1\nlog_filters = \"1:rpc 3:+process\"\nhypervisor_type = "
      "\"QEMU\"\nhypervisor_version = \"7.2.13\"\n"
      "require_launch_security = 1\nquote_wait = 0\nsoft_host_profile = \"/p.json\"\nauth_unix_rw = "
      "\"polkit\"\n"
      "access_drivers = [ \"nop\", \"polkit\", ] # one is enough",
      "f");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->host, HostChoice::Soft);
  EXPECT_EQ(config->unix_sock_group, "kvm");
  EXPECT_EQ(config->unix_sock_rw_perms, 0600U);
  EXPECT_EQ(config->unix_sock_ro_perms, 0644U);
  EXPECT_EQ(config->max_clients, 7U);
  EXPECT_EQ(config->max_client_requests, 3U);
  EXPECT_EQ(config->keepalive_interval, 0U);
  EXPECT_EQ(config->keepalive_count, 9U);
  EXPECT_EQ(config->log_level, log::Priority::Debug);
  EXPECT_EQ(config->log_filters,
            (std::vector<log::Filter>{{log::Priority::Debug, "rpc"}, {log::Priority::Warning, "process"}}));
  EXPECT_EQ(config->hypervisor_type, "QEMU");
  EXPECT_EQ(config->hypervisor_version, 7'002'013U);
  EXPECT_TRUE(config->require_launch_security);
  EXPECT_EQ(config->quote_wait, 0U);
  EXPECT_EQ(config->soft_host_profile, "/p.json");
  EXPECT_EQ(config->auth_unix_rw, SocketAuthentication::Polkit);
  EXPECT_EQ(config->auth_unix_ro, SocketAuthentication::None);
  EXPECT_TRUE(config->access_control);
}

struct BadLine {
  const char* line;
  const char* message;
};
class BadConfig : public testing::TestWithParam<BadLine> {};
TEST_P(BadConfig, NamesTheLine) {
  const auto config = parse_daemon_config(fmt::format("\n{}\n", GetParam().line), "f.conf");
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().message().rfind("f.conf:2: ", 0), 0U) << config.error().message();
  EXPECT_NE(config.error().message().find(GetParam().message), std::string::npos) << config.error().message();
}
INSTANTIATE_TEST_SUITE_P(
    DaemonConfig, BadConfig,
    testing::Values(BadLine{"hots = \"kvm\"", "unknown key 'hots'"}, BadLine{"host", "key = value"},
                    BadLine{"host = kvm", "neither a number nor a string"},
                    BadLine{"host = \"xen\"", "not one of auto, kvm, soft"},
                    BadLine{"host = 3", "needs a string"}, BadLine{"host = \"kvm", "not closed"},
                    BadLine{"host = \"kvm\" x", "unexpected 'x'"},
                    BadLine{"max_clients = \"3\"", "needs a number"}, BadLine{"max_clients = 0", "from 1 to"},
                    BadLine{"max_clients = 99999999999", "neither a number"},
                    BadLine{"log_filters = \"1:\"", "log filter '1:' is not LEVEL:MATCH"},
                    BadLine{"log_filters = \"1:rpc 5:api\"", "log filter '5:api'"},
                    BadLine{"unix_sock_rw_perms = \"0888\"", "octal"},
                    BadLine{"hypervisor_version = \"7.2\"", "such as \"7.2.0\""},
                    BadLine{"hypervisor_version = \"7.2.0.1\"", "such as \"7.2.0\""},
                    BadLine{"hypervisor_version = \"7.1000.0\"", "such as \"7.2.0\""},
                    BadLine{"auth_unix_rw = \"sasl\"", "neither \"none\" nor \"polkit\""},
                    BadLine{"access_drivers = \"polkit\"", "needs a list"},
                    BadLine{"access_drivers = [ \"selinux\" ]", "no access driver 'selinux'"},
                    BadLine{"access_drivers = [ \"polkit\"", "not closed on its line"},
                    BadLine{"access_drivers = [ polkit ]", "something else than strings"},
                    BadLine{"quote_wait = 10001", "from 0 to 10000"},
                    BadLine{"require_launch_security = 2", "from 0 to 1"}));

TEST(DaemonConfig, OpensTheSocketToAllWherePolkitDecides) {
  DaemonConfig config;
  EXPECT_EQ(read_write_mode(config), 0660U);
  config.auth_unix_rw = SocketAuthentication::Polkit;
  EXPECT_EQ(read_write_mode(config), 0666U);
  config.unix_sock_rw_perms = 0600;
  EXPECT_EQ(read_write_mode(config), 0600U);
}

TEST(DaemonConfig, SampleFileHasTheDefaults) {
  const auto text = read_text_file(VIRTTDX_SOURCE "/driver/virttdxd.conf", 1 << 20);
  ASSERT_TRUE(text.has_value());
  // A line that starts with '#' and no blank is a key with its default.
  std::string active;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = text->find('\n', at);
    const std::string line = text->substr(at, end - at);
    if (line.size() > 1 && line[0] == '#' && line[1] != ' ') active += line.substr(1) + '\n';
    at = end + 1;
  }
  const auto config = parse_daemon_config(active, "sample");
  ASSERT_TRUE(config.has_value()) << config.error().message();
  const DaemonConfig defaults;
  EXPECT_EQ(config->host, defaults.host);
  EXPECT_EQ(read_write_mode(*config), read_write_mode(defaults));
  EXPECT_EQ(config->auth_unix_rw, defaults.auth_unix_rw);
  EXPECT_EQ(config->access_control, defaults.access_control);
  EXPECT_EQ(config->max_clients, defaults.max_clients);
  EXPECT_EQ(config->keepalive_count, defaults.keepalive_count);
  EXPECT_EQ(config->log_level, defaults.log_level);
}

TEST(LogFilters, AreFormattedAsTheyAreWritten) {
  EXPECT_EQ(format_log_filters(*parse_log_filters(" 1:rpc  4:+driver.*.link ")), "1:rpc 4:driver.*.link");
  EXPECT_EQ(format_log_filters(*parse_log_filters("")), "");
}

TEST(CommandLine, TakesValuesJoinedOrApart) {
  const std::vector<std::string_view> words = {"--host", "soft", "--root=/tmp/x", "--timeout", "120"};
  const auto line = parse_command_line(words);
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->host, HostChoice::Soft);
  EXPECT_EQ(line->root, "/tmp/x");
  EXPECT_EQ(line->idle_timeout_seconds, 120U);
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  for (const std::string_view word : {"--hots", "x", "--host", "--timeout=x", "--root="})
    EXPECT_FALSE(parse_command_line(std::array{word}).has_value()) << word;
}

}  // namespace
}  // namespace virttdx::driver
