// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/direct_kernel.h"

#include "devices/fw_cfg/fw_cfg_spec.h"
#include "firmware/direct_kernel_spec.h"
#include "support/byte_order.h"
#include "support/file.h"

namespace virttdx {

using namespace direct_kernel_spec;

namespace {

using Bytes = std::vector<std::byte>;

// fw_cfg's sizes have 32 bits.
constexpr std::size_t kFileMaximum = 0xFFFFFFFF;

Result<> check_efi_application(const Bytes& image) {
  constexpr auto kRemedy = "give a kernel with CONFIG_EFI_STUB, or a unified kernel image";
  const auto refuse = [&](std::string_view what) {
    return fail(Error::Code::InvalidData,
                "not an EFI application for x86-64 ({}), and a TD's firmware starts nothing else: {}", what,
                kRemedy);
  };
  if (image.size() < kHeaderEnd) return refuse(fmt::format("{} bytes are no image", image.size()));
  if (load_le<std::uint16_t>(image, 0) != kDosSignature) return refuse("no MZ signature");
  const std::size_t pe = load_le<std::uint32_t>(image, kPeOffset);
  if (pe > image.size() - kPeMachine - sizeof(std::uint16_t))
    return refuse(fmt::format("PE header at {:#x} of {:#x} bytes", pe, image.size()));
  if (load_le<std::uint32_t>(image, pe) != kPeSignature) return refuse("no PE signature");
  if (const auto machine = load_le<std::uint16_t>(image, pe + kPeMachine); machine != kMachineX86_64)
    return refuse(fmt::format("PE machine {:#x}", machine));
  return {};
}

bool is_bzimage(const Bytes& image) {
  return load_le<std::uint32_t>(image, kHeaderSignature) == kHeaderSignatureValue;
}

Result<std::size_t> setup_size_of(const Bytes& image) {
  if (!is_bzimage(image)) return 0;
  const auto sectors = load_le<std::uint8_t>(image, kSetupSectors);
  const std::size_t size = ((sectors == 0 ? kSetupSectorsWhen0 : sectors) + std::size_t{1}) * kSectorSize;
  if (size >= image.size())
    return fail(Error::Code::InvalidData,
                "the setup part of {} bytes does not fit into {} bytes: truncated file?", size, image.size());
  return size;
}

Result<> check_command_line(const Bytes& image, const std::string& command_line) {
  if (!is_bzimage(image) || load_le<std::uint16_t>(image, kProtocolVersion) < kProtocolWithCommandLineSize)
    return {};
  const auto maximum = load_le<std::uint32_t>(image, kMaximumCommandLine);
  if (command_line.size() <= maximum) return {};
  return fail(Error::Code::InvalidArgument,
              "the command line of {} bytes is longer than the {} that this kernel takes",
              command_line.size(), maximum);
}

Bytes little_endian(std::size_t value) {
  Bytes bytes(sizeof(std::uint32_t));
  store_le(std::span(bytes), 0, static_cast<std::uint32_t>(value));
  return bytes;
}

}  // namespace

Result<DirectKernel> parse_direct_kernel(Bytes image, const std::string& command_line) {
  TRY(check_efi_application(image));
  TRY(check_command_line(image, command_line));
  DirectKernel kernel;
  kernel.setup_size = TRY(setup_size_of(image));
  kernel.image = std::move(image);
  if (command_line.empty()) return kernel;
  const auto text = std::as_bytes(std::span(command_line));
  kernel.command_line.assign(text.begin(), text.end());
  kernel.command_line.push_back(std::byte{0});
  return kernel;
}

Result<DirectKernel> load_direct_kernel(const KernelBootConfig& config) {
  auto parsed = parse_direct_kernel(TRY(read_file(config.kernel, kFileMaximum)), config.command_line);
  if (!parsed)
    return tl::unexpected<Error>(std::move(parsed).error().with_context("kernel '" + config.kernel + "'"));
  if (config.initrd) parsed->initrd = TRY(read_file(*config.initrd, kFileMaximum));
  return parsed;
}

DirectKernelItems direct_kernel_items(const DirectKernel& kernel) {
  using namespace fw_cfg_spec;
  DirectKernelItems items;
  const auto add = [&](std::uint16_t size_key, std::uint16_t data_key, std::span<const std::byte> bytes) {
    items.sizes[size_key] = little_endian(bytes.size());
    items.data[data_key] = bytes;
  };
  const std::span image(kernel.image);
  add(kSetupSize, kSetupData, image.first(kernel.setup_size));
  add(kKernelSize, kKernelData, image.subspan(kernel.setup_size));
  add(kInitrdSize, kInitrdData, kernel.initrd);
  add(kCommandLineSize, kCommandLineData, kernel.command_line);
  return items;
}

}  // namespace virttdx
