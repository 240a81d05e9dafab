// SPDX-License-Identifier: GPL-2.0-or-later
// Loads a guest's disk or network for tests/bench/guest_devices.py, and prints "guest: NAME SECONDS".
// device_load NAME read|write FILE BYTES COUNT: so many direct requests of that size, one after the other.
// device_load NAME fetch|send|echo ADDRESS PORT BYTES COUNT: that many bytes as often from or to the host's
// server, or there and back. The server learns which by the first letter.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

bool receive_all(int socket, char* bytes, std::size_t size) {
  for (ssize_t count = 0; size > 0; bytes += count, size -= static_cast<std::size_t>(count))
    if ((count = ::recv(socket, bytes, size, 0)) <= 0) return false;
  return true;
}

bool send_all(int socket, const char* bytes, std::size_t size) {
  for (ssize_t count = 0; size > 0; bytes += count, size -= static_cast<std::size_t>(count))
    if ((count = ::send(socket, bytes, size, 0)) <= 0) return false;
  return true;
}

// What the command line asks for, with memory for one request.
struct Load {
  std::string kind;
  std::size_t bytes, count;
  char* buffer;
};

bool load_disk(const Load& load, const char* path) {
  const bool writes = load.kind == "write";
  const int file = ::open(path, (writes ? O_WRONLY : O_RDONLY) | O_DIRECT);
  for (std::size_t i = 0; i < load.count; ++i) {
    const auto offset = static_cast<off_t>(i * load.bytes);
    const ssize_t done = writes ? ::pwrite(file, load.buffer, load.bytes, offset)
                                : ::pread(file, load.buffer, load.bytes, offset);
    if (done != static_cast<ssize_t>(load.bytes)) return false;
  }
  return ::fsync(file) == 0 && ::close(file) == 0;
}

int connected(const char* address, const char* port) {
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::inet_pton(AF_INET, address, &server.sin_addr) != 1) return -1;
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0 ? socket : -1;
}

bool load_network(const Load& load, int socket) {
  if (!send_all(socket, load.kind.c_str(), 1)) return false;
  for (std::size_t i = 0; i < load.count; ++i) {
    if (load.kind != "fetch" && !send_all(socket, load.buffer, load.bytes)) return false;
    if (load.kind != "send" && !receive_all(socket, load.buffer, load.bytes)) return false;
  }
  // What was sent has arrived when the server has answered.
  return load.kind != "send" || (::shutdown(socket, SHUT_WR) == 0 && receive_all(socket, load.buffer, 1));
}

}  // namespace

int main(int count, char** words) {
  if (count != 6 && count != 7) return 2;
  Load load{words[2], std::strtoull(words[count - 2], nullptr, 10),
            std::strtoull(words[count - 1], nullptr, 10), nullptr};
  constexpr std::size_t kPage = 4096;
  load.buffer = static_cast<char*>(std::aligned_alloc(kPage, (load.bytes + kPage - 1) / kPage * kPage));
  std::memset(load.buffer, 'x', load.bytes);
  const int socket = count == 7 ? connected(words[3], words[4]) : -1;
  const auto begin = std::chrono::steady_clock::now();
  if (!(count == 7 ? load_network(load, socket) : load_disk(load, words[3]))) {
    std::printf("guest: error %s\n", words[1]);
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("guest: %s %.6f\n", words[1], took.count());
  return 0;
}
