// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kIothreadidsIothreadAttributes[] = {
    {"id", spelled<Count>, true},
    {"thread_pool_min", spelled<Number>},
    {"thread_pool_max", spelled<Number>},
};
constexpr ShapeAttribute kIothreadidsIothreadPollAttributes[] = {
    {"max", spelled<Number64>},
    {"grow", spelled<Number64>},
    {"shrink", spelled<Number64>},
};
constexpr Shape kIothreadidsIothreadChildren[] = {
    {.name = "poll", .attributes = kIothreadidsIothreadPollAttributes},
};
constexpr Shape kIothreadidsChildren[] = {
    {.name = "iothread",
     .attributes = kIothreadidsIothreadAttributes,
     .children = kIothreadidsIothreadChildren,
     .repeated = true},
};
constexpr ShapeAttribute kDefaultiothreadAttributes[] = {
    {"thread_pool_min", spelled<Number>},
    {"thread_pool_max", spelled<Number>},
};

}  // namespace

constexpr Shape kIothreadsShape = {.name = "iothreads", .text = spelled<Number>};
constexpr Shape kIothreadidsShape = {.name = "iothreadids", .children = kIothreadidsChildren};
constexpr Shape kDefaultiothreadShape = {.name = "defaultiothread", .attributes = kDefaultiothreadAttributes};

}  // namespace virttdx::domain_xml
