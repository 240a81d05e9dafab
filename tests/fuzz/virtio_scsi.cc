// SPDX-License-Identifier: GPL-2.0-or-later
// A hostile driver of a SCSI host with a CD-ROM drive.
#include "devices/virtio_scsi/virtio_scsi.h"

#include "manual_worker.h"
#include "memory_medium.h"
#include "virtio_poker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virttdx;
  test::ManualWorker worker;
  auto medium = std::make_shared<test::MemoryMedium>(1 << 16);
  CdromTray tray(medium), empty(nullptr);
  VirtioScsi device(worker, 1,
                    {{.target = 0, .lun = 0, .tray = &tray, .serial = "serial"},
                     {.target = 0, .lun = 300, .tray = &empty, .serial = ""}});
  test::VirtioDriver driver(device);
  test::VirtioPoker(
      {data, size}, [&] { worker.run(); }, [&](std::uint8_t error) { medium->error = error; })
      .run(driver);
  return 0;
}
