// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kPmSuspendToMemAttributes[] = {
    {"enabled", spelled<YesNo>},
};
constexpr ShapeAttribute kPmSuspendToDiskAttributes[] = {
    {"enabled", spelled<YesNo>},
};
constexpr Shape kPmChildren[] = {
    {.name = "suspend-to-mem", .attributes = kPmSuspendToMemAttributes},
    {.name = "suspend-to-disk", .attributes = kPmSuspendToDiskAttributes},
};
constexpr ShapeAttribute kPerfEventAttributes[] = {
    {"name",
     spelled<OneOf<"cmt", "mbmt", "mbml", "cpu_cycles", "instructions", "cache_references", "cache_misses",
                   "branch_instructions", "branch_misses", "bus_cycles", "stalled_cycles_frontend",
                   "stalled_cycles_backend", "ref_cpu_cycles", "cpu_clock", "task_clock", "page_faults",
                   "context_switches", "cpu_migrations", "page_faults_min", "page_faults_maj",
                   "alignment_faults", "emulation_faults">>,
     true},
    {"enabled", spelled<YesNo>, true},
};
constexpr Shape kPerfChildren[] = {
    {.name = "event", .attributes = kPerfEventAttributes, .repeated = true},
};

}  // namespace

constexpr Shape kGenidShape = {.name = "genid", .text = spelled<OptionalUuid>};
constexpr Shape kOnLockfailureShape = {.name = "on_lockfailure",
                                       .text = spelled<OneOf<"poweroff", "restart", "pause", "ignore">>};
constexpr Shape kPmShape = {.name = "pm", .children = kPmChildren};
constexpr Shape kPerfShape = {.name = "perf", .children = kPerfChildren};

}  // namespace virttdx::domain_xml
