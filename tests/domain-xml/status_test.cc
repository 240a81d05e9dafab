// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/status.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "golden.h"

namespace virttdx::domain_xml {
namespace {

constexpr int kRunning = 1, kRunningBooted = 1, kPaused = 3, kPausedStartingUp = 11;

DomainStatus running() {
  DomainStatus status;
  status.state = kRunning;
  status.reason = kRunningBooted;
  status.pid = 4711;
  status.pid_start_time = 123456789;
  status.monitor_socket = "/run/libvirt/tdx/full/control.sock";
  status.messages = {"the TD runs on the software TDX host", "tainted: <none>"};
  auto domain = parse_domain(test::read_data("domain-xml/full.xml"));
  EXPECT_TRUE(domain);
  status.domain = *std::move(domain);
  return status;
}

TEST(DomainStatus, IsWrittenAsLibvirtsStatusDocument) {
  test::expect_golden("domain-xml/status/running.out.xml", format_status(running()));
}

TEST(DomainStatus, ReadsBackWhatItWrote) {
  auto status = running();
  status.transient = true;
  status.resume_when_verified = true;
  status.state = kPaused;
  status.reason = kPausedStartingUp;
  const auto again = parse_status(format_status(status));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->state, status.state);
  EXPECT_EQ(again->reason, status.reason);
  EXPECT_EQ(again->pid, status.pid);
  EXPECT_EQ(again->pid_start_time, status.pid_start_time);
  EXPECT_EQ(again->monitor_socket, status.monitor_socket);
  EXPECT_EQ(again->messages, status.messages);
  EXPECT_TRUE(again->transient);
  EXPECT_TRUE(again->resume_when_verified);
  EXPECT_EQ(again->domain, status.domain);
}

TEST(DomainStatus, IsOfAMonitorThatHasNotBeenStartedToo) {
  auto status = running();
  status.pid = 0;
  const auto again = parse_status(format_status(status));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->pid, 0);
}

TEST(DomainStatus, NumbersLinesOfTheWholeDocument) {
  auto text = format_status(running());
  const auto at = text.find("<acpi/>");
  const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
  text.replace(at, 7, "<acpx/>");
  const auto again = parse_status(text);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message(),
            "line " + std::to_string(line) + ": unknown element 'acpx' in '/domain/features'");
}

TEST(DomainStatus, RefusesAnUnknownReason) {
  auto text = format_status(running());
  text.replace(text.find("booted"), 6, "rooted");
  const auto again = parse_status(text);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message(), "line 1: unknown reason 'rooted' of state 'running'");
}

}  // namespace
}  // namespace virttdx::domain_xml
