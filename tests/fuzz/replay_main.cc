// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a fuzz target over every file of its corpus, then over every prefix-truncated and bit-flipped form of
// each.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::uint8_t> content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// At most this many truncations and flips a file, evenly spread, so that large files stay quick.
constexpr std::size_t kVariants = 256;

void run_variants(std::vector<std::uint8_t> input) {
  LLVMFuzzerTestOneInput(input.data(), input.size());
  const std::size_t step = input.size() / kVariants + 1;
  for (std::size_t size = 0; size < input.size(); size += step) LLVMFuzzerTestOneInput(input.data(), size);
  for (std::size_t at = 0; at < input.size(); at += step) {
    const auto flipped = static_cast<std::uint8_t>(1U << (at / step % 8));
    input[at] ^= flipped;
    LLVMFuzzerTestOneInput(input.data(), input.size());
    input[at] ^= flipped;
  }
}

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      run_variants(content_of(entry.path()));
      ++files;
    }
  std::printf("%d corpus files replayed\n", files);
  return files > 0 ? 0 : 1;
}
