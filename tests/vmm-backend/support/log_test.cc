// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/log_sink.h"

namespace virttdx::log {
namespace {

class ALog : public testing::Test {
 protected:
  void SetUp() override {
    set_sink([this](Priority, std::string_view, std::string_view text) { texts.emplace_back(text); });
  }
  void TearDown() override {
    set_sink({});
    set_filters({});
    set_threshold(Priority::Info);
  }
  std::vector<std::string> texts;
};

TEST_F(ALog, DropsWhatIsBelowItsThreshold) {
  set_threshold(Priority::Warning);
  debug("debug");
  info("info");
  warning("warning {}", 1);
  error("error");
  EXPECT_EQ(texts, (std::vector<std::string>{"warning 1", "error"}));
}

TEST_F(ALog, TakesFiltersByTheFileThatWrites) {
  set_filters({{Priority::Debug, "support.log_test"}});
  debug("of the file");
  set_filters({{Priority::Debug, "support.log_tess"}});
  debug("of another");
  set_filters({{Priority::Debug, "sup*test"}});
  debug("by a glob");
  EXPECT_EQ(texts, (std::vector<std::string>{"of the file", "by a glob"}));
}

TEST_F(ALog, TakesTheFirstFilterThatMatches) {
  set_filters({{Priority::Error, "log_test"}, {Priority::Debug, "test"}});
  warning("dropped");
  error("kept");
  EXPECT_EQ(texts, std::vector<std::string>{"kept"});
}

TEST_F(ALog, NeedsNoFilterForItsThreshold) {
  set_filters({{Priority::Error, "elsewhere"}});
  info("kept");
  debug("dropped");
  write(Priority::Info, "written");
  write(Priority::Debug, "dropped");
  EXPECT_EQ(texts, (std::vector<std::string>{"kept", "written"}));
}

struct Counting {
  int* count;
};

}  // namespace
}  // namespace virttdx::log

template <>
struct fmt::formatter<virttdx::log::Counting> : fmt::formatter<int> {
  auto format(const virttdx::log::Counting& value, fmt::format_context& context) const {
    return fmt::formatter<int>::format(++*value.count, context);
  }
};

namespace virttdx::log {
namespace {

TEST_F(ALog, FormatsNothingThatIsDropped) {
  int count = 0;
  debug("{}", Counting{&count});
  EXPECT_EQ(count, 0);
  info("{}", Counting{&count});
  EXPECT_EQ(texts, std::vector<std::string>{"1"});
}

}  // namespace
}  // namespace virttdx::log
