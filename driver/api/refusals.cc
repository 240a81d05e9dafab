// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/refusals.h"

#include <libvirt/virterror.h>

#include <algorithm>
#include <array>

#include "api/find_record.h"

namespace virttdx::driver {
namespace {

constexpr int kUnsupported = VIR_ERR_OPERATION_UNSUPPORTED;
constexpr int kInvalid = VIR_ERR_OPERATION_INVALID;

constexpr std::string_view kSave =
    "the memory of a TD is encrypted with a key that never leaves the TDX module: it cannot be saved, and no "
    "saved domain can be restored";
constexpr std::string_view kMigration =
    "migrating a TD needs migration TDs, which neither KVM nor this monitor has";
constexpr std::string_view kMemory = "the memory of a TD is encrypted: the host cannot read it";
constexpr std::string_view kSnapshot =
    "the memory of a TD cannot be saved, and the monitor takes no snapshots of disks";
constexpr std::string_view kCheckpoint =
    "checkpoints and backups need dirty bitmaps of disk images, which the monitor does not keep";
constexpr std::string_view kBlockJob =
    "the monitor runs no jobs on disk images; qemu-img does while the domain is off";
constexpr std::string_view kGraphics = "a TD has no display: graphics memory would be shared with the host";
constexpr std::string_view kIoThread = "the monitor has no I/O threads";
constexpr std::string_view kNoSnapshot = "no domain snapshot with matching name";
constexpr std::string_view kNoCheckpoint = "no domain checkpoint with matching name";
constexpr std::string_view kNoJob = "no job is active on the domain";

using enum RefusalScope;
constexpr auto kRefusals = std::to_array<Refusal>({
    {REMOTE_PROC_DOMAIN_SAVE, RunningDomain, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_SAVE_FLAGS, RunningDomain, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_SAVE_PARAMS, RunningDomain, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_RESTORE, Connection, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_RESTORE_FLAGS, Connection, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_RESTORE_PARAMS, Connection, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_SAVE_IMAGE_GET_XML_DESC, Connection, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_SAVE_IMAGE_DEFINE_XML, Connection, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_MANAGED_SAVE, RunningDomain, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_MANAGED_SAVE_REMOVE, Domain, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_MANAGED_SAVE_GET_XML_DESC, Domain, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_MANAGED_SAVE_DEFINE_XML, Domain, kUnsupported, kSave},
    {REMOTE_PROC_DOMAIN_CORE_DUMP, RunningDomain, kUnsupported, kMemory},
    {REMOTE_PROC_DOMAIN_CORE_DUMP_WITH_FORMAT, RunningDomain, kUnsupported, kMemory},
    {REMOTE_PROC_DOMAIN_MEMORY_PEEK, RunningDomain, kUnsupported, kMemory},
    {REMOTE_PROC_DOMAIN_START_DIRTY_RATE_CALC, RunningDomain, kUnsupported, kMemory},

    {REMOTE_PROC_DOMAIN_MIGRATE_PREPARE, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_PERFORM, RunningDomain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_FINISH, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_PREPARE2, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_FINISH2, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_PREPARE_TUNNEL, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_BEGIN3, Domain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_PREPARE3, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_PREPARE_TUNNEL3, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_PERFORM3, Domain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_FINISH3, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_CONFIRM3, Domain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_BEGIN3_PARAMS, Domain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_PREPARE3_PARAMS, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_PERFORM3_PARAMS, Domain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_FINISH3_PARAMS, Connection, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_CONFIRM3_PARAMS, Domain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_SET_MAX_DOWNTIME, RunningDomain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_GET_MAX_DOWNTIME, RunningDomain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_SET_MAX_SPEED, Domain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_GET_MAX_SPEED, Domain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_GET_COMPRESSION_CACHE, RunningDomain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_SET_COMPRESSION_CACHE, RunningDomain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_MIGRATE_START_POST_COPY, RunningDomain, kUnsupported, kMigration},
    {REMOTE_PROC_DOMAIN_ABORT_JOB, RunningDomain, kInvalid, kNoJob},
    {REMOTE_PROC_DOMAIN_ABORT_JOB_FLAGS, RunningDomain, kInvalid, kNoJob},

    {REMOTE_PROC_DOMAIN_SNAPSHOT_CREATE_XML, Domain, kUnsupported, kSnapshot},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_LOOKUP_BY_NAME, Domain, VIR_ERR_NO_DOMAIN_SNAPSHOT, kNoSnapshot},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_CURRENT, Domain, VIR_ERR_NO_DOMAIN_SNAPSHOT,
     "the domain does not have a current snapshot"},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_GET_XML_DESC, Snapshot, VIR_ERR_NO_DOMAIN_SNAPSHOT, kNoSnapshot},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_GET_PARENT, Snapshot, VIR_ERR_NO_DOMAIN_SNAPSHOT, kNoSnapshot},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_NUM_CHILDREN, Snapshot, VIR_ERR_NO_DOMAIN_SNAPSHOT, kNoSnapshot},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_LIST_CHILDREN_NAMES, Snapshot, VIR_ERR_NO_DOMAIN_SNAPSHOT, kNoSnapshot},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_LIST_ALL_CHILDREN, Snapshot, VIR_ERR_NO_DOMAIN_SNAPSHOT, kNoSnapshot},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_IS_CURRENT, Snapshot, VIR_ERR_NO_DOMAIN_SNAPSHOT, kNoSnapshot},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_HAS_METADATA, Snapshot, VIR_ERR_NO_DOMAIN_SNAPSHOT, kNoSnapshot},
    {REMOTE_PROC_DOMAIN_REVERT_TO_SNAPSHOT, Snapshot, VIR_ERR_NO_DOMAIN_SNAPSHOT, kNoSnapshot},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_DELETE, Snapshot, VIR_ERR_NO_DOMAIN_SNAPSHOT, kNoSnapshot},
    {REMOTE_PROC_DOMAIN_CHECKPOINT_CREATE_XML, Domain, kUnsupported, kCheckpoint},
    {REMOTE_PROC_DOMAIN_CHECKPOINT_LOOKUP_BY_NAME, Domain, VIR_ERR_NO_DOMAIN_CHECKPOINT, kNoCheckpoint},
    {REMOTE_PROC_DOMAIN_CHECKPOINT_GET_XML_DESC, Checkpoint, VIR_ERR_NO_DOMAIN_CHECKPOINT, kNoCheckpoint},
    {REMOTE_PROC_DOMAIN_CHECKPOINT_LIST_ALL_CHILDREN, Checkpoint, VIR_ERR_NO_DOMAIN_CHECKPOINT,
     kNoCheckpoint},
    {REMOTE_PROC_DOMAIN_CHECKPOINT_GET_PARENT, Checkpoint, VIR_ERR_NO_DOMAIN_CHECKPOINT, kNoCheckpoint},
    {REMOTE_PROC_DOMAIN_CHECKPOINT_DELETE, Checkpoint, VIR_ERR_NO_DOMAIN_CHECKPOINT, kNoCheckpoint},
    {REMOTE_PROC_DOMAIN_BACKUP_BEGIN, RunningDomain, kUnsupported, kCheckpoint},
    {REMOTE_PROC_DOMAIN_BACKUP_GET_XML_DESC, Domain, VIR_ERR_NO_DOMAIN_BACKUP,
     "no domain backup job present"},

    {REMOTE_PROC_DOMAIN_BLOCK_JOB_ABORT, RunningDomain, kUnsupported, kBlockJob},
    {REMOTE_PROC_DOMAIN_BLOCK_JOB_SET_SPEED, RunningDomain, kUnsupported, kBlockJob},
    {REMOTE_PROC_DOMAIN_BLOCK_PULL, RunningDomain, kUnsupported, kBlockJob},
    {REMOTE_PROC_DOMAIN_BLOCK_REBASE, RunningDomain, kUnsupported, kBlockJob},
    {REMOTE_PROC_DOMAIN_BLOCK_COMMIT, RunningDomain, kUnsupported, kBlockJob},
    {REMOTE_PROC_DOMAIN_BLOCK_COPY, RunningDomain, kUnsupported, kBlockJob},
    {REMOTE_PROC_DOMAIN_SET_BLOCK_THRESHOLD, RunningDomain, kUnsupported, kBlockJob},

    {REMOTE_PROC_DOMAIN_SCREENSHOT, RunningDomain, kUnsupported, kGraphics},
    {REMOTE_PROC_DOMAIN_OPEN_GRAPHICS, RunningDomain, kUnsupported, kGraphics},
    {REMOTE_PROC_DOMAIN_OPEN_GRAPHICS_FD, RunningDomain, kUnsupported, kGraphics},
    {REMOTE_PROC_DOMAIN_GRAPHICS_RELOAD, RunningDomain, kUnsupported, kGraphics},
    {REMOTE_PROC_DOMAIN_SEND_KEY, RunningDomain, kUnsupported,
     "a TD has no keyboard; its console takes input"},
    {REMOTE_PROC_DOMAIN_INJECT_NMI, RunningDomain, kUnsupported, "the monitor injects no NMI into a TD"},

    {REMOTE_PROC_DOMAIN_PM_SUSPEND_FOR_DURATION, RunningDomain, kUnsupported,
     "a TD does not suspend: its vCPUs cannot be reset to wake it"},
    {REMOTE_PROC_DOMAIN_PM_WAKEUP, RunningDomain, kUnsupported,
     "a TD does not suspend: its vCPUs cannot be reset to wake it"},

    {REMOTE_PROC_DOMAIN_SET_VCPU, Domain, kUnsupported,
     "the vCPUs of a TD are fixed when it is built; none can be added or removed"},
    {REMOTE_PROC_DOMAIN_ADD_IOTHREAD, Domain, kUnsupported, kIoThread},
    {REMOTE_PROC_DOMAIN_DEL_IOTHREAD, Domain, kUnsupported, kIoThread},
    {REMOTE_PROC_DOMAIN_PIN_IOTHREAD, Domain, kUnsupported, kIoThread},
    {REMOTE_PROC_DOMAIN_SET_IOTHREAD_PARAMS, Domain, kUnsupported, kIoThread},
    {REMOTE_PROC_DOMAIN_SET_PERF_EVENTS, Domain, kUnsupported,
     "KVM counts nothing inside a TD unless its policy allows it to be profiled"},
    {REMOTE_PROC_DOMAIN_SET_MEMORY_STATS_PERIOD, Domain, kUnsupported,
     "a TD has no memory balloon to ask for statistics"},
    {REMOTE_PROC_DOMAIN_SET_LAUNCH_SECURITY_STATE, Domain, kUnsupported,
     "setting a launch secret is only supported in SEV-enabled domains"},

    {REMOTE_PROC_CONNECT_DOMAIN_XML_FROM_NATIVE, Connection, kUnsupported,
     "the monitor is configured with JSON, from which no domain XML follows"},
    {REMOTE_PROC_CONNECT_DOMAIN_XML_TO_NATIVE, Connection, kUnsupported,
     "the monitor takes no command line; 'virt-tdx check --json' shows what it would run"},
    {REMOTE_PROC_NODE_SUSPEND_FOR_DURATION, Connection, kUnsupported,
     "the TDX module and every TD are lost when the host suspends"},
    {REMOTE_PROC_NODE_SET_MEMORY_PARAMETERS, Connection, kUnsupported,
     "private memory of TDs cannot be merged; KSM is the administrator's to set"},
    {REMOTE_PROC_NODE_ALLOC_PAGES, Connection, kUnsupported,
     "TDs take their memory from guest_memfd, not from pools of huge pages"},
    {REMOTE_PROC_NODE_GET_SEV_INFO, Connection, kUnsupported,
     "SEV is AMD's; this driver runs domains on Intel TDX"},
    {REMOTE_PROC_AUTH_SASL_INIT, Connection, VIR_ERR_AUTH_FAILED, "SASL is not offered on this socket"},
    {REMOTE_PROC_AUTH_SASL_START, Connection, VIR_ERR_AUTH_FAILED, "SASL is not offered on this socket"},
    {REMOTE_PROC_AUTH_SASL_STEP, Connection, VIR_ERR_AUTH_FAILED, "SASL is not offered on this socket"},
});

