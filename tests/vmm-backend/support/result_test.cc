// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace virttdx {
namespace {

Result<int> half_of(int value) {
  if (value % 2 != 0) return fail(Error::Code::InvalidArgument, "{} is odd", value);
  return value / 2;
}

Result<int> quarter_of(int value) { return TRY(half_of(TRY(half_of(value)))); }

TEST(Try, GivesTheValueOfASuccess) { EXPECT_EQ(quarter_of(12).value(), 3); }

TEST(Try, ReturnsTheFirstError) {
  const auto result = quarter_of(6);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "3 is odd");
  EXPECT_EQ(result.error().code(), Error::Code::InvalidArgument);
}

TEST(Error, FromErrnoNamesTheCauseAndKeepsErrno) {
  const auto error = Error::from_errno(ENOENT, "cannot open '/x'");
  EXPECT_EQ(error.message(), "cannot open '/x': No such file or directory");
  EXPECT_EQ(error.code(), Error::Code::NotFound);
  EXPECT_EQ(error.system_errno(), ENOENT);
}

TEST(Error, ContextStandsBeforeTheMessage) {
  EXPECT_EQ(Error(Error::Code::Busy, "in use").with_context("cannot start").message(),
            "cannot start: in use");
}

}  // namespace
}  // namespace virttdx
