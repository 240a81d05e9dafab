// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 5> kOffsets = {"utc", "localtime", "variable", "timezone", "absolute"};
constexpr std::array<std::string_view, 2> kBases = {"utc", "localtime"};
constexpr std::array<std::string_view, 7> kTimers = {"platform", "pit",      "rtc",      "hpet",
                                                     "tsc",      "kvmclock", "armvtimer"};
constexpr std::array<std::string_view, 5> kTimerModes = {"auto", "native", "emulate", "paravirt", "smpsafe"};
constexpr std::array<std::string_view, 4> kTickPolicies = {"delay", "catchup", "merge", "discard"};

/// "reset", or seconds.
struct Adjustment {
  static Result<ClockAdjustment> decode(std::string_view text) {
    if (text == "reset") return ClockAdjustment{.reset = true};
    return ClockAdjustment{.seconds = TRY(SignedNumber::decode(text))};
  }
  static std::string encode(const ClockAdjustment& value) {
    return value.reset ? "reset" : SignedNumber::encode(value.seconds);
  }
};

constexpr std::array kTable = {
    property<&Clock::offset, EnumName<ClockOffset, kOffsets>>("@offset", {.required = true}),
    property<&Clock::adjustment, Adjustment>("@adjustment"),
    property<&Clock::basis, EnumName<ClockOffset, kBases>>("@basis"),
    property<&Clock::timezone, NonEmptyText>("@timezone"),
    property<&Clock::start_seconds, LargeNumber>("@start"),
};
constexpr std::array kTimerTable = {
    property<&Timer::name, Word<kTimers>>("@name", {.required = true}),
    property<&Timer::present, YesNo>("@present"),
    property<&Timer::tickpolicy, Word<kTickPolicies>>("@tickpolicy"),
    property<&Timer::frequency_hz, LargeNumber>("@frequency"),
    property<&Timer::mode, Word<kTimerModes>>("@mode"),
};
constexpr std::array kChildren = {ChildRule{"timer", true}};

Result<> check_attributes(const Place& place, const Clock& clock) {
  const auto needs = [&](std::string_view attribute, std::string_view offsets) {
    return fail_at(place.element, Error::Code::XmlInvalid, "attribute '{}' of '{}' needs offset={}",
                   attribute, place.path, offsets);
  };
  const auto offset = clock.offset;
  if (clock.basis && offset != ClockOffset::Variable) return needs("basis", "'variable'");
  if (clock.timezone && offset != ClockOffset::Timezone) return needs("timezone", "'timezone'");
  if (clock.start_seconds && offset != ClockOffset::Absolute) return needs("start", "'absolute'");
  const bool moves_nothing = offset == ClockOffset::Timezone || offset == ClockOffset::Absolute;
  if (clock.adjustment && moves_nothing) return needs("adjustment", "'utc', 'localtime' or 'variable'");
  if (clock.adjustment && clock.adjustment->reset && offset == ClockOffset::Variable)
    return needs("adjustment='reset'", "'utc' or 'localtime'");
  if (offset == ClockOffset::Timezone && !clock.timezone)
    return tl::unexpected<Error>(missing_value(place, "@timezone"));
  if (offset == ClockOffset::Absolute && !clock.start_seconds)
    return tl::unexpected<Error>(missing_value(place, "@start"));
  return {};
}

}  // namespace

Result<Clock> read_clock(const Place& place) {
  Clock clock;
  TRY(read_properties(place, kTable, clock, kChildren));
  TRY(check_attributes(place, clock));
  for (const auto& child : place.element.children) {
    auto& timer = clock.timers.emplace_back();
    timer.line = child.line;
    TRY(read_properties(place.child(child), kTimerTable, timer));
    if (timer.name != "tsc" && (timer.frequency_hz || timer.mode))
      return fail_at(child, Error::Code::XmlInvalid,
                     "attributes 'frequency' and 'mode' of '{}/timer' need name='tsc'", place.path);
  }
  return clock;
}

void write_clock(xml::Element& parent, const Clock& clock, const WriteContext& context) {
  auto& element = parent.add_child("clock");
  write_properties(element, kTable, clock, context);
  for (const auto& timer : clock.timers)
    write_properties(element.add_child("timer"), kTimerTable, timer, context);
}

}  // namespace virttdx::domain_xml
