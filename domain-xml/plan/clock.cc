// SPDX-License-Identifier: GPL-2.0-or-later
// `<clock>` and its timers: what tells a guest the time, and how fast its TSC runs.
#include <algorithm>
#include <array>

#include "plan/cpuid_leaves.h"
#include "plan/planning.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kTimerPath = "/domain/clock/timer";
// TDX Module ABI Specification, TD_PARAMS.TSC_FREQUENCY: units of 25 MHz, 4 to 400 of them.
constexpr std::uint64_t kTscUnitHz = 25'000'000, kTscUnitsMinimum = 4, kTscUnitsMaximum = 400;

// Not in a TD, or not in this machine.
constexpr std::array<std::string_view, 4> kNever = {"kvmclock", "hpet", "platform", "armvtimer"};

void check_presence(Planning& planning, const Timer& timer) {
  const bool never = std::ranges::find(kNever, timer.name) != kNever.end();
  // Clients write <timer name='pit' tickpolicy='delay'/> into every domain: only present='yes' asks for one.
  const bool asks = timer.name == "pit" ? timer.present == true : never && timer.present != false;
  if (asks)
    planning
        .error("timer-not-offered", kTimerPath,
               fmt::format("timer '{}' cannot be present in a TD of this machine", timer.name),
               fmt::format("write present='no' for timer '{}', or remove it", timer.name))
        .line = timer.line;
  else if (!never && timer.name != "pit" && timer.present == false)
    planning
        .error("timer-always-present", kTimerPath,
               fmt::format("timer '{}' is always present in this machine", timer.name), "remove present='no'")
        .line = timer.line;
}

void note_tick_policy(Planning& planning, const Timer& timer) {
  if (!timer.tickpolicy) return;
  planning
      .add(Severity::Note, "timer-tickpolicy-without-effect", kTimerPath,
           fmt::format("tickpolicy '{}' of timer '{}' has no effect: a TD's interrupts are not re-injected",
                       *timer.tickpolicy, timer.name))
      .line = timer.line;
}

// The TDX module virtualizes the TSC: no exits, nothing shared with the host.
void check_tsc_mode(Planning& planning, const Timer& timer) {
  if (!timer.mode || timer.mode == "auto" || timer.mode == "native") return;
  planning
      .error(
          "tsc-mode", kTimerPath,
          fmt::format("timer 'tsc' mode='{}' is not possible: the TDX module gives a TD the TSC of the CPU, "
                      "scaled, and nobody can emulate it",
                      *timer.mode),
          "use mode='native', or remove it")
      .line = timer.line;
}

bool is_possible(std::uint64_t hz) {
  return hz / kTscUnitHz >= kTscUnitsMinimum && hz / kTscUnitHz <= kTscUnitsMaximum;
}

void plan_tsc_frequency(Planning& planning, const Timer& timer) {
  if (!timer.frequency_hz) return;
  const auto hz = *timer.frequency_hz;
  if (hz % kTscUnitHz == 0 && is_possible(hz)) {
    auto& td = planning.plan.config.td;
    td.tsc_khz = static_cast<std::uint32_t>(hz / 1000);
    return set_tsc_frequency(td.vcpu_cpuid, td.tsc_khz);
  }
  const auto nearest =
      std::clamp((hz / (kTscUnitHz / 2) + 1) / 2, kTscUnitsMinimum, kTscUnitsMaximum) * kTscUnitHz;
  planning
      .error(
          "tsc-frequency", kTimerPath,
          fmt::format("TSC frequency of {} Hz: the TDX module takes multiples of 25000000 Hz from 100000000 "
                      "to 10000000000 only",
                      hz),
          fmt::format("use frequency='{}', or remove it for the host's", nearest))
      .line = timer.line;
}

// KVM gives the module the host's frequency in whole units where none is asked for.
void check_host_tsc(Planning& planning) {
  const std::uint64_t hz = std::uint64_t{planning.host.tsc_khz} * 1000;
  if (planning.plan.config.td.tsc_khz != 0 || hz == 0 || is_possible(hz)) return;
  planning.error(
      "tsc-host-frequency", "/domain/clock",
      fmt::format("this host's TSC runs at {} Hz, and the TDX module takes 100000000 to 10000000000 "
                  "only",
                  hz),
      "add <timer name='tsc' frequency='1000000000'/>");
}

// adjustment='reset' forgets what a guest has set its clock to, as every clock here does but
// offset='variable'.
void plan_time(VmConfig& config, const Clock& clock) {
  const auto base = clock.basis.value_or(clock.offset);
  const bool is_local = base == ClockOffset::LocalTime || base == ClockOffset::Timezone;
  config.clock = is_local ? ClockBase::LocalTime : ClockBase::Utc;
  config.clock_zone = clock.timezone;
  if (clock.start_seconds) config.clock_start_seconds = static_cast<std::int64_t>(*clock.start_seconds);
  if (clock.adjustment) config.clock_offset_seconds = clock.adjustment->seconds;
}

}  // namespace

void plan_clock(Planning& planning) {
  const auto clock = planning.domain.clock.value_or(Clock());
  plan_time(planning.plan.config, clock);
  for (const auto& timer : clock.timers) {
    check_presence(planning, timer);
    note_tick_policy(planning, timer);
    check_tsc_mode(planning, timer);
    plan_tsc_frequency(planning, timer);
  }
  check_host_tsc(planning);
}

}  // namespace virttdx::domain_xml
