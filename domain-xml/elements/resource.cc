// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "domain_xml/domain.h"
#include "elements/shape.h"
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kResourceFibrechannelAttributes[] = {
    {"appid", spelled<NonEmptyText>, true},
};
constexpr Shape kResourceChildren[] = {
    {.name = "partition", .text = spelled<AbsolutePath>},
    {.name = "fibrechannel", .attributes = kResourceFibrechannelAttributes},
};

}  // namespace

constexpr Shape kResourceShape = {.name = "resource", .children = kResourceChildren};

std::string partition_of(const Domain& domain) {
  const auto resource = std::ranges::find(domain.others, "resource", &OtherElement::element);
  if (resource == domain.others.end()) return std::string(kDefaultPartition);
  return value_at(parsed(*resource), "partition", {}).value_or(std::string(kDefaultPartition));
}

}  // namespace virttdx::domain_xml
