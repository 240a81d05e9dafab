// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/rtmr_prediction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "support/byte_order.h"
#include "support/file.h"
#include "tdvf_image.h"

namespace virttdx {
namespace {

constexpr auto kEmptyVariables = "/usr/share/OVMF/OVMF_VARS_4M.fd";
// As verifiers of other projects have it for this file's configuration volume.
constexpr auto kEmptyVariablesDigest =
    "344bc51c980ba621aaa00da3ed7436f7d6e549197dfe699515dfa2c6583d95e6412af21c097d473155875ffd561d6790";

CcEvent event(std::uint32_t type, const std::string& covers) {
  CcEvent event;
  event.type = type;
  event.covers = covers;
  return event;
}
CcEvent hob_event() { return event(0x8000000B, "TdxTable"); }
CcEvent volume_event() { return event(0x8000000A, "Fv(XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX)"); }
CcEvent variable_event() { return event(0x80000001, "variable SecureBoot"); }

VmConfig config_of(std::uint64_t mebibytes) {
  VmConfig config;
  config.memory_bytes = mebibytes << 20;
  return config;
}

Measurement digest_in(const Result<std::vector<PredictedEvent>>& events, std::size_t number) {
  EXPECT_TRUE(events) << events.error().message();
  return events ? events->at(number).event.digest : Measurement();
}

std::string hex_of(const Measurement& digest) {
  std::string text;
  for (const std::byte byte : digest) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

struct RtmrPrediction : testing::Test {
  Tdvf tdvf = parse_tdvf(test::TdvfImage().bytes()).value();
};

TEST_F(RtmrPrediction, LeavesWhatTheGuestMakesAsTheLogHasIt) {
  const auto events = predict_cc_events({variable_event()}, config_of(512), tdvf);
  ASSERT_TRUE(events);
  EXPECT_EQ(events->at(0).event, variable_event());
  EXPECT_EQ(events->at(0).source, DigestSource::Log);
}

TEST_F(RtmrPrediction, OfTheTdHobFollowsTheMemory) {
  const auto small = predict_cc_events({hob_event(), variable_event()}, config_of(512), tdvf);
  const auto large = predict_cc_events({hob_event(), variable_event()}, config_of(1024), tdvf);
  EXPECT_NE(digest_in(small, 0), digest_in(large, 0));
  EXPECT_EQ(small->at(0).source, DigestSource::Computed);
}

TEST_F(RtmrPrediction, SaysWhenTheLogAgrees) {
  CcEvent recorded = hob_event();
  recorded.digest = digest_in(predict_cc_events({hob_event()}, config_of(512), tdvf), 0);
  EXPECT_EQ(predict_cc_events({recorded}, config_of(512), tdvf)->at(0).source, DigestSource::Agreed);
  EXPECT_EQ(predict_cc_events({recorded}, config_of(1024), tdvf)->at(0).source, DigestSource::Computed);
}

TEST_F(RtmrPrediction, OfTheConfigurationVolumeIsItsHash) {
  const auto file = read_text_file(kEmptyVariables, 1 << 20);
  if (!file) GTEST_SKIP() << kEmptyVariables << " is absent: install ovmf";
  const auto bytes = std::as_bytes(std::span(*file));
  tdvf.image.assign(bytes.begin(), bytes.end());
  const auto cfv = std::ranges::find(tdvf.sections, TdvfSectionType::Cfv, &TdvfSection::type);
  cfv->data_offset = 0;
  cfv->raw_size = static_cast<std::uint32_t>(bytes.size());
  const auto events = predict_cc_events({volume_event(), volume_event()}, config_of(512), tdvf);
  EXPECT_EQ(hex_of(digest_in(events, 0)), kEmptyVariablesDigest);
  EXPECT_EQ(digest_in(events, 1), Measurement()) << "only the first volume is the configuration's";
}

}  // namespace
}  // namespace virttdx
