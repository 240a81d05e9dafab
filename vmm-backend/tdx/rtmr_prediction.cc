// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/rtmr_prediction.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "tdx/sha384.h"
#include "vmm_backend/td_hob_reader.h"

namespace virttdx {
namespace {

constexpr std::uint32_t kFirmwareBlob2 = 0x8000000A, kHandoffTables2 = 0x8000000B;
constexpr std::string_view kTdHobTable = "TdxTable", kVolumePrefix = "Fv(";

Result<Measurement> digest_of(std::span<const std::byte> bytes) {
  Sha384 hash;
  hash.add(bytes);
  return hash.finish();
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
      const auto hob = TRY(td_hob_of(config, tdvf));
      const auto digest = TRY(td_hob_digest(hob));
      events.push_back(with_digest(*event, digest));
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
