// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 3> kOffsets = {"utc", "localtime", "variable"};
constexpr std::array<std::string_view, 2> kBases = {"utc", "localtime"};
constexpr std::array<std::string_view, 7> kTimers = {"platform", "pit",      "rtc",      "hpet",
                                                     "tsc",      "kvmclock", "armvtimer"};
constexpr std::array<std::string_view, 5> kTimerModes = {"auto", "native", "emulate", "paravirt", "smpsafe"};
constexpr std::array<std::string_view, 4> kTickPolicies = {"delay", "catchup", "merge", "discard"};

constexpr std::array kTable = {
    property<&Clock::offset, EnumName<ClockOffset, kOffsets>>("@offset", {.required = true}),
    property<&Clock::adjustment_seconds, SignedNumber>("@adjustment"),
    property<&Clock::basis, EnumName<ClockOffset, kBases>>("@basis"),
};
constexpr std::array kTimerTable = {
    property<&Timer::name, Word<kTimers>>("@name", {.required = true}),
    property<&Timer::present, YesNo>("@present"),
    property<&Timer::tickpolicy, Word<kTickPolicies>>("@tickpolicy"),
    property<&Timer::frequency_hz, LargeNumber>("@frequency"),
    property<&Timer::mode, Word<kTimerModes>>("@mode"),
};
constexpr std::array kChildren = {ChildRule{"timer", true}};

}  // namespace

Result<Clock> read_clock(const Place& place) {
  Clock clock;
  TRY(read_properties(place, kTable, clock, kChildren));
  if (clock.offset != ClockOffset::Variable && (clock.adjustment_seconds || clock.basis))
    return fail_at(place.element, Error::Code::XmlInvalid,
                   "attributes 'adjustment' and 'basis' of '{}' need offset='variable'", place.path);
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
