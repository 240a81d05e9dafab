// SPDX-License-Identifier: GPL-2.0-or-later
// A Unix socket that answers quote requests on Qt's event loop.
#pragma once

#include <QObject>
#include <QSocketNotifier>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "qgs_sim/signing_key.h"
#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::tools {

/// A thread with an event loop.
class QuoteServer : public QObject {
 public:
  /// A message with its prefix for the report of a request.
  using Answer = std::function<Bytes(std::span<const std::byte> request_body)>;

  /// Listens at `path`, mode 0666 as qgsd's socket; a socket that nobody listens at is replaced. Answers wait
  /// for `delay`. Errors: AlreadyExists (someone listens there), InvalidArgument, System.
  static Result<std::unique_ptr<QuoteServer>> create(const std::filesystem::path& path,
                                                     std::chrono::milliseconds delay, Answer answer);
  ~QuoteServer() override;  ///< removes the socket

 private:
  struct Client {
    UniqueFd fd;
    std::unique_ptr<QSocketNotifier> notifier;
    Bytes received;
  };
  QuoteServer(std::filesystem::path path, UniqueFd listener, std::chrono::milliseconds delay, Answer answer);
  void accept_client();
  void read_client(int id);
  bool answer_requests(int id, Client& client);
  void send_answer(int id, const Bytes& bytes);
  void drop(int id);

  const std::filesystem::path path_;
  const UniqueFd listener_;
  QSocketNotifier notifier_;
  const std::chrono::milliseconds delay_;
  const Answer answer_;
  std::map<int, Client> clients_;
  int next_id_ = 0;
};

}  // namespace virttdx::tools
