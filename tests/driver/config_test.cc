// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <tuple>

#include "config/command_line.h"
#include "config/daemon_config.h"
#include "config/settings_file.h"
#include "support/file.h"

namespace virttdx::driver {
namespace {

TEST(DaemonConfig, ReadsEveryKey) {
  const auto config = parse_daemon_config(
      "# a comment\n\nhost = \"soft\"\nunix_sock_group='kvm'\n unix_sock_rw_perms = \"0600\" # another\n"
      "unix_sock_ro_perms = \"0644\"\nmax_clients = 7\nmax_client_requests=3\nkeepalive_interval = 0\n"
      "log_level = 1\nlog_filters = \"1:rpc 3:+process\"\nhypervisor_type = "
      "\"QEMU\"\nhypervisor_version = \"7.2.13\"\n"
      "require_launch_security = 1\nquote_wait = 0\nsoft_host_profile = \"/p.json\"\nauth_unix_rw = "
      "\"polkit\"\n"
      "access_drivers = [ \"nop\", \"polkit\", ] # one is enough\n"
      "max_anonymous_clients = 0\nmax_queued_clients = 8\nadmin_max_queued_clients = 2\n"
      "keepalive_count = 9\nadmin_keepalive_interval = -1\nadmin_keepalive_count = 4\n"
      "unix_sock_dir = \"/s\"\nhost_uuid = \"C0FFEE0011224433889900AABBCCDDEE\"\n"
      "host_uuid_source = \"machine-id\"\nlog_outputs = \"\"",
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
  EXPECT_EQ(config->max_anonymous_clients, 0U);
  EXPECT_EQ(config->max_queued_clients, 8U);
  EXPECT_EQ(config->admin_max_queued_clients, 2U);
  EXPECT_EQ(config->admin_keepalive_interval, 0U);
  EXPECT_EQ(config->admin_keepalive_count, 4U);
  EXPECT_EQ(config->unix_sock_dir, "/s");
  EXPECT_EQ(config->host_uuid, "c0ffee00-1122-4433-8899-00aabbccddee");
  EXPECT_EQ(config->host_uuid_source, HostUuidSource::MachineId);
  EXPECT_TRUE(config->log_outputs.empty());
  EXPECT_TRUE(config->warnings.empty()) << config->warnings.front();
}

TEST(DaemonConfig, TellsWhatItDoesNotFollow) {
  const auto config = parse_daemon_config(
      "tls_port = \"16514\"\n# a comment\ntls_allowed_dn_list = [\n  \"DN1\",\n  2\n]\nmax_workers = 20\n"
      "max_clients = 7\nmax_clients = 8\naudit_level = 1\n",
      "f.conf");
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(config->max_clients, 7U);
  ASSERT_EQ(config->warnings.size(), 5U);
  EXPECT_EQ(config->warnings[0],
            "f.conf:1: unknown key 'tls_port' is ignored; virttdxd.conf(5) lists the keys");
  EXPECT_EQ(config->warnings[1].rfind("f.conf:3: unknown key 'tls_allowed_dn_list'", 0), 0U);
  EXPECT_EQ(config->warnings[2].rfind("f.conf:7: max_workers has no effect: ", 0), 0U);
  EXPECT_EQ(config->warnings[3], "f.conf:9: max_clients is ignored: line 8 has it already");
  EXPECT_EQ(config->warnings[4].rfind("f.conf:10: audit_level has no effect: ", 0), 0U);
}

TEST(SettingsFile, IsReadAsLibvirtReadsIt) {
  const auto settings = parse_settings(
      "a=1;b = -2 # two\n\tlist\t=\t[\n  'x' ,\n\n  +3,\n]\r\nempty = []\n"
      "long_1 = \"\"\"one\n\"two\" \"\"\"\nlast = 'a # \"b\"'",
      "f");
  ASSERT_TRUE(settings.has_value()) << settings.error().message();
  const std::vector<std::tuple<std::string, SettingValue, int>> expected = {
      {"a", std::int64_t{1}, 1},
      {"b", std::int64_t{-2}, 1},
      {"list", std::vector<SettingAtom>{"x", std::int64_t{3}}, 2},
      {"empty", std::vector<SettingAtom>{}, 7},
      {"long_1", "one\n\"two\" ", 8},
      {"last", "a # \"b\"", 10}};
  ASSERT_EQ(settings->size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(std::tie((*settings)[i].name, (*settings)[i].value, (*settings)[i].line), expected[i]) << i;
}

TEST(SettingsFile, NamesTheLineOfAListThatIsWrong) {
  const auto message = [](std::string_view text) { return parse_settings(text, "f").error().message(); };
  EXPECT_EQ(message("\na = [\n 1\n 2 ]"), "f:4: a: expecting a ',' or ']' in the list, not '2 ]'");
  EXPECT_EQ(message("\na = [\n 1,\n"), "f:2: a: the list is not closed with ]");
  EXPECT_EQ(message("a = [\n[ 1 ] ]"), "f:2: a: a list has strings and numbers, not lists");
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
    testing::Values(BadLine{"3 = \"kvm\"", "key = value"}, BadLine{"host", "key = value"},
                    BadLine{"host = kvm", "neither a number nor a string"},
                    BadLine{"host = \"xen\"", "not one of auto, kvm, soft"},
                    BadLine{"host = 3", "needs a string"}, BadLine{"host = \"kvm", "not closed"},
                    BadLine{"host = \"kvm\" x", "unexpected 'x'"},
                    BadLine{"max_clients = \"3\"", "needs a number"}, BadLine{"max_clients = 0", "from 1 to"},
                    BadLine{"max_clients = 99999999999", "from 1 to"},
                    BadLine{"max_clients = 99999999999999999999", "too large"},
                    BadLine{"log_filters = \"1:\"", "log filter '1:' is not LEVEL:MATCH"},
                    BadLine{"log_filters = \"1:rpc 5:api\"", "log filter '5:api'"},
                    BadLine{"unix_sock_rw_perms = \"0888\"", "octal"},
                    BadLine{"hypervisor_version = \"7.2\"", "such as \"7.2.0\""},
                    BadLine{"hypervisor_version = \"7.2.0.1\"", "such as \"7.2.0\""},
                    BadLine{"hypervisor_version = \"7.1000.0\"", "such as \"7.2.0\""},
                    BadLine{"auth_unix_rw = \"sasl\"", "neither \"none\" nor \"polkit\""},
                    BadLine{"access_drivers = \"polkit\"", "needs a list"},
                    BadLine{"access_drivers = [ \"selinux\" ]", "no access driver 'selinux'"},
                    BadLine{"access_drivers = [ \"polkit\"", "not closed with ]"},
                    BadLine{"access_drivers = [ polkit ]", "neither a number nor a string"},
                    BadLine{"access_drivers = [ 1 ]", "has a number"},
                    BadLine{"unix_sock_dir = \"run\"", "not an absolute path"},
                    BadLine{"host_uuid = \"00000000-0000-0000-0000-000000000000\"", "no host from another"},
                    BadLine{"host_uuid = \"c0ffee\"", "'c0ffee' is no uuid"},
                    BadLine{"host_uuid_source = \"dmi\"", "neither \"smbios\" nor \"machine-id\""},
                    BadLine{"max_workers = \"20\"", "needs a number"},
                    BadLine{"audit_level = 2", "writes none"}, BadLine{"audit_logging = 2", "from 0 to 1"},
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
  for (const auto& warning : config->warnings)
    EXPECT_NE(warning.find("has no effect"), std::string::npos) << warning;
  const DaemonConfig defaults;
  EXPECT_EQ(config->host, defaults.host);
  EXPECT_EQ(read_write_mode(*config), read_write_mode(defaults));
  EXPECT_EQ(config->auth_unix_rw, defaults.auth_unix_rw);
  EXPECT_EQ(config->access_control, defaults.access_control);
  EXPECT_EQ(config->max_clients, defaults.max_clients);
  EXPECT_EQ(config->max_anonymous_clients, defaults.max_anonymous_clients);
  EXPECT_EQ(config->max_queued_clients, defaults.max_queued_clients);
  EXPECT_EQ(config->admin_max_queued_clients, defaults.admin_max_queued_clients);
  EXPECT_EQ(config->keepalive_count, defaults.keepalive_count);
  EXPECT_EQ(config->host_uuid_source, defaults.host_uuid_source);
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

TEST(CommandLine, TakesLibvirtsShortOptions) {
  const std::vector<std::string_view> words = {"-dv", "-t30", "-f", "a.conf", "-vp", "x.pid"};
  const auto line = parse_command_line(words);
  ASSERT_TRUE(line.has_value()) << line.error().message();
  EXPECT_TRUE(line->background);
  EXPECT_TRUE(line->verbose);
  EXPECT_EQ(line->idle_timeout_seconds, 30U);
  EXPECT_EQ(line->config_file, "a.conf");
  EXPECT_EQ(line->pid_file, "x.pid");
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  for (const std::string_view word :
       {"--hots", "x", "-", "-x", "-vx", "--host", "-t", "--timeout=x", "-t1x", "--root=", "--daemon=yes"})
    EXPECT_FALSE(parse_command_line(std::array{word}).has_value()) << word;
}

TEST(CommandLine, ListsEveryOption) {
  for (const std::string_view option :
       {"--host", "-f, --config", "-t, --timeout", "-d, --daemon", "-p, --pid-file", "-v, --verbose",
        "--root", "-V, --version", "-h, --help"})
    EXPECT_NE(usage().find(option), std::string_view::npos) << option;
}

}  // namespace
}  // namespace virttdx::driver
