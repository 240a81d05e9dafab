// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel that firmware starts without a disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "support/result.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// The files of a direct kernel boot, as they are: nothing is patched, so that what the firmware measures is
/// what the files hold. Kept in memory as long as the TD lives, over resets too.
struct DirectKernel {
  std::vector<std::byte> image;
  std::size_t setup_size = 0;  ///< of a bzImage: its first part; 0 for other EFI applications
  std::vector<std::byte> initrd;
  std::vector<std::byte> command_line;  ///< with its final NUL; empty when there is none
};

/// Reads the files and checks that firmware can start the image. Errors name the file: not an EFI application
/// for x86-64, header that does not fit the file, command line longer than the kernel takes; those of
/// reading.
Result<DirectKernel> load_direct_kernel(const KernelBootConfig& config);
/// The same for an image in memory.
Result<DirectKernel> parse_direct_kernel(std::vector<std::byte> image, const std::string& command_line);

/// fw_cfg's items that tell `kernel`: sizes are owned by the result, the rest refers into `kernel`.
struct DirectKernelItems {
  std::map<std::uint16_t, std::vector<std::byte>> sizes;
  std::map<std::uint16_t, std::span<const std::byte>> data;
};
DirectKernelItems direct_kernel_items(const DirectKernel& kernel);

}  // namespace virttdx
