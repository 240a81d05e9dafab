// SPDX-License-Identifier: GPL-2.0-or-later
// Causes of failures that are known by errno and status alone. Expected texts: the rules of KVM and the TDX
// module.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "tdx/explain/cause_table.h"

namespace virttdx::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> ids(const std::vector<TdxCause>& causes) {
  std::vector<std::string> result;
  for (const TdxCause& cause : causes) result.push_back(cause.id);
  return result;
}

TEST(ExplainTdx, IsCertainOfTheOnlyCause) {
  const auto causes = explain_tdx({KvmRequest::TdxInitVm, ENOSPC, 0, {}});
  ASSERT_THAT(ids(causes), ElementsAre("init-vm.no-key-id"));
  EXPECT_EQ(causes[0].certainty, TdxCertainty::Certain);
}

TEST(ExplainTdx, ListsEveryCauseOfAnErrnoInKvmsOrder) {
  EXPECT_THAT(ids(explain_tdx({KvmRequest::TdxInitVm, EINVAL, 0, {}})),
              ElementsAre("init-vm.twice", "init-vm.flags", "init-vm.reserved", "init-vm.padding",
                          "init-vm.attributes", "init-vm.xfam", "init-vm.no-guest-phys-bits",
                          "init-vm.guest-phys-bits", "init-vm.five-level-ept", "init-vm.withheld-feature",
                          "init-vm.cpuid-entry", "tdx.hw-error", "tdx.command"));
}

TEST(ExplainTdx, TellsTheOperandThatTheModuleRefused) {
  const std::pair<std::uint64_t, const char*> rows[] = {
      {0xC000010000000040, "init-vm.module-attributes"},
      {0xC000010000000041, "init-vm.module-xfam"},
      {0xC000010000000042, "init-vm.module-config-flags"},
      {0xC000010000000043, "init-vm.module-eptp-controls"},
      {0xC000010000000044, "init-vm.module-max-vcpus"},
      {0xC000010000000045, "init-vm.module-cpuid"},
      {0xC000010000000046, "init-vm.module-tsc"},
      {0xC000010000000047, "init-vm.module-l2-vms"},
      {0xC000010000000048, "init-vm.module-arch-capabilities"}};
  for (const auto& [status, id] : rows)
    EXPECT_THAT(ids(explain_tdx({KvmRequest::TdxInitVm, EINVAL, status, {}})), ElementsAre(id));
}

TEST(ExplainTdx, TakesAStatusForTheModulesWhenNothingElseIsKnown) {
  EXPECT_THAT(ids(explain_tdx({KvmRequest::Unknown, 0, 0xC000010000000045, {}})),
              ElementsAre("init-vm.module-cpuid"));
  EXPECT_THAT(ids(explain_tdx({KvmRequest::Unknown, 0, 0x8000020300000000, {}})),
              ElementsAre("status.entropy"));
}

TEST(ExplainTdx, KeepsWhatTheModuleMayHaveRefusedWhenItsStatusIsNotKnown) {
  EXPECT_THAT(ids(explain_tdx({KvmRequest::TdxInitVm, EINVAL, {}, {}})), Contains("init-vm.module-xfam"));
}

TEST(ExplainTdx, NamesVersionSkewForAnUnknownCommand) {
  EXPECT_THAT(ids(explain_tdx({KvmRequest::TdxCapabilities, ENOTTY, {}, {}})),
              ElementsAre("tdx.not-a-td", "tdx.version"));
}

TEST(ExplainTdx, KnowsNothingOfWhatKvmDoesNotAnswer) {
  EXPECT_THAT(explain_tdx({KvmRequest::TdxInitVm, ENOTDIR, {}, {}}), IsEmpty());
  EXPECT_THAT(explain_tdx({KvmRequest::Seamcall, 0, 0xC0000FFF00000000, 9}), IsEmpty());
}

