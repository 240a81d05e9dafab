// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/td_prediction.h"

#include <algorithm>
#include <array>

#include "support/byte_order.h"
#include "tdx/sha384.h"
#include "tdx/tdx_spec.h"

namespace virttdx {

namespace {

using namespace tdx::report;

/// Offsets of tdx_spec.h are those of a TDREPORT.
class TdInfo {
 public:
  void set(std::size_t offset, const Measurement& digest) {
    std::ranges::copy(digest, bytes_.begin() + static_cast<std::ptrdiff_t>(offset - kTdInfo));
  }
  void set(std::size_t offset, std::uint64_t value) { store_le(std::span(bytes_), offset - kTdInfo, value); }
  Result<Measurement> hash() const {
    Sha384 sha384;
    sha384.add(bytes_);
    return sha384.finish();
  }

 private:
  std::array<std::byte, kTdInfoSize> bytes_{};
};

}  // namespace

Result<TdPrediction> predict_td(const TdConfig& config, const Tdvf& tdvf, MrtdOrder order,
                                const Rtmrs& rtmrs) {
  // Pages of the TD HOB are added but not measured: what stands in them does not matter here.
  TdPrediction prediction{.mrtd = TRY(predict_mrtd(td_page_list(tdvf, {}), order)),
                          .mr_config_id = config.mr_config_id,
                          .mr_owner = config.mr_owner,
                          .mr_owner_config = config.mr_owner_config,
                          .attributes = config.attributes,
                          .xfam = config.xfam};
  TdInfo info;
  info.set(kAttributes, prediction.attributes);
  info.set(kXfam, prediction.xfam);
  info.set(kMrtd, prediction.mrtd);
  info.set(kMrConfigId, prediction.mr_config_id);
  info.set(kMrOwner, prediction.mr_owner);
  info.set(kMrOwnerConfig, prediction.mr_owner_config);
  for (std::size_t i = 0; i < rtmrs.size(); ++i) info.set(kRtmr0 + i * sizeof(Measurement), rtmrs.at(i));
  prediction.td_info_hash = TRY(info.hash());
  return prediction;
}

}  // namespace virttdx
