// SPDX-License-Identifier: GPL-2.0-or-later
// Every procedure of libvirt's remote and QEMU programs has its row in docs/api.md, made from the lists that
// dispatch uses. ACCEPT=1 rewrites the page.
#include <gtest/gtest.h>
#include <libvirt/virterror.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "api/dispatch.h"
#include "api/procedures.h"
#include "api/qemu_program.h"
#include "api/refusals.h"
#include "support/file.h"

namespace virttdx::driver {
namespace {

const std::string kPage = std::string(VIRTTDX_SOURCE) + "/docs/api.md";

struct Row {
  const ProcedureInfo* info;
  std::string answer;
};

std::string code_name(int code) {
  static const std::map<int, std::string> kNames = {{VIR_ERR_OPERATION_UNSUPPORTED, "OPERATION_UNSUPPORTED"},
                                                    {VIR_ERR_OPERATION_INVALID, "OPERATION_INVALID"},
                                                    {VIR_ERR_ARGUMENT_UNSUPPORTED, "ARGUMENT_UNSUPPORTED"},
                                                    {VIR_ERR_NO_DOMAIN_SNAPSHOT, "NO_DOMAIN_SNAPSHOT"},
                                                    {VIR_ERR_NO_DOMAIN_CHECKPOINT, "NO_DOMAIN_CHECKPOINT"},
                                                    {VIR_ERR_NO_DOMAIN_BACKUP, "NO_DOMAIN_BACKUP"},
                                                    {VIR_ERR_INTERNAL_ERROR, "INTERNAL_ERROR"},
                                                    {VIR_ERR_AUTH_FAILED, "AUTH_FAILED"}};
  const auto found = kNames.find(code);
  return found == kNames.end() ? std::to_string(code) : found->second;
}

// Empty: no list has it.
std::string answer_of(const ProcedureInfo& info) {
  static const auto kServed = served_procedures();
  if (info.object_class != ObjectClass::Hypervisor) return "forwarded";
  if (std::find(kServed.begin(), kServed.end(), info.number) != kServed.end()) return "served";
  if (const auto* refusal = find_refusal(info.number))
    return fmt::format("refused, {}: {}", code_name(refusal->code), refusal->reason);
  for (const auto& row : not_applicable())
    if (row.procedure == info.number) return fmt::format("not applicable: {}", row.reason);
  return "";
}

std::string function_of(const ProcedureInfo& info) {
  return info.function.empty() ? "" : fmt::format("`{}`", info.function);
}

std::string own_table() {
  std::string text = "| procedure | function | answer |\n|---|---|---|\n";
  for (const auto& info : all_procedures())
    if (info.object_class == ObjectClass::Hypervisor)
      text +=
          fmt::format("| {} {} | {} | {} |\n", info.number, info.name, function_of(info), answer_of(info));
  return text;
}

std::string forwarded_lists() {
  std::string text;
  for (int i = 1; i < kObjectClassCount; ++i) {
    const auto object_class = static_cast<ObjectClass>(i);
    const auto scheme = scheme_of(object_class);
    text += fmt::format("\n**{}** (`virt{}d`, opened as `{}:///system`): ", scheme, scheme, scheme);
    std::string separator;
    for (const auto& info : all_procedures()) {
      if (info.object_class != object_class) continue;
      text +=
          fmt::format("{}{} {}{}", separator, info.number, info.name, empty_answer(info.number) ? " °" : "");
      separator = ", ";
    }
    text += ".\n";
  }
  return text;
}

std::string qemu_table() {
  std::string text = "| procedure | function | answer |\n|---|---|---|\n";
  for (const auto& procedure : all_qemu_procedures())
    text += fmt::format(
        "| {} {} | `{}` | {} |\n", procedure.info.number, procedure.info.name, procedure.info.function,
        procedure.refusal.empty() ? "served"
                                  : fmt::format("refused, OPERATION_UNSUPPORTED: {}", procedure.refusal));
  return text;
}

std::string page() {
  std::map<std::string, int> counts;
  for (const auto& info : all_procedures()) {
    const std::string answer = answer_of(info);
    ++counts[answer.substr(0, answer.find_first_of(",:"))];
  }
  return fmt::format(
      "# The API, procedure by procedure\n"
      "Made from the daemon's own lists (`driver/api/dispatch.cc`, `driver/api/refusals.cc`, "
      "`schemas/remote_procedures.txt`) by\n`ACCEPT=1 build/tests/driver/test-driver "
      "--gtest_filter='ApiTable.*'`; "
      "a test compares. Of libvirt's {} calls {} are served here,\n{} go to other daemons of libvirt, {} are "
      "refused "
      "with a reason, {} do not apply and are answered as not supported.\n\n"
      "Refusals come after what a client can do about it: an unknown domain is NO_DOMAIN, one that must run "
      "and does not "
      "is OPERATION_INVALID.\n\n## Domains, host, connection\n{}\n"
      "## Of the QEMU program\n{}\n## Forwarded\nMessages go through byte for byte, in the client's name and "
      "as read-only as the client "
      "is. Without the "
      "daemon of a class, calls marked °\nanswer with nothing, so that clients that list everything work; "
      "the others are not "
      "supported.\n{}",
      all_procedures().size(), counts["served"], counts["forwarded"], counts["refused"],
      counts["not applicable"], own_table(), qemu_table(), forwarded_lists());
}

TEST(ApiTable, HasEveryProcedure) {
  for (const auto& info : all_procedures()) EXPECT_NE(answer_of(info), "") << info.number << " " << info.name;
}

TEST(ApiTable, HasEveryProcedureOnce) {
  std::set<int> seen;
  for (const int number : served_procedures()) EXPECT_TRUE(seen.insert(number).second) << number;
  for (const auto& refusal : all_refusals())
    EXPECT_TRUE(seen.insert(refusal.procedure).second) << refusal.procedure;
  for (const auto& row : not_applicable()) EXPECT_TRUE(seen.insert(row.procedure).second) << row.procedure;
  for (const int number : seen) {
    const auto* info = find_procedure(number);
    ASSERT_NE(info, nullptr) << number;
    EXPECT_EQ(info->object_class, ObjectClass::Hypervisor) << info->name << " is forwarded";
  }
}

// By the protocol's definition, without what only the daemon sends.
std::map<int, std::string> declared_qemu_procedures() {
  const auto definition = read_text_file(VIRTTDX_SOURCE "/schemas/qemu_protocol.x", 1U << 20);
  CHECK(definition.has_value());
  static const std::regex kConstant("QEMU_PROC_(\\w+) = (\\d+)");
  std::map<int, std::string> procedures;
  for (std::sregex_iterator at(definition->begin(), definition->end(), kConstant), end; at != end; ++at)
    if ((*at)[1] != "DOMAIN_MONITOR_EVENT") procedures.emplace(std::stoi((*at)[2]), (*at)[1]);
  return procedures;
}

TEST(ApiTable, HasEveryProcedureOfTheQemuProgram) {
  std::map<int, std::string> listed;
  for (const auto& procedure : all_qemu_procedures())
    listed.emplace(procedure.info.number, procedure.info.name);
  EXPECT_EQ(listed, declared_qemu_procedures());
  EXPECT_EQ(listed.size(), all_qemu_procedures().size());
}

TEST(ApiTable, IsThePage) {
  if (std::getenv("ACCEPT") != nullptr) {
    std::ofstream(kPage) << page();
    GTEST_SKIP() << kPage << " rewritten";
  }
  const auto stored = read_text_file(kPage, 1U << 20);
  ASSERT_TRUE(stored.has_value()) << stored.error().message();
  EXPECT_EQ(*stored, page());
}

}  // namespace
}  // namespace virttdx::driver