constexpr auto kNotApplicable = std::to_array<NotApplicable>({
    {REMOTE_PROC_DOMAIN_SEND_PROCESS_SIGNAL, "containers only"},
    {REMOTE_PROC_DOMAIN_CREATE_XML_WITH_FILES, "containers only"},
    {REMOTE_PROC_DOMAIN_CREATE_WITH_FILES, "containers only"},
    {REMOTE_PROC_DOMAIN_FD_ASSOCIATE, "disks opened by the client; needs descriptors of a client"},
    {REMOTE_PROC_DOMAIN_SET_THROTTLE_GROUP, "of libvirt 11.2 and later, for disk throttling of QEMU"},
    {REMOTE_PROC_DOMAIN_DEL_THROTTLE_GROUP, "of libvirt 11.2 and later, for disk throttling of QEMU"},
    {REMOTE_PROC_DOMAIN_ANNOUNCE_INTERFACE, "of libvirt 12.6, after migration"},
});

// Snapshots and checkpoints both are {name, domain} in arguments.
WireResult<> find_domain(Session& session, const Frame& frame, RefusalScope scope) {
  if (scope == Connection) return {};
  if (scope == Snapshot || scope == Checkpoint) {
    Decoded<remote_nonnull_domain_snapshot> args;
    if (!args.decode(frame.payload)) return tl::unexpected(rpc_error("Unable to decode message payload"));
    TRY(api::find_record(session, args->dom));
    return {};
  }
  Decoded<remote_domain_destroy_args> args;
  if (!args.decode(frame.payload)) return tl::unexpected(rpc_error("Unable to decode message payload"));
  const auto record = TRY(api::find_record(session, args->dom));
  if (scope == RunningDomain) TRY(check_operation(Operation::Query, record->phase));
  return {};
}

