// SPDX-License-Identifier: GPL-2.0-or-later
// The names that enumerations have in JSON.
#pragma once

#include "control/json_fields.h"
#include "vmm_backend/monitor_messages.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

template <>
struct EnumNames<HostKind> {
  static constexpr EnumNameTable<HostKind, 2> kNames = {{{HostKind::Kvm, "kvm"}, {HostKind::Soft, "soft"}}};
};

template <>
struct EnumNames<ClockBase> {
  static constexpr EnumNameTable<ClockBase, 2> kNames = {
      {{ClockBase::Utc, "utc"}, {ClockBase::LocalTime, "localtime"}}};
};

template <>
struct EnumNames<ResetAction> {
  static constexpr EnumNameTable<ResetAction, 3> kNames = {{{ResetAction::Recreate, "recreate"},
                                                            {ResetAction::Stop, "stop"},
                                                            {ResetAction::Preserve, "preserve"}}};
};

template <>
struct EnumNames<VmState> {
  static constexpr EnumNameTable<VmState, 5> kNames = {{{VmState::Starting, "starting"},
                                                        {VmState::Running, "running"},
                                                        {VmState::Paused, "paused"},
                                                        {VmState::Crashed, "crashed"},
                                                        {VmState::Stopped, "stopped"}}};
};

template <>
struct EnumNames<StopReason> {
  static constexpr EnumNameTable<StopReason, 6> kNames = {{{StopReason::None, "none"},
                                                           {StopReason::Destroyed, "destroyed"},
                                                           {StopReason::GuestShutdown, "guest-shutdown"},
                                                           {StopReason::Reset, "reset"},
                                                           {StopReason::Crashed, "crashed"},
                                                           {StopReason::LaunchFailed, "launch-failed"}}};
};

template <>
struct EnumNames<MonitorEventKind> {
  static constexpr EnumNameTable<MonitorEventKind, 16> kNames = {
      {{MonitorEventKind::Launched, "launched"},
       {MonitorEventKind::Paused, "paused"},
       {MonitorEventKind::Resumed, "resumed"},
       {MonitorEventKind::Reset, "reset"},
       {MonitorEventKind::Recreated, "recreated"},
       {MonitorEventKind::Panicked, "panicked"},
       {MonitorEventKind::Preserved, "preserved"},
       {MonitorEventKind::DeviceRemoved, "device-removed"},
       {MonitorEventKind::PortOpened, "port-opened"},
       {MonitorEventKind::PortClosed, "port-closed"},
       {MonitorEventKind::TrayOpened, "tray-opened"},
       {MonitorEventKind::TrayClosed, "tray-closed"},
       {MonitorEventKind::LinkLost, "link-lost"},
       {MonitorEventKind::IoError, "io-error"},
       {MonitorEventKind::RtcChanged, "rtc-changed"},
       {MonitorEventKind::Stopped, "stopped"}}};
};

template <>
struct EnumNames<IoErrorAction> {
  static constexpr EnumNameTable<IoErrorAction, 3> kNames = {
      {{IoErrorAction::Report, "report"}, {IoErrorAction::Ignore, "ignore"}, {IoErrorAction::Stop, "stop"}}};
};

template <>
struct EnumNames<Error::Code> {
  using Code = Error::Code;
  static constexpr EnumNameTable<Code, 17> kNames = {{{Code::InvalidArgument, "invalid-argument"},
                                                      {Code::InvalidData, "invalid-data"},
                                                      {Code::XmlSyntax, "xml-syntax"},
                                                      {Code::XmlInvalid, "xml-invalid"},
                                                      {Code::MissingName, "missing-name"},
                                                      {Code::ConfigUnsupported, "config-unsupported"},
                                                      {Code::Unsupported, "unsupported"},
                                                      {Code::NotFound, "not-found"},
                                                      {Code::AlreadyExists, "already-exists"},
                                                      {Code::WrongState, "wrong-state"},
                                                      {Code::Busy, "busy"},
                                                      {Code::Interrupted, "interrupted"},
                                                      {Code::TimedOut, "timed-out"},
                                                      {Code::PermissionDenied, "permission-denied"},
                                                      {Code::NoSpace, "no-space"},
                                                      {Code::System, "system"},
                                                      {Code::Internal, "internal"}}};
};

}  // namespace virttdx
