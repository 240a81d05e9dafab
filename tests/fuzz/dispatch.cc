// SPDX-License-Identifier: GPL-2.0-or-later
// A daemon on a host without TDX, in this process, and what one client calls. The first byte says how the
// rest is meant: odd: bytes for the socket as they are; even: calls, each a procedure's number and the length
// of its arguments (16 bits, big endian) and the arguments, made one after the other on an open connection. A
// definition may name a file for a later call to remove: let libFuzzer run as a user who owns nothing.
#include <sys/socket.h>
#include <unistd.h>

#include <QCoreApplication>
#include <QEventLoop>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "api/daemon.h"
#include "rpc/frame.h"
#include "rpc/peer.h"
#include "rpc/xdr_codec.h"
#include "schemas/remote_protocol.h"
#include "schemas/virnet_protocol.h"
#include "support/log.h"
#include "support/unique_fd.h"

namespace virttdx::driver {
namespace {

template <typename T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().message().c_str());
  std::abort();
}

class PrivateFolder {
 public:
  PrivateFolder() {
    std::string name = std::filesystem::temp_directory_path() / "virttdx-dispatch-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
  }
  ~PrivateFolder() { std::filesystem::remove_all(path); }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  std::filesystem::path path;
};

HostAccess host_without_tdx() {
  HostAccess host;
  host.monitor_binary = "/nonexistent";
  return host;
}

void turn() { QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents); }

class DaemonInside {
 public:
  static DaemonInside& instance() {
    static DaemonInside daemon;
    return daemon;
  }

  UniqueFd connect() { return must(connect_unix(daemon_.socket().native())); }

  void forget_domains() {
    for (const auto& record : service_.domains().all())
      service_.undefine(record, [](const Result<>& done) { static_cast<void>(done); });
    while (!service_.domains().all().empty()) turn();
  }

 private:
  DaemonInside()
      : service_(directories(), host_without_tdx(), bus_, std::chrono::seconds(30)),
        daemon_({}, directories(), service_, bus_) {
    log::set_threshold(log::Priority::Error);
    if (const auto listening = daemon_.listen({}); !listening) std::abort();
  }

  // Everything below a folder of its own: daemons of other classes are looked for there, too.
  Directories directories() {
    auto found = must(find_directories(folder_.path));
    if (!create_directories(found)) std::abort();
    return found;
  }

  int argc_ = 0;
  QCoreApplication application_{argc_, nullptr};
  PrivateFolder folder_;
  SystemBus bus_;
  DomainService service_;
  Daemon daemon_;
};

class Caller {
 public:
  Caller() : socket_(DaemonInside::instance().connect()) {}

  /// False: the daemon has closed the connection.
  bool call(int procedure, std::string_view arguments) {
    const FrameHeader header{.program = REMOTE_PROGRAM,
                             .version = REMOTE_PROTOCOL_VERSION,
                             .procedure = procedure,
                             .type = VIR_NET_CALL,
                             .serial = ++serial_};
    return send(encode_frame(header, arguments)) && wait_for_reply();
  }

  /// Until the daemon has read it all, and has closed the connection.
  void send_and_leave(std::string_view bytes) {
    if (!send(bytes)) return;
    shutdown(socket_.get(), SHUT_WR);
    while (receive()) {
    }
  }

 private:
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0)
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      else if (errno != EAGAIN)
        return false;
      else
        turn();
    }
    return true;
  }

  bool wait_for_reply() {
    while (true) {
      while (const auto frame = must(input_.next()))
        if (frame->header.serial == serial_ && frame->header.type == VIR_NET_REPLY) return true;
      if (!receive()) return false;
    }
  }

  bool receive() {
    char bytes[4096];
    while (true) {
      const auto size = recv(socket_.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
      if (size < 0 && errno == EAGAIN) {
        turn();
        continue;
      }
      if (size > 0) input_.append({bytes, static_cast<std::size_t>(size)});
      return size > 0;
    }
  }

  UniqueFd socket_;
  FrameReader input_;
  std::uint32_t serial_ = 0;
};

std::string open_arguments() {
  Arena arena;
  remote_connect_open_args args{};
  args.name = arena.optional_text("tdx:///system");
  return must(xdr_encode(args));
}

std::size_t take_number(std::string_view& bytes) {
  const auto high = static_cast<unsigned char>(bytes[0]), low = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  return static_cast<std::size_t>(high) << 8 | low;
}

void make_calls(Caller& caller, std::string_view calls) {
  if (!caller.call(REMOTE_PROC_CONNECT_OPEN, open_arguments())) std::abort();
  while (calls.size() >= 4) {
    const auto procedure = static_cast<int>(take_number(calls));
    const std::size_t length = take_number(calls);
    const auto arguments = calls.substr(0, length);
    calls.remove_prefix(arguments.size());
    if (!caller.call(procedure, arguments)) return;
  }
}

}  // namespace
}  // namespace virttdx::driver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virttdx::driver;
  if (size == 0) return 0;
  // SAFETY: bytes as characters.
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  {
    Caller caller;
    if (data[0] % 2 != 0)
      caller.send_and_leave(rest);
    else
      make_calls(caller, rest);
  }
  DaemonInside::instance().forget_domains();
  return 0;
}
