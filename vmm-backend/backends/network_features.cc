// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/network_features.h"

#include <array>
#include <utility>

#include "devices/virtio_net/virtio_net_spec.h"

namespace virttdx {
namespace {

using namespace virtio_net_spec;

std::uint64_t bit_of(NetworkFeature feature) {
  switch (feature) {
    case NetworkFeature::Csum:
      return kFeatureChecksum;
    case NetworkFeature::HostTso4:
      return kFeatureHostTso4;
    case NetworkFeature::HostTso6:
      return kFeatureHostTso6;
    case NetworkFeature::HostEcn:
      return kFeatureHostEcn;
    case NetworkFeature::GuestCsum:
      return kFeatureGuestChecksum;
    case NetworkFeature::GuestTso4:
      return kFeatureGuestTso4;
    case NetworkFeature::GuestTso6:
      return kFeatureGuestTso6;
    case NetworkFeature::GuestEcn:
      return kFeatureGuestEcn;
    case NetworkFeature::MrgRxbuf:
      break;
  }
  return kFeatureMergeableBuffers;
}

// 5.1.3.1: a feature, and those of which it needs one. What others need stands first.
constexpr std::array<std::pair<std::uint64_t, std::uint64_t>, 6> kNeeds = {{
    {kFeatureHostTso4, kFeatureChecksum},
    {kFeatureHostTso6, kFeatureChecksum},
    {kFeatureHostEcn, kFeatureHostTso4 | kFeatureHostTso6},
    {kFeatureGuestTso4, kFeatureGuestChecksum},
    {kFeatureGuestTso6, kFeatureGuestChecksum},
    {kFeatureGuestEcn, kFeatureGuestTso4 | kFeatureGuestTso6},
}};

}  // namespace

std::uint64_t withheld_features(const std::vector<NetworkFeature>& without) {
  std::uint64_t withheld = 0;
  for (const auto feature : without) withheld |= bit_of(feature);
  for (const auto& [feature, needed] : kNeeds)
    if ((withheld & needed) == needed) withheld |= feature;
  return withheld;
}

}  // namespace virttdx
