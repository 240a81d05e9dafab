// SPDX-License-Identifier: GPL-2.0-or-later
// The commands of the control socket, one function each.
#include "control/control_commands.h"

#include <functional>
#include <iterator>
#include <variant>

#include "control/device_config_json.h"
#include "control/json_fields.h"

namespace virttdx {
namespace {

struct Answer {
  nlohmann::json result = nlohmann::json::object();
  UniqueFd descriptor;
};

using Arguments = nlohmann::json;
using Descriptors = std::vector<UniqueFd>;
using CommandFunction = Result<Answer> (*)(const Arguments&, ControlHandler&);
// Of what is given open.
using TakingFunction = Result<Answer> (*)(const Arguments&, Descriptors, ControlHandler&);

struct CommandRow {
  std::string_view name;
  std::variant<CommandFunction, TakingFunction> run;
};

Result<> expect_none(const Arguments& arguments) { return JsonReader(arguments, "/arguments").finish(); }

template <Result<> (ControlHandler::*kAction)()>
Result<Answer> run_action(const Arguments& arguments, ControlHandler& handler) {
  TRY(expect_none(arguments));
  TRY((handler.*kAction)());
  return Answer{};
}

Result<Answer> run_powerdown(const Arguments& arguments, ControlHandler& handler) {
  bool reboot = false;
  JsonReader reader(arguments, "/arguments");
  reader.optional("reboot", reboot);
  TRY(reader.finish());
  TRY(handler.powerdown(reboot));
  return Answer{};
}

Result<Answer> run_status(const Arguments& arguments, ControlHandler& handler) {
  TRY(expect_none(arguments));
  return Answer{monitor_status_to_json(handler.status()), {}};
}

Result<Answer> run_measurements(const Arguments& arguments, ControlHandler& handler) {
  TRY(expect_none(arguments));
  return Answer{monitor_measurements_to_json(TRY(handler.measurements())), {}};
}

Result<Answer> run_cpuid(const Arguments& arguments, ControlHandler& handler) {
  TRY(expect_none(arguments));
  return Answer{cpuid_report_to_json(TRY(handler.cpuid())), {}};
}

Result<Answer> run_device_statistics(const Arguments& arguments, ControlHandler& handler) {
  TRY(expect_none(arguments));
  return Answer{device_statistics_to_json(handler.device_statistics()), {}};
}

Result<Answer> run_hypervisor_statistics(const Arguments& arguments, ControlHandler& handler) {
  TRY(expect_none(arguments));
  return Answer{hypervisor_statistics_to_json(TRY(handler.hypervisor_statistics())), {}};
}

Result<Answer> run_trace(const Arguments& arguments, ControlHandler& handler) {
  TRY(expect_none(arguments));
  return Answer{exit_statistics_to_json(handler.trace()), {}};
}

Result<Answer> run_console_attach(const Arguments& arguments, ControlHandler& handler) {
  std::optional<std::uint8_t> port;
  std::optional<std::string> device;
  bool force = false;
  JsonReader reader(arguments, "/arguments");
  reader.optional("port", port);
  reader.optional("device", device);
  reader.optional("force", force);
  TRY(reader.finish());
  if (port && device)
    return fail(Error::Code::InvalidArgument, "console-attach takes \"port\" or \"device\", not both");
  auto attached =
      device ? handler.console_attach(*device, force) : handler.console_attach(port.value_or(0), force);
  Answer answer;
  answer.descriptor = TRY(std::move(attached));
  return answer;
}

Result<Answer> run_device_add(const Arguments& arguments, Descriptors descriptors, ControlHandler& handler) {
  std::optional<DiskConfig> disk;
  std::optional<NetworkInterfaceConfig> interface;
  JsonReader reader(arguments, "/arguments");
  reader.optional("disk", disk);
  reader.optional("interface", interface);
  TRY(reader.finish());
  if (disk.has_value() == interface.has_value())
    return fail(Error::Code::InvalidArgument, "device-add takes \"disk\" or \"interface\", one of them");
  TRY(disk ? handler.device_add(*disk, std::move(descriptors))
           : handler.device_add(*interface, std::move(descriptors)));
  return Answer{};
}

template <Result<> (ControlHandler::*kAction)(const std::string& id)>
Result<Answer> run_on_device(const Arguments& arguments, ControlHandler& handler) {
  std::string id;
  JsonReader reader(arguments, "/arguments");
  reader.required("id", id);
  TRY(reader.finish());
  TRY((handler.*kAction)(id));
  return Answer{};
}

// Of what one device is given: its id, and a member `name`.
template <typename Value>
Result<Answer> give(const Arguments& arguments, std::string_view name,
                    const std::function<Result<>(const std::string& id, const Value& value)>& handle) {
  std::string id;
  Value value{};
  JsonReader reader(arguments, "/arguments");
  reader.required("id", id);
  reader.required(name, value);
  TRY(reader.finish());
  TRY(handle(id, value));
  return Answer{};
}

Result<Answer> run_link_set(const Arguments& arguments, ControlHandler& handler) {
  return give<bool>(arguments, "up",
                    [&](const std::string& id, bool up) { return handler.link_set(id, up); });
}

Result<Answer> run_tray_open(const Arguments& arguments, ControlHandler& handler) {
  std::string id;
  bool force = false;
  JsonReader reader(arguments, "/arguments");
  reader.required("id", id);
  reader.optional("force", force);
  TRY(reader.finish());
  const bool is_open = TRY(handler.tray_open(id, force));
  return Answer{{{"open", is_open}}, {}};
}

Result<Answer> run_medium_offer(const Arguments& arguments, Descriptors descriptors,
                                ControlHandler& handler) {
  DiskConfig disk;
  JsonReader reader(arguments, "/arguments");
  reader.required("disk", disk);
  TRY(reader.finish());
  TRY(handler.medium_offer(disk, std::move(descriptors)));
  return Answer{};
}

Result<Answer> run_disk_limits(const Arguments& arguments, ControlHandler& handler) {
  return give<DiskLimits>(arguments, "limits", [&](const std::string& id, const DiskLimits& limits) {
    return handler.disk_limits(id, limits);
  });
}

Result<Answer> run_disk_resize(const Arguments& arguments, ControlHandler& handler) {
  return give<std::uint64_t>(arguments, "bytes", [&](const std::string& id, std::uint64_t bytes) {
    return handler.disk_resize(id, bytes);
  });
}

Result<Answer> run_set_actions(const Arguments& arguments, ControlHandler& handler) {
  TRY(handler.set_actions(TRY(lifecycle_actions_from_json(arguments))));
  return Answer{};
}

constexpr std::array kCommands = {
    CommandRow{control_command::kStatus, run_status},
    CommandRow{control_command::kPause, run_action<&ControlHandler::pause>},
    CommandRow{control_command::kResume, run_action<&ControlHandler::resume>},
    CommandRow{control_command::kStop, run_action<&ControlHandler::stop>},
    CommandRow{control_command::kPowerdown, run_powerdown},
    CommandRow{control_command::kReset, run_action<&ControlHandler::reset>},
    CommandRow{control_command::kMeasurements, run_measurements},
    CommandRow{control_command::kCpuid, run_cpuid},
    CommandRow{control_command::kDeviceStatistics, run_device_statistics},
    CommandRow{control_command::kHypervisorStatistics, run_hypervisor_statistics},
    CommandRow{control_command::kTrace, run_trace},
    CommandRow{control_command::kConsoleAttach, run_console_attach},
    CommandRow{control_command::kDeviceAdd, run_device_add},
    CommandRow{control_command::kDeviceRemove, run_on_device<&ControlHandler::device_remove>},
    CommandRow{control_command::kLinkSet, run_link_set},
    CommandRow{control_command::kTrayOpen, run_tray_open},
    CommandRow{control_command::kMediumOffer, run_medium_offer},
    CommandRow{control_command::kMediumChange, run_on_device<&ControlHandler::medium_change>},
    CommandRow{control_command::kDiskLimits, run_disk_limits},
    CommandRow{control_command::kDiskResize, run_disk_resize},
    CommandRow{control_command::kSetActions, run_set_actions},
};

Result<Descriptors> take(Descriptors& all, std::size_t count) {
  if (all.size() < count)
    return fail(Error::Code::InvalidData, "{} descriptors are announced, {} have come", count, all.size());
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(count);
  Descriptors taken(std::make_move_iterator(all.begin()), std::make_move_iterator(end));
  all.erase(all.begin(), end);
  return taken;
}

Result<Answer> run_command(const control_wire::Command& command, Descriptors descriptors,
                           ControlHandler& handler) {
  const auto* const row = std::find_if(kCommands.begin(), kCommands.end(), [&](const CommandRow& candidate) {
    return candidate.name == command.name;
  });
  if (row == kCommands.end())
    return fail(Error::Code::Unsupported, "unknown command \"{}\"", command.name.substr(0, 60));
  if (const auto* const taking = std::get_if<TakingFunction>(&row->run))
    return (*taking)(command.arguments, std::move(descriptors), handler);
  return std::get<CommandFunction>(row->run)(command.arguments, handler);
}

}  // namespace

OutgoingLine run_command_line(std::string_view line, std::vector<UniqueFd>& descriptors,
                              ControlHandler& handler) {
  const auto command = control_wire::parse_command(line);
  if (!command) return {control_wire::error_line(0, command.error()), {}};
  auto taken = take(descriptors, command->descriptors);
  if (!taken) return {control_wire::error_line(command->id, taken.error()), {}};
  auto answer = run_command(*command, *std::move(taken), handler);
  if (!answer) return {control_wire::error_line(command->id, answer.error()), {}};
  OutgoingLine reply;
  if (answer->descriptor) reply.descriptors.push_back(std::move(answer->descriptor));
  const auto count = static_cast<unsigned>(reply.descriptors.size());
  reply.text = control_wire::result_line(command->id, answer->result, count);
  return reply;
}

}  // namespace virttdx
