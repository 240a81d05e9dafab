// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx measure: the same page list and the same hash as the launch's.
#include "command.h"
#include "section_table.h"

namespace virttdx::tools {
namespace {

struct PageCounts {
  std::uint64_t added = 0;
  std::uint64_t measured = 0;
};

PageCounts count_pages(std::span<const TdPageRange> ranges) {
  PageCounts counts;
  for (const auto& range : ranges) {
    const auto pages = range.memory.size() / kPageSize;
    counts.added += pages;
    if (range.measured) counts.measured += pages;
  }
  return counts;
}

}  // namespace

Result<ExitCode> run_measure(const QStringList& words) {
  CommandLine line(
      "Prints the MRTD (SHA-384, hexadecimal) that the TDX module computes for a TD which is launched with "
      "this\n"
      "firmware. It depends on nothing else: not on memory size, vCPUs, kernel, attributes or the MR* "
      "fields.");
  line.add_argument("FIRMWARE", "TDVF image, e.g. /usr/share/ovmf/OVMF.fd");
  if (!TRY(line.parse(words, 1, 1))) return kOk;
  const auto tdvf = TRY(load_tdvf(line.argument(0).toStdString()));
  // Pages of the TD HOB are added but not measured: what stands in them does not matter here.
  const auto pages = td_page_list(tdvf, {});
  const auto mrtd = hex_text(TRY(predict_mrtd(pages)));
  if (!line.wants_json()) {
    print(mrtd + "\n");
    return kOk;
  }
  const auto counts = count_pages(pages);
  print_json(nlohmann::json{{"firmware", line.argument(0).toStdString()},
                            {"mrtd", mrtd},
                            {"pages_added", counts.added},
                            {"pages_measured", counts.measured},
                            {"sections", sections_to_json(tdvf)}});
  return kOk;
}

}  // namespace virttdx::tools
