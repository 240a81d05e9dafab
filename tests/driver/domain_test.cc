// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <array>

#include "api/procedures.h"
#include "domain/domain_registry.h"
#include "domain/domain_store.h"
#include "host/cpu_list.h"
#include "rpc/wire_error.h"

namespace virttdx::driver {
namespace {

constexpr std::array kPhases = {Phase::Inactive, Phase::Starting, Phase::Running,
                                Phase::Paused,   Phase::Crashed,  Phase::Stopping};

TEST(StateTable, LeadsBackToInactiveFromEverywhere) {
  for (const Phase phase : kPhases) EXPECT_EQ(may_follow(phase, Phase::Inactive), phase != Phase::Inactive);
}

TEST(StateTable, ReachesRunningOnlyThroughStarting) {
  EXPECT_FALSE(may_follow(Phase::Inactive, Phase::Running));
  EXPECT_TRUE(may_follow(Phase::Starting, Phase::Running));
  EXPECT_FALSE(may_follow(Phase::Stopping, Phase::Running));
}

TEST(StateTable, RefusesInLibvirtsWords) {
  EXPECT_EQ(check_operation(Operation::Destroy, Phase::Inactive).error().message(), "domain is not running");
  EXPECT_EQ(check_operation(Operation::Start, Phase::Running).error().message(), "domain is already running");
  EXPECT_EQ(check_operation(Operation::Resume, Phase::Running).error().message(),
            "domain is already running");
  EXPECT_TRUE(check_operation(Operation::Destroy, Phase::Starting).has_value());
}

TEST(DomainRegistry, KeepsNamesAndUuidsApart) {
  DomainRegistry registry;
  registry.add("a", "1");
  EXPECT_TRUE(registry.check_identity("1", "a").has_value());
  EXPECT_TRUE(registry.check_identity("2", "b").has_value());
  EXPECT_FALSE(registry.check_identity("2", "a").has_value());
  EXPECT_FALSE(registry.check_identity("1", "b").has_value());
}

TEST(DomainRegistry, FindsDomainsByTheNamesThatTheyHaveNow) {
  DomainRegistry registry;
  const auto first = registry.add("b", "1");
  registry.add("a", "2");
  EXPECT_EQ(registry.find_by_name("b").value(), first);
  EXPECT_EQ(registry.all().back(), first);
  registry.rename(*first, "0");
  EXPECT_EQ(first->name, "0");
  EXPECT_FALSE(registry.find_by_name("b"));
  EXPECT_EQ(registry.find_by_name("0").value(), first);
  EXPECT_EQ(registry.all().front(), first);
  registry.remove(*first);
  EXPECT_FALSE(registry.find_by_name("0"));
  EXPECT_EQ(registry.all().size(), 1U);
}

TEST(DomainRegistry, GivesNoIdTwice) {
  DomainRegistry registry;
  EXPECT_EQ(registry.take_id(), 1);
  registry.reserve_id(7);
  EXPECT_EQ(registry.take_id(), 8);
  registry.reserve_id(3);
  EXPECT_EQ(registry.take_id(), 9);
}

TEST(DomainName, MustBeAFileName) {
  for (const std::string_view bad : {"", ".", "..", "a/b", "a\nb"})
    EXPECT_FALSE(check_domain_name(bad).has_value());
  EXPECT_FALSE(check_domain_name(std::string(250, 'x')).has_value());
  for (const std::string_view good : {"td", "a b", "-x", "..."})
    EXPECT_TRUE(check_domain_name(good).has_value());
}

TEST(WireError, HasLibvirtsNumberAndPrefix) {
  const WireError error = Error(Error::Code::NotFound, "no domain with matching name 'x'");
  EXPECT_EQ(error.code, VIR_ERR_NO_DOMAIN);
  EXPECT_EQ(error.message, "Domain not found: no domain with matching name 'x'");
  EXPECT_EQ(error.format, "Domain not found: %s");
  EXPECT_EQ(WireError(Error(Error::Code::WrongState, "domain is not running")).message,
            "Requested operation is not valid: domain is not running");
}

TEST(WireError, KeepsHugeMessagesWithinTheProtocol) {
  EXPECT_LT(encode_error(Error(Error::Code::Internal, std::string(8U << 20, 'x'))).size(), 1U << 18);
}

TEST(Procedures, KnowTheReadOnlyRule) {
  EXPECT_EQ(find_procedure(9)->read_only, ReadOnlyRule::Forbidden);
  EXPECT_EQ(find_procedure(9)->function, "virDomainCreate");
  EXPECT_EQ(find_procedure(14)->read_only, ReadOnlyRule::Conditional);
  EXPECT_EQ(find_procedure(318), nullptr);
  EXPECT_EQ(find_procedure(0), nullptr);
}

TEST(CpuList, ReadsTheKernelsForm) {
  EXPECT_EQ(parse_cpu_list("0-2,5\n"), (std::vector<std::uint32_t>{0, 1, 2, 5}));
  EXPECT_EQ(parse_cpu_list(""), std::vector<std::uint32_t>{});
  EXPECT_EQ(parse_cpu_list("0-4294967295").size(), 65536U);
}

}  // namespace
}  // namespace virttdx::driver
