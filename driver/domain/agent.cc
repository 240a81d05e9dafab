// SPDX-License-Identifier: GPL-2.0-or-later
// Commands for the guest agent of a running domain: one at a time, beside what the monitor does.
#include <algorithm>

#include "domain/agent_channel.h"
#include "domain/domain_service.h"
#include "domain/live_devices.h"
#include "rpc/peer.h"

namespace virttdx::driver {
namespace {

// An agent whose guest stands still cannot answer.
Result<> check_guest_runs(const DomainRecord& record) {
  if (record.phase == Phase::Running) return {};
  return fail(Error::Code::WrongState, "domain is not running");
}

Result<UniqueFd> connect_agent(const DomainRecord& record) {
  TRY(check_guest_runs(record));
  const auto* channel = agent_channel(record.live->definition);
  if (channel == nullptr) return fail(Error::Code::ConfigUnsupported, "QEMU guest agent is not configured");
  if (channel->target_state == "disconnected")
    return fail(Error::Code::NotFound, "QEMU guest agent is not connected");
  auto socket = connect_unix(*channel->source_path);
  if (!socket) return fail(Error::Code::NotFound, "QEMU guest agent is not connected");
  return socket;
}

}  // namespace

const domain_xml::CharacterDevice* agent_channel(const domain_xml::Domain& domain) {
  const auto& channels = domain.devices.channels;
  const auto found = std::ranges::find(channels, kAgentChannel, &domain_xml::CharacterDevice::target_name);
  return found == channels.end() || found->type != "unix" || !found->source_path ? nullptr : &*found;
}

bool has_connected_agent(const DomainRecord& record) {
  const auto* channel = record.live ? agent_channel(record.live->definition) : nullptr;
  return channel != nullptr && channel->target_state == "connected";
}

void DomainService::ask_agent(const RecordPtr& record, GuestAgentCall::Command command,
                              GuestAgentCall::Handler handler) {
  if (const auto possible = check_guest_runs(*record); !possible)
    return handler(tl::unexpected(possible.error()));
  if (agent_channel(record->live->definition) == nullptr)
    return handler(fail(Error::Code::ConfigUnsupported, "QEMU guest agent is not configured"));
  const std::string job = command.name;
  record->agent_jobs.run(job, monitor_patience_,
                         [record, command = std::move(command),
                          handler = std::move(handler)](const Result<JobQueue::Turn>& turn) {
                           if (!turn) return handler(tl::unexpected(turn.error()));
                           ask_agent_in_turn(record, command,
                                             [handler, held = *turn](Result<nlohmann::json> answer) {
                                               handler(std::move(answer));
                                             });
                         });
}

void DomainService::ask_agent_in_turn(const RecordPtr& record, GuestAgentCall::Command command,
                                      GuestAgentCall::Handler handler) {
  auto channel = connect_agent(*record);
  if (!channel) return handler(tl::unexpected(channel.error()));
  if (!command.patience) command.patience = record->live->agent_patience;
  const std::weak_ptr<DomainRecord> weak = record;
  // The call ends before its caller hears of it, so that the caller may ask again.
  record->live->agent_call.reset(
      new GuestAgentCall(*std::move(channel), std::move(command),
                         [weak, handler = std::move(handler)](Result<nlohmann::json> answer) {
                           if (const auto domain = weak.lock(); domain && domain->live)
                             domain->live->agent_call.reset();
                           handler(std::move(answer));
                         }));
}

}  // namespace virttdx::driver
