// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/device_opener.h"

#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "vmm_backend/monitor_messages.h"

namespace virttdx::driver {

void DeviceOpener::add_interface(const Monitor& monitor, const NetworkInterfaceConfig& config, Done done) {
  open(monitor, {.option = "--add-interface", .config = interface_config_to_json(config).dump()},
       std::move(done));
}

void DeviceOpener::add_disk(const Monitor& monitor, const DiskConfig& config, std::vector<int> inherited,
                            Done done) {
  open(monitor,
       {.option = "--add-disk",
        .config = disk_config_to_json(config).dump(),
        .inherited = std::move(inherited)},
       std::move(done));
}

void DeviceOpener::open(const Monitor& monitor, Call call, Done done) {
  auto program =
      run_program({.path = monitor_binary_,
                   .arguments = {call.option, "-", "--control-socket", monitor.control_socket.native(),
                                 "--log", monitor.log_file.native()},
                   .input = call.config,
                   .inherited = std::move(call.inherited)});
  if (!program) return done(tl::unexpected(program.error()));
  const pid_t child = program->pid;
  running_.emplace(child, Opening{*std::move(program), std::move(done)});
}

void DeviceOpener::child_ended(pid_t child, int status) {
  const auto found = running_.find(child);
  if (found == running_.end()) return;
  const Opening opening = std::move(found->second);
  running_.erase(found);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return opening.done({});
  const auto words = last_words(opening.program);
  opening.done(
      fail(Error::Code::Internal, "{}",
           words.empty() ? fmt::format("'{}': {}", monitor_binary_.native(), describe_end(status)) : words));
}

}  // namespace virttdx::driver
