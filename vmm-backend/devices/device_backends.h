// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>

#include "devices/virtio/queue_worker.h"
#include "devices/virtio_blk/block_backend.h"
#include "devices/virtio_console/port_backend.h"
#include "devices/virtio_vsock/offloaded_vsock.h"

namespace virttdx {

class CdromTray;
class EntropySource;
class NetworkBackendDevice;
class VsockBackend;

/// What the devices of a VmConfig end in on the host, by their ids. The back ends outlive every machine in
/// front of them.
struct DeviceBackends {
  std::map<std::string, BlockBackend*> disks;
  std::map<std::string, CdromTray*> trays;           ///< of CD-ROM drives
  std::map<std::string, QueueWorker*> scsi_workers;  ///< of ScsiControllerConfigs
  std::map<std::string, NetworkBackendDevice*> interfaces;
  std::map<std::string, EntropySource*> entropy_sources;
  std::map<std::string, QueueWorker*> console_workers;  ///< of VirtioSerialConfigs
  std::map<std::string, PortBackend*> console_ports;
  VsockBackend* vsock = nullptr;
  VsockOffload kernel_vsock{};  ///< in the place of `vsock`
};

}  // namespace virttdx
