// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <getopt.h>

#include <array>

namespace virttdx {
namespace {

enum OptionNumber : int {
  kConfig = 1,
  kAddDisk,
  kAddInterface,
  kControlSocket,
  kConsole,
  kLog,
  kLogLevel,
  kHostCapabilities,
  kHost,
  kSoftFaults,
  kSoftProfile,
  kVsockSocket,
  kHelp,
  kVersion
};

constexpr std::array<option, 15> kOptions = {{{"config", required_argument, nullptr, kConfig},
                                              {"add-disk", required_argument, nullptr, kAddDisk},
                                              {"add-interface", required_argument, nullptr, kAddInterface},
                                              {"control-socket", required_argument, nullptr, kControlSocket},
                                              {"console", no_argument, nullptr, kConsole},
                                              {"log", required_argument, nullptr, kLog},
                                              {"log-level", required_argument, nullptr, kLogLevel},
                                              {"host-capabilities", no_argument, nullptr, kHostCapabilities},
                                              {"host", required_argument, nullptr, kHost},
                                              {"soft-faults", required_argument, nullptr, kSoftFaults},
                                              {"soft-profile", required_argument, nullptr, kSoftProfile},
                                              {"vsock-socket", required_argument, nullptr, kVsockSocket},
                                              {"help", no_argument, nullptr, kHelp},
                                              {"version", no_argument, nullptr, kVersion},
                                              {nullptr, 0, nullptr, 0}}};

Result<HostKind> parse_host(std::string_view text) {
  if (text == "kvm") return HostKind::Kvm;
  if (text == "soft") return HostKind::Soft;
  return fail(Error::Code::InvalidArgument, "--host '{}' is neither 'kvm' nor 'soft'", text);
}

Result<log::Priority> parse_log_level(std::string_view text) {
  constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warning", "error"};
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (text == kNames.at(i)) return static_cast<log::Priority>(i + 1);
  return fail(Error::Code::InvalidArgument, "--log-level '{}' is none of debug, info, warning, error", text);
}

Result<> take_option(Options& options, int number, const char* value) {
  switch (number) {
    case kConfig:
      options.config = value;
      return {};
    case kAddDisk:
      options.mode = Options::Mode::AddDisk;
      options.config = value;
      return {};
    case kAddInterface:
      options.mode = Options::Mode::AddInterface;
      options.config = value;
      return {};
    case kControlSocket:
      options.control_socket = value;
      return {};
    case kConsole:
      options.console = true;
      return {};
    case kLog:
      options.log = value;
      return {};
    case kLogLevel:
      options.log_level = TRY(parse_log_level(value));
      return {};
    case kHostCapabilities:
      options.mode = Options::Mode::HostCapabilities;
      return {};
    case kHost:
      options.host = TRY(parse_host(value));
      return {};
    case kSoftFaults:
      options.soft_faults = value;
      return {};
    case kSoftProfile:
      options.soft_profile = value;
      return {};
    case kVsockSocket:
      options.vsock_socket = value;
      return {};
    case kHelp:
      options.mode = Options::Mode::Help;
      return {};
    case kVersion:
      options.mode = Options::Mode::Version;
      return {};
    default:
      return fail(Error::Code::Internal, "option number {}", number);
  }
}

Result<> check_together(const Options& options) {
  if (options.mode == Options::Mode::HostCapabilities && !options.soft_profile.empty() &&
      options.host != HostKind::Soft)
    return fail(Error::Code::InvalidArgument, "--soft-profile needs --host soft");
  const bool adds = options.mode == Options::Mode::AddDisk || options.mode == Options::Mode::AddInterface;
  if (adds && options.control_socket.empty())
    return fail(Error::Code::InvalidArgument, "--add-{} needs the --control-socket of a monitor",
                options.mode == Options::Mode::AddDisk ? "disk" : "interface");
  if (!adds && !options.log.empty())
    return fail(Error::Code::InvalidArgument, "--log is for --add-disk and --add-interface");
  if (options.mode != Options::Mode::Run) return {};
  if (options.config.empty()) return fail(Error::Code::InvalidArgument, "--config is missing");
  if (options.control_socket.empty() && !options.console)
    return fail(Error::Code::InvalidArgument,
                "neither --control-socket nor --console is given: nobody could reach the TD");
  if (options.config == "-" && options.console)
    return fail(Error::Code::InvalidArgument, "--config - and --console both want standard input");
  return {};
}

}  // namespace

Result<Options> parse_options(int argc, char** argv) {
  Options options;
  opterr = 0;
  optind = 1;
  int number = 0;
  while ((number = ::getopt_long(argc, argv, ":", kOptions.data(), nullptr)) != -1) {
    if (number == '?') return fail(Error::Code::InvalidArgument, "unknown option '{}'", argv[optind - 1]);
    if (number == ':')
      return fail(Error::Code::InvalidArgument, "option '{}' needs a value", argv[optind - 1]);
    TRY(take_option(options, number, optarg));
  }
  if (optind < argc) return fail(Error::Code::InvalidArgument, "unexpected argument '{}'", argv[optind]);
  TRY(check_together(options));
  return options;
}

std::string usage_text() {
  return R"(Usage: virttdx-vmm --config FILE|- [--control-socket PATH] [--console] [--log-level LEVEL]
       virttdx-vmm --host-capabilities [--host kvm|soft] [--soft-profile FILE]
       virttdx-vmm --add-disk FILE|- --control-socket PATH [--log FILE]
       virttdx-vmm --add-interface FILE|- --control-socket PATH [--log FILE]
Runs one trust domain (TD), says what a host offers to TDs, or gives a TD that runs a disk or an interface.

  --config FILE          what to run, as JSON (schemas/vm-config.json); "-": standard input
  --control-socket PATH  serve commands and events there (docs/control-protocol.md)
  --console              connect serial port 0 with standard input and output; Ctrl-A X ends the TD
  --vsock-socket PATH    serve the TD's vsock there (docs/devices.md)
  --log-level LEVEL      debug, info (default), warning, error; the log is standard error
  --host-capabilities    print what the host offers as JSON (schemas/host-capabilities.json)
  --host kvm|soft        which host that is: the kernel (default) or the software TDX host
  --soft-faults FILE     make chosen ioctls of the software TDX host fail (schemas/soft-faults.json)
  --soft-profile FILE    the software TDX host plays the host recorded there (virt-tdx host --save)
  --add-disk FILE        serve a disk, as in the configuration's "disks", to the monitor at PATH by a storage daemon
  --add-interface FILE   open an interface, as in the configuration's "interfaces", for the monitor at PATH
  --log FILE             append there what the storage daemon or passt of --add-... says
  --help, --version

Exit status: 0 the guest shut down or was stopped, 1 launch failed or crashed, 2 wrong usage.
)";
}

}  // namespace virttdx
