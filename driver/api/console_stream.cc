// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/console_stream.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "schemas/virnet_protocol.h"

namespace virttdx::driver {
namespace {

// More than a person or a script types ahead.
constexpr std::size_t kInputMaximum = 256U << 10;

}  // namespace

ConsoleStream::ConsoleStream(std::shared_ptr<Client> client, const FrameHeader& opened_by, UniqueFd console,
                             std::shared_ptr<StreamClaim> claim)
    : client_(std::move(client)), header_(opened_by), console_(std::move(console)), claim_(std::move(claim)) {
  header_.type = VIR_NET_STREAM;
  if (claim_) claim_->revoke = [this] { end_of_output(); };
  readable_ = std::make_unique<QSocketNotifier>(console_.get(), QSocketNotifier::Read);
  writable_ = std::make_unique<QSocketNotifier>(console_.get(), QSocketNotifier::Write);
  writable_->setEnabled(false);
  QObject::connect(readable_.get(), &QSocketNotifier::activated, readable_.get(), [this] { read_console(); });
  QObject::connect(writable_.get(), &QSocketNotifier::activated, writable_.get(),
                   [this] { write_console(); });
}

ConsoleStream::~ConsoleStream() {
  end();
  // One of them may be calling.
  for (auto* notifier : {readable_.release(), writable_.release()})
    QTimer::singleShot(0, [notifier] { delete notifier; });
}

void ConsoleStream::send(std::uint32_t status, std::string_view payload) {
  FrameHeader header = header_;
  header.status = status;
  client_->send(header, payload);
}

bool ConsoleStream::handle(const Frame& frame) {
  // Finish and abort are both answered with OK; the data before them has been sent.
  if (frame.header.status != VIR_NET_CONTINUE) return finish();
  if (!console_) return true;
  input_ += frame.payload;
  write_console();
  return true;
}

bool ConsoleStream::finish() {
  end();
  send(VIR_NET_OK, {});
  return false;
}

void ConsoleStream::read_console() {
  if (!console_) return;
  if (client_->congested()) return readable_->setEnabled(false);
  std::array<char, 65536> buffer;
  static_assert(buffer.size() <= kStreamPayloadMaximum);
  const ssize_t size = recv(console_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size > 0) return send(VIR_NET_CONTINUE, {buffer.data(), static_cast<std::size_t>(size)});
  end_of_output();
}

// The client answers the end of file with its own finish.
void ConsoleStream::end_of_output() {
  end();
  send(VIR_NET_CONTINUE, {});
}

void ConsoleStream::continue_output() {
  if (console_) readable_->setEnabled(true);
}

void ConsoleStream::write_console() {
  while (console_ && !input_.empty()) {
    const ssize_t size = ::send(console_.get(), input_.data(), input_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    // The reading side reports the end.
    if (size < 0) input_.clear();
    if (size > 0) input_.erase(0, static_cast<std::size_t>(size));
  }
  if (console_) writable_->setEnabled(!input_.empty());
  client_->set_paused(this, input_.size() > kInputMaximum);
}

void ConsoleStream::end() {
  if (!console_) return;
  readable_->setEnabled(false);
  writable_->setEnabled(false);
  console_.reset();
  if (const auto claim = std::exchange(claim_, nullptr)) claim->revoke = nullptr;
  input_.clear();
  client_->set_paused(this, false);
}

}  // namespace virttdx::driver
