// SPDX-License-Identifier: GPL-2.0-or-later
// Limits of single block devices as libvirt's API has them: one text for each kind of limit,
// "/dev/sda,100,/dev/sdb,200".
#pragma once

#include <libvirt/libvirt.h>

#include <array>

#include "api/typed_params.h"
#include "domain_xml/tuning.h"
#include "support/result.h"

namespace virttdx::driver::api {

inline constexpr std::array kBlkioDeviceParams = {
    ParamsRead::Known{VIR_DOMAIN_BLKIO_DEVICE_WEIGHT, VIR_TYPED_PARAM_STRING},
    ParamsRead::Known{VIR_DOMAIN_BLKIO_DEVICE_READ_IOPS, VIR_TYPED_PARAM_STRING},
    ParamsRead::Known{VIR_DOMAIN_BLKIO_DEVICE_WRITE_IOPS, VIR_TYPED_PARAM_STRING},
    ParamsRead::Known{VIR_DOMAIN_BLKIO_DEVICE_READ_BPS, VIR_TYPED_PARAM_STRING},
    ParamsRead::Known{VIR_DOMAIN_BLKIO_DEVICE_WRITE_BPS, VIR_TYPED_PARAM_STRING},
};

/// Appends all of them; empty texts where there are no limits.
void add_blkio_devices(TypedParams& params, const domain_xml::BlkioTune& tune);

struct BlkioDeviceChange {
  std::size_t limit = 0;  ///< in kBlkioDeviceParams
  std::string path;
  std::uint64_t value = 0;  ///< 0 takes the limit away
};
/// InvalidArgument: a text that is no list of absolute paths and numbers, a weight above 10000.
Result<std::vector<BlkioDeviceChange>> read_blkio_device_changes(const ParamsRead& params);
/// Devices and limits that no change names stay.
void change_blkio_devices(domain_xml::BlkioTune& tune, const std::vector<BlkioDeviceChange>& changes);

}  // namespace virttdx::driver::api