// Names what the client asked for, as libvirt does.
std::string reason_for(const Frame& frame, const Refusal& refusal) {
  Decoded<remote_nonnull_domain_snapshot> object;
  if ((refusal.scope == Snapshot || refusal.scope == Checkpoint) && object.decode(frame.payload))
    return fmt::format("{} '{}'", refusal.reason, std::string_view(object->name).substr(0, 256));
  return std::string(refusal.reason);
}

}  // namespace

std::span<const Refusal> all_refusals() { return kRefusals; }
std::span<const NotApplicable> not_applicable() { return kNotApplicable; }

const Refusal* find_refusal(int procedure) {
  const auto found = std::find_if(kRefusals.begin(), kRefusals.end(),
                                  [&](const auto& row) { return row.procedure == procedure; });
  return found != kRefusals.end() ? &*found : nullptr;
}

AccessArguments refusal_arguments(Session& session, const Frame& frame, const Refusal& refusal) {
  switch (refusal.scope) {
    case Connection:
      return {};
    case Domain:
    case RunningDomain:
      return decode_access_arguments<remote_domain_destroy_args>(session, frame);
    case Snapshot:
    case Checkpoint:
      return decode_access_arguments<remote_nonnull_domain_snapshot>(session, frame);
  }
  return {};
}

void refuse(Session& session, const Frame& frame, PendingReply& reply, const Refusal& refusal) {
  const auto domain = find_domain(session, frame, refusal.scope);
  reply.fail(domain ? wire_error(refusal.code, reason_for(frame, refusal)) : domain.error());
}

}  // namespace virttdx::driver
