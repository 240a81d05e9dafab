// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// A client of QEMU's monitor protocol (qemu-qmp-spec: "QEMU Machine Protocol Specification"), on a stream
/// socket of its own. Waits for answers, five seconds each. One thread at a time.
class QmpConnection {
 public:
  explicit QmpConnection(UniqueFd socket) : socket_(std::move(socket)) {}

  /// "return" of the command's answer. Errors: System: QEMU's "desc", or a connection that cannot be followed
  /// (then every later command fails too).
  Result<nlohmann::json> execute(std::string_view command, const nlohmann::json& arguments);

 private:
  Result<> greet();
  Result<> send(const nlohmann::json& message);
  Result<nlohmann::json> receive();
  Result<nlohmann::json> receive_answer(std::string_view command);

  UniqueFd socket_;
  std::string received_;
  bool is_greeted_ = false;
};

}  // namespace virttdx
