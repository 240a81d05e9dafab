// SPDX-License-Identifier: GPL-2.0-or-later
// The CPU that a TD really got: shown in the live XML, and held against what was predicted.
#include <algorithm>
#include <utility>

#include "domain/domain_service.h"
#include "domain/messages.h"
#include "domain_xml/cpu_models.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// Of wrong predictions these are named, the others counted.
constexpr std::size_t kNamedBits = 4;

std::string describe(const std::vector<domain_xml::CpuidDifference>& wrong, std::string_view domain) {
  std::string text = fmt::format("warning: the guest's CPUID is not as predicted in {} bit{}", wrong.size(),
                                 wrong.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < std::min(wrong.size(), kNamedBits); ++i)
    text +=
        fmt::format("{} {} is {:d}", i == 0 ? ":" : ",", domain_xml::to_string(wrong[i]), wrong[i].actual);
  if (wrong.size() > kNamedBits) text += fmt::format(" and {} more", wrong.size() - kNamedBits);
  return text +
         fmt::format("; this TDX module or CPU is not as known, 'virt-tdx cpuid {}' shows all", domain);
}

Result<> show_live_cpu(DomainRecord& record, const HostCapabilities& host, const nlohmann::json& cpuid,
                       const nlohmann::json& measurements) {
  const auto report = TRY(cpuid_report_from_json(cpuid));
  const auto measured = TRY(monitor_measurements_from_json(measurements));
  const domain_xml::GuestCpuid guest{report, measured.xfam, measured.attributes};
  if (const auto wrong = domain_xml::wrong_predictions(guest); !wrong.empty())
    add_message(record, describe(wrong, record.name));
  auto& definition = record.live->definition;
  if (record.live->verify_cpu) TRY(domain_xml::verify_cpu(definition, guest, host));
  if (definition.cpu) definition.cpu = TRY(domain_xml::live_cpu(definition, report, host));
  return {};
}

}  // namespace

void DomainService::learn_cpu(const RecordPtr& record, Completion done) {
  const std::weak_ptr<DomainRecord> weak = record;
  const auto took_cpuid = [this, weak, done = std::move(done)](const ControlReply& cpuid) {
    if (!cpuid.result) return done(tl::unexpected(cpuid.result.error()));
    const auto domain = weak.lock();
    if (!domain || !domain->live) return;
    domain->live->monitor->send(
        control_command::kMeasurements, nlohmann::json::object(),
        [this, weak, done, report = *cpuid.result](const ControlReply& measurements) {
          if (!measurements.result) return done(tl::unexpected(measurements.result.error()));
          if (const auto measured = weak.lock(); measured && measured->live)
            done(show_live_cpu(*measured, host_.capabilities, report, *measurements.result));
        });
  };
  record->live->monitor->send(control_command::kCpuid, nlohmann::json::object(), took_cpuid);
}

// A TD of which the CPU cannot be told runs all the same, unless its definition has check='full'. One whose
// monitor ended is not started: its end is told by monitor_gone().
void DomainService::finish_start_with_cpu(const RecordPtr& record) {
  const std::weak_ptr<DomainRecord> weak = record;
  learn_cpu(record, [this, weak](const Result<>& learned) {
    const auto domain = weak.lock();
    if (!domain || domain->phase != Phase::Starting || !domain->live->monitor->connected()) return;
    if (!learned && domain->live->verify_cpu) return refuse_start(domain, learned.error());
    if (!learned) log::warning("CPU of domain '{}': {}", domain->name, learned.error().message());
    const bool paused = domain->live->status.state == VmState::Paused;
    if (paused && domain->live->resume_when_verified) return resume_verified(domain);
    finish_start(domain, paused);
  });
}

void DomainService::resume_verified(const RecordPtr& record) {
  const std::weak_ptr<DomainRecord> weak = record;
  record->live->monitor->send(
      control_command::kResume, nlohmann::json::object(), [this, weak](const ControlReply& reply) {
        const auto domain = weak.lock();
        if (!domain || domain->phase != Phase::Starting) return;
        reply.result ? finish_start(domain, false) : refuse_start(domain, reply.result.error());
      });
}

// The TD is stopped; its end completes the start with this error.
void DomainService::refuse_start(const RecordPtr& record, const Error& error) {
  record->live->refusal = error;
  record->live->monitor->send_stop();
  begin_stop(record, StopReason::LaunchFailed, error.message());
}

}  // namespace virttdx::driver
