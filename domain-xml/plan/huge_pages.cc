// SPDX-License-Identifier: GPL-2.0-or-later
// <memoryBacking><hugepages>: pages of the shared side of a TD's memory; the private side is guest_memfd's.
#include <algorithm>

#include "elements/elements.h"
#include "elements/property_table.h"
#include "elements/shape.h"
#include "plan/planning.h"

namespace virttdx::domain_xml {
namespace {

constexpr const char* kHugePagesPath = "/domain/memoryBacking/hugepages";
constexpr std::uint64_t kSmallestKib = 2048, kLargestKib = 1U << 20;

const OtherElement* memory_backing(const Domain& domain) {
  const auto found = std::ranges::find(domain.others, "memoryBacking", &OtherElement::element);
  return found == domain.others.end() ? nullptr : &*found;
}

// In KiB; 0 when it cannot be read.
std::uint64_t size_of(const xml::Element& page) {
  const auto size = value_at(page, "@size", {});
  return size ? scaled_kib(*size, value_at(page, "@unit", {})).value_or(0) : 0;
}

}  // namespace

void plan_huge_pages(Planning& planning) {
  const OtherElement* const backing = memory_backing(planning.domain);
  if (backing == nullptr) return;
  const xml::Element tree = parsed(*backing);
  const xml::Element* const wanted = tree.child("hugepages");
  if (wanted == nullptr) return;
  const int line = backing->line.number;
  if (wanted->children.size() > 1) {
    planning
        .error("hugepages-size", kHugePagesPath, "<hugepages> of several sizes are not offered",
               "give one <page>")
        .line = line;
    return;
  }
  const std::uint64_t kib = wanted->children.empty() ? kSmallestKib : size_of(wanted->children.front());
  if (kib != kSmallestKib && kib != kLargestKib) {
    planning
        .error("hugepages-size", kHugePagesPath, fmt::format("huge pages of {} KiB are not offered", kib),
               "use a <page> of 2048 KiB or 1048576 KiB")
        .line = line;
    return;
  }
  const std::uint64_t bytes = kib * 1024, memory = planning.plan.config.memory_bytes;
  if (memory % bytes != 0) {
    planning
        .error("hugepages-size", kHugePagesPath,
               fmt::format("memory of {} KiB is no multiple of huge pages of {} KiB", memory / 1024, kib),
               "change <memory>, or use smaller pages")
        .line = line;
    return;
  }
  planning.plan.config.shared_page_bytes = bytes;
  planning
      .add(Severity::Note, "hugepages-shared", kHugePagesPath,
           fmt::format(
               "{} huge pages of {} KiB are reserved for the memory that the TD shares; private memory comes "
               "from guest_memfd beside them, in pages of 4 KiB",
               memory / bytes, kib))
      .line = line;
}

}  // namespace virttdx::domain_xml
