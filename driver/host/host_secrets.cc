// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/host_secrets.h"

#include <fcntl.h>
#include <libvirt/virterror.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "host/object_connection.h"
#include "process/process_stat.h"
#include "support/file.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// libvirt's daemons know one another by it (src/util/viridentity.c): 32 digits that only their user may read.
constexpr auto kTokenName = "common/system.token";
constexpr auto kTokenParam = "system.token";
constexpr std::size_t kTokenLength = 32;

class Params {
 public:
  Params() = default;
  Params(const Params&) = delete;
  Params& operator=(const Params&) = delete;
  ~Params() { virTypedParamsFree(list_, count_); }
  void add(const char* name, const std::string& value) {
    virTypedParamsAddString(&list_, &count_, &capacity_, name, value.c_str());
  }
  void add(const char* name, unsigned long long value) {
    virTypedParamsAddULLong(&list_, &count_, &capacity_, name, value);
  }
  void add_pid(pid_t pid) {
    virTypedParamsAddLLong(&list_, &count_, &capacity_, VIR_CONNECT_IDENTITY_PROCESS_ID, pid);
  }
  bool set_identity(virConnectPtr connection) {
    return virConnectSetIdentity(connection, list_, count_, 0) == 0;
  }

 private:
  virTypedParameterPtr list_ = nullptr;
  int count_ = 0, capacity_ = 0;
};

// A private secret is for daemons of this host alone. Without the token, others can still be read.
void identify_as_daemon(virConnectPtr connection, const ObjectDaemons& daemons) {
  const auto token = read_text_file(daemons.run / kTokenName, kTokenLength);
  if (!token || token->size() != kTokenLength) return;
  Params identity;
  identity.add(kTokenParam, *token);
  identity.add(VIR_CONNECT_IDENTITY_UNIX_USER_ID, geteuid());
  identity.add(VIR_CONNECT_IDENTITY_UNIX_GROUP_ID, getegid());
  identity.add_pid(getpid());
  if (const auto stat = read_process_stat(getpid()))
    identity.add(VIR_CONNECT_IDENTITY_PROCESS_TIME, stat->start_time);
  if (!identity.set_identity(connection))
    log::warning("private secrets cannot be read: {}", virGetLastErrorMessage());
}

int usage_type(const SecretRequest& request) {
  if (request.use == SecretUse::Encryption) return VIR_SECRET_USAGE_TYPE_VOLUME;
  return request.type == "iscsi" ? VIR_SECRET_USAGE_TYPE_ISCSI : VIR_SECRET_USAGE_TYPE_CEPH;
}

Secret look_up(virConnectPtr connection, const SecretRequest& request) {
  return Secret(request.uuid.empty()
                    ? virSecretLookupByUsage(connection, usage_type(request), request.usage.c_str())
                    : virSecretLookupByUUIDString(connection, request.uuid.c_str()));
}

}  // namespace

Result<UniqueFd> put_in_pipe(std::string_view value) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno(errno, "create a pipe");
  UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  const int size = static_cast<int>(value.size());
  if (fcntl(write_end.get(), F_GETPIPE_SZ) < size && fcntl(write_end.get(), F_SETPIPE_SZ, size) < 0)
    return fail_errno(errno, "make a pipe of {} bytes", size);
  if (!value.empty() && write(write_end.get(), value.data(), value.size()) != size)
    return fail_errno(errno, "write {} bytes to a pipe", size);
  return read_end;
}

Result<UniqueFd> read_secret(const ObjectDaemons& daemons, const SecretRequest& request) {
  const auto what = fmt::format("disk '{}': secret '{}'", request.target,
                                request.uuid.empty() ? request.usage : request.uuid);
  const auto connection = connect(daemons, ObjectClass::Secret);
  if (!connection) return tl::unexpected(Error(connection.error()).with_context(what));
  identify_as_daemon(connection->get(), daemons);
  const Secret secret = look_up(connection->get(), request);
  if (!secret) return library_error(what);
  std::size_t size = 0;
  unsigned char* const value = virSecretGetValue(secret.get(), &size, 0);
  if (value == nullptr) return library_error(what);
  auto pipe = put_in_pipe({reinterpret_cast<const char*>(value), size});
  explicit_bzero(value, size);
  std::free(value);
  if (!pipe) return tl::unexpected(Error(pipe.error()).with_context(what));
  return pipe;
}

}  // namespace virttdx::driver
