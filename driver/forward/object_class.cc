// SPDX-License-Identifier: GPL-2.0-or-later
#include "forward/object_class.h"

#include <array>
#include <string>

#include "schemas/remote_protocol.h"

namespace virttdx::driver {
namespace {

constexpr std::array<std::string_view, kObjectClassCount> kSchemes = {
    "tdx", "network", "storage", "nodedev", "secret", "interface", "nwfilter"};

// XDR: a count, or an array without elements; a list with flags tells its length once more.
constexpr std::string_view kNothing("\0\0\0\0", 4);
constexpr std::string_view kNothingTwice("\0\0\0\0\0\0\0\0", 8);

struct EmptyAnswer {
  int procedure;
  std::string_view bytes;
};
constexpr auto kEmptyAnswers = std::to_array<EmptyAnswer>({
    {REMOTE_PROC_CONNECT_NUM_OF_NETWORKS, kNothing},
    {REMOTE_PROC_CONNECT_LIST_NETWORKS, kNothing},
    {REMOTE_PROC_CONNECT_NUM_OF_DEFINED_NETWORKS, kNothing},
    {REMOTE_PROC_CONNECT_LIST_DEFINED_NETWORKS, kNothing},
    {REMOTE_PROC_CONNECT_LIST_ALL_NETWORKS, kNothingTwice},
    {REMOTE_PROC_CONNECT_NUM_OF_STORAGE_POOLS, kNothing},
    {REMOTE_PROC_CONNECT_LIST_STORAGE_POOLS, kNothing},
    {REMOTE_PROC_CONNECT_NUM_OF_DEFINED_STORAGE_POOLS, kNothing},
    {REMOTE_PROC_CONNECT_LIST_DEFINED_STORAGE_POOLS, kNothing},
    {REMOTE_PROC_CONNECT_LIST_ALL_STORAGE_POOLS, kNothingTwice},
    {REMOTE_PROC_NODE_NUM_OF_DEVICES, kNothing},
    {REMOTE_PROC_NODE_LIST_DEVICES, kNothing},
    {REMOTE_PROC_CONNECT_LIST_ALL_NODE_DEVICES, kNothingTwice},
    {REMOTE_PROC_CONNECT_NUM_OF_SECRETS, kNothing},
    {REMOTE_PROC_CONNECT_LIST_SECRETS, kNothing},
    {REMOTE_PROC_CONNECT_LIST_ALL_SECRETS, kNothingTwice},
});

}  // namespace

std::string_view scheme_of(ObjectClass object_class) {
  return kSchemes.at(static_cast<std::size_t>(object_class));
}

std::vector<std::filesystem::path> sockets_of(ObjectClass object_class, const std::filesystem::path& run,
                                              bool read_only) {
  const std::string suffix = read_only ? "d-sock-ro" : "d-sock";
  const std::string modular = "virt" + std::string(scheme_of(object_class)) + suffix;
  return {run / modular, run / (read_only ? "libvirt-sock-ro" : "libvirt-sock")};
}

std::optional<std::string_view> empty_answer(int procedure) {
  for (const auto& row : kEmptyAnswers)
    if (row.procedure == procedure) return row.bytes;
  return std::nullopt;
}

}  // namespace virttdx::driver
