// SPDX-License-Identifier: GPL-2.0-or-later
// Writes the payload as a firmware image, for tests that start TDs from outside. Arguments: payload, image.
#include <fmt/format.h>

#include "payload_image.h"
#include "support/file.h"

int main(int argument_count, char** arguments) {
  if (argument_count != 3) return 2;
  const auto payload = virttdx::read_file(arguments[1], 1U << 20);
  const auto image = payload ? virttdx::test::payload_image(*payload) : std::vector<std::byte>();
  const std::string_view content(reinterpret_cast<const char*>(image.data()), image.size());
  if (!image.empty() && virttdx::write_file_atomically(arguments[2], content, 0644)) return 0;
  fmt::print(stderr, "Cannot make the firmware image '{}' of the payload '{}'\n", arguments[2], arguments[1]);
  return 1;
}
