// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/rtmr_prediction.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "memory/layout.h"
#include "tdx/sha384.h"
#include "tdx/td_hob.h"

namespace virttdx {
namespace {

constexpr std::uint32_t kFirmwareBlob2 = 0x8000000A, kHandoffTables2 = 0x8000000B;
constexpr std::string_view kTdHobTable = "TdxTable", kVolumePrefix = "Fv(";
/// The end-of-list block, which is not measured (PI Specification 1.8, volume 3, "End of HOB list").
constexpr std::size_t kEndOfListSize = 8;

Result<Measurement> digest_of(std::span<const std::byte> bytes) {
  Sha384 hash;
  hash.add(bytes);
  return hash.finish();
}

Result<Measurement> td_hob_digest(const VmConfig& config, const Tdvf& tdvf) {
  const auto layout = TRY(memory_layout(config.memory_bytes, tdvf.image.size()));
  const auto hob = TRY(build_td_hob(tdvf, layout));
  return digest_of(std::span(hob).first(hob.size() - kEndOfListSize));
}

bool is_td_hob(const CcEvent& event) {
  return event.rtmr == 0 && event.type == kHandoffTables2 && event.covers == kTdHobTable;
}

/// Its event tells no address: the first volume in RTMR0 is it.
bool is_volume(const CcEvent& event) {
  return event.rtmr == 0 && event.type == kFirmwareBlob2 && event.covers.starts_with(kVolumePrefix);
}

PredictedEvent with_digest(CcEvent event, const Measurement& digest) {
  const bool agreed = event.digest == digest;
  event.digest = digest;
  return {std::move(event), agreed ? DigestSource::Agreed : DigestSource::Computed};
}

}  // namespace

std::string_view name_of(DigestSource source) {
  constexpr std::array<std::string_view, 3> kNames = {"log", "computed, as in the log",
                                                      "computed, not as in the log"};
  return kNames.at(static_cast<std::size_t>(source));
}

Result<std::vector<PredictedEvent>> predict_cc_events(const std::vector<CcEvent>& log, const VmConfig& config,
                                                      const Tdvf& tdvf) {
  const auto cfv = std::ranges::find(tdvf.sections, TdvfSectionType::Cfv, &TdvfSection::type);
  const auto first_volume = std::ranges::find_if(log, is_volume);
  std::vector<PredictedEvent> events;
  for (auto event = log.begin(); event != log.end(); ++event) {
    if (is_td_hob(*event)) {
      events.push_back(with_digest(*event, TRY(td_hob_digest(config, tdvf))));
    } else if (event == first_volume && cfv != tdvf.sections.end()) {
      const auto volume = std::span(tdvf.image).subspan(cfv->data_offset, cfv->raw_size);
      events.push_back(with_digest(*event, TRY(digest_of(volume))));
    } else {
      events.push_back({*event});
    }
  }
  return events;
}

}  // namespace virttdx
