// SPDX-License-Identifier: GPL-2.0-or-later
// What devices did since their monitor began: reply of the control command "device-statistics"
// (schemas/control-protocol.json). Counts of successes but for what is called errors or drops.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx {

/// Whether a disk waits for the TD to be resumed, because of an error that paused it.
enum class DiskIoStatus : std::uint8_t { Ok, Failed, NoSpace };

struct DiskStatistics {
  std::string id;      ///< DiskConfig::id
  std::string target;  ///< DiskConfig::target
  std::uint64_t read_requests = 0, read_bytes = 0, read_time_ns = 0;
  std::uint64_t write_requests = 0, write_bytes = 0, write_time_ns = 0;
  std::uint64_t flush_requests = 0, flush_time_ns = 0;
  std::uint64_t discard_requests = 0, write_zeroes_requests = 0;
  std::uint64_t errors = 0;     ///< operations that the file refused
  std::uint64_t capacity = 0;   ///< bytes, as the guest sees them
  std::uint64_t allocated = 0;  ///< bytes that the image occupies
  std::uint64_t physical = 0;   ///< bytes of the image file or block device
  DiskIoStatus io_status = DiskIoStatus::Ok;
};

/// Received and sent by the guest.
struct InterfaceStatistics {
  std::string id;      ///< NetworkInterfaceConfig::id
  std::string device;  ///< the host's device, empty without one
  std::uint64_t received_bytes = 0, received_packets = 0, received_drops = 0, received_errors = 0;
  std::uint64_t sent_bytes = 0, sent_packets = 0, sent_drops = 0, sent_errors = 0;
};

struct DeviceStatistics {
  std::vector<DiskStatistics> disks;
  std::vector<InterfaceStatistics> interfaces;
};

namespace control_command {
inline constexpr std::string_view kDeviceStatistics = "device-statistics";
}  // namespace control_command

Result<DeviceStatistics> device_statistics_from_json(const nlohmann::json& json);
nlohmann::json device_statistics_to_json(const DeviceStatistics& statistics);

}  // namespace virttdx
