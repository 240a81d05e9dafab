// SPDX-License-Identifier: GPL-2.0-or-later
// virttdxd.conf of any bytes: a configuration, or an error that names its line.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/daemon_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = virttdx::driver::parse_daemon_config(text, "virttdxd.conf");
  CHECK(config || config.error().message().starts_with("virttdxd.conf:"));
  return 0;
}
