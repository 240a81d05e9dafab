// SPDX-License-Identifier: GPL-2.0-or-later
// What a guest does with its vsock in the boot tests. vsock_talk PORT: sends a line and 1 MiB to that port of
// the host, and prints the line that comes back. vsock_talk -l PORT: takes one connection and sends back what
// comes.
#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr std::size_t kBytes = 1 << 20;

const sockaddr* generic(const sockaddr_vm& address) { return reinterpret_cast<const sockaddr*>(&address); }

sockaddr_vm address_of(unsigned cid, const char* port) {
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = cid;
  address.svm_port = static_cast<unsigned>(std::strtoul(port, nullptr, 10));
  return address;
}

bool send_all(int socket, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::send(socket, bytes, size, 0);
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

int talk(int socket, const char* port) {
  const sockaddr_vm address = address_of(VMADDR_CID_HOST, port);
  if (::connect(socket, generic(address), sizeof address) != 0) return 2;
  const std::string bytes = "hello from the guest\n" + std::string(kBytes, 'g');
  if (!send_all(socket, bytes.data(), bytes.size()) || ::shutdown(socket, SHUT_WR) != 0) return 3;
  char letter = 0;
  while (::recv(socket, &letter, 1, 0) == 1) std::putchar(letter);
  return 0;
}

int echo(int listener, const char* port) {
  const sockaddr_vm address = address_of(VMADDR_CID_ANY, port);
  if (::bind(listener, generic(address), sizeof address) != 0 || ::listen(listener, 1) != 0) return 2;
  std::puts("listening");
  std::fflush(stdout);
  const int socket = ::accept(listener, nullptr, nullptr);
  if (socket < 0) return 3;
  char part[4096];
  ssize_t count = 0;
  while ((count = ::recv(socket, part, sizeof part, 0)) > 0)
    if (!send_all(socket, part, static_cast<std::size_t>(count))) return 4;
  ::close(socket);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const int socket = ::socket(AF_VSOCK, SOCK_STREAM, 0);
  if (socket < 0) return 1;
  if (count == 3 && std::strcmp(words[1], "-l") == 0) return echo(socket, words[2]);
  return count == 2 ? talk(socket, words[1]) : 5;
}