TEST(ExplainTdx, FinalizeWithoutVcpusNeedsTheStatusToBeCertain) {
  const auto causes = explain_tdx({KvmRequest::TdxFinalizeVm, EIO, 0xC000060900000000, {}});
  ASSERT_THAT(ids(causes), ElementsAre("finalize.no-vcpus"));
  EXPECT_EQ(causes[0].certainty, TdxCertainty::Certain);
}

TEST(CauseTables, HaveStableIdsSentencesAndRemedies) {
  std::set<std::tuple<std::string_view, KvmRequest, int, std::uint64_t>> seen;
  for (const CauseRows rows : {setup_causes(), init_vm_causes(), memory_causes(), vcpu_causes(),
                               finalize_causes(), common_causes(), status_causes()})
    for (const CauseRow& row : rows) {
      EXPECT_TRUE(seen.emplace(row.id, row.request, row.system_errno, row.status.value).second) << row.id;
      EXPECT_THAT(std::string_view(row.id), testing::ContainsRegex("^[a-z0-9-]+\\.[a-z0-9-]+$"));
      for (const std::string_view text : {row.sentence, row.remedy}) {
        EXPECT_FALSE(text.empty() || text.ends_with('.')) << row.id;
        EXPECT_EQ(text.find('\n'), std::string_view::npos) << row.id;
      }
    }
}

TEST(DescribeCauses, SaysBecauseWhenItIsCertain) {
  EXPECT_EQ(describe_causes(std::vector<TdxCause>{
                {KvmRequest::Run, "a.b", "it rains", "take a coat", TdxCertainty::Certain}}),
            " because it rains; take a coat");
  EXPECT_THAT(describe_causes(explain_tdx({KvmRequest::TdxFinalizeVm, EINVAL, 0, {}})),
              StartsWith("; possible causes: (1) the TD is not initialised"));
  EXPECT_EQ(describe_causes({}), "");
}

TEST(Names, OfRequestsGoBothWays) {
  for (int i = static_cast<int>(KvmRequest::OpenKvm); i <= static_cast<int>(KvmRequest::Seamcall); ++i) {
    const auto request = static_cast<KvmRequest>(i);
    EXPECT_EQ(kvm_request_of_name(kvm_request_name(request)), request) << i;
    EXPECT_EQ(kvm_request_in(fmt::format("{}: {}", "x", kvm_request_name(request))), request) << i;
  }
  EXPECT_EQ(kvm_request_of_name("init_vm"), KvmRequest::TdxInitVm);
  EXPECT_EQ(kvm_request_of_name("tdx_init_vcpu"), KvmRequest::TdxInitVcpu);
  EXPECT_FALSE(kvm_request_of_name("INIT"));
  EXPECT_FALSE(kvm_request_in("KVM_TDX_INIT_VMX"));
}

TEST(Names, OfErrnosGoBothWays) {
  for (const auto* const text : {"EINVAL", "einval", "22", "-22"})
    EXPECT_EQ(errno_of_name(text), EINVAL) << text;
  EXPECT_EQ(errno_of_name("ENOTSUP"), EOPNOTSUPP);
  EXPECT_EQ(errno_name(EHWPOISON), "EHWPOISON");
  for (const auto* const text : {"", "-", "0", "99999", "22x", "EVIL"})
    EXPECT_FALSE(errno_of_name(text)) << text;
}

TEST(Names, OfStatusesHaveTheirOperand) {
  EXPECT_EQ(describe_tdx_status(0xC000010000000041),
            "TDX_OPERAND_INVALID, operand XFAM (0xc000010000000041)");
  EXPECT_EQ(describe_tdx_status(0xC000060900000000), "TDX_NO_VCPUS (0xc000060900000000)");
  EXPECT_EQ(describe_tdx_status(0xC0FF000000000000), "TDX module status 0xc0ff000000000000");
  EXPECT_EQ(seamcall_name(21), "TDH.MNG.INIT");
}

}  // namespace
}  // namespace virttdx::test
