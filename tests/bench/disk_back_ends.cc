// SPDX-License-Identifier: GPL-2.0-or-later
// What reads of 4 KiB cost in a disk's back ends, from the queue's doorbell to the completion: by io_uring,
// by waiting calls, and by a qemu-storage-daemon. The image is memory (/dev/shm), read through the page
// cache. `cpu_us`: processor time of this process and the daemon for each request.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/file_disk.h"
#include "backends/storage_daemon/daemon_disk.h"
#include "disk_client.h"
#include "support/memory_file.h"

namespace virttdx {
namespace {

constexpr std::uint64_t kImageSize = 64 << 20, kRequestSize = 4096;
enum class BackEnd : std::uint8_t { Uring, Calls, DaemonRaw, DaemonQcow2 };

struct Image {
  explicit Image(BackEnd back_end) {
    std::ofstream(path).close();
    std::filesystem::resize_file(path, kImageSize);
    if (back_end != BackEnd::DaemonQcow2) return;
    const std::string other = path + ".qcow2";
    if (std::system(("qemu-img convert -O qcow2 -S 0 " + path + " " + other).c_str()) == 0)
      std::filesystem::rename(other, path);
  }
  ~Image() { std::filesystem::remove(path); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  const std::string path = "/dev/shm/bench-disk-" + std::to_string(::getpid());
};

DiskConfig config_of(const Image& image, BackEnd back_end) {
  DiskConfig config;
  config.id = "virtio-disk0";
  config.target = "vda";
  config.source.emplace().path = image.path;
  if (back_end == BackEnd::Calls) config.io = DiskIo::Threads;
  if (back_end == BackEnd::DaemonQcow2) config.format = ImageFormat::Qcow2;
  return config;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

// utime and stime of proc_pid_stat(5).
double seconds_of_process(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string word;
  for (int field = 1; field < 14; ++field) stat >> word;
  double user = 0, system = 0;
  stat >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double seconds_spent(std::optional<pid_t> daemon) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime) + (daemon ? seconds_of_process(*daemon) : 0);
}

/// Batches of `depth` reads of random places.
void run(benchmark::State& state, BlockQueue& queue, std::span<std::byte> memory,
         std::optional<pid_t> daemon) {
  test::DiskClient client(queue);
  const auto depth = static_cast<std::size_t>(state.range(1));
  std::vector<iovec> buffers(depth);
  std::vector<BlockOperation> operations(depth);
  for (std::size_t i = 0; i < depth; ++i) {
    buffers[i] = {memory.subspan(i * kRequestSize, kRequestSize).data(), kRequestSize};
    operations[i].size = kRequestSize;
    operations[i].buffers = {&buffers[i], 1};
    operations[i].token = static_cast<std::uint32_t>(i);
  }
  std::uint64_t place = 1;
  const double before = seconds_spent(daemon);
  for (auto _ : state) {
    for (auto& operation : operations)
      operation.offset =
          (place = place * 6364136223846793005 + 1) % (kImageSize / kRequestSize) * kRequestSize;
    if (client.run(operations) != 0) return state.SkipWithError("a read failed");
  }
  const auto requests = static_cast<double>(state.iterations()) * static_cast<double>(depth);
  state.SetItemsProcessed(static_cast<std::int64_t>(requests));
  state.counters["cpu_us"] = 1e6 * (seconds_spent(daemon) - before) / requests;
}

void disk_reads(benchmark::State& state) {
  const auto back_end = static_cast<BackEnd>(state.range(0));
  const Image image(back_end);
  const auto config = config_of(image, back_end);
  auto memory = MemoryFile::create("guest", 1 << 20);
  if (!memory) return state.SkipWithError(memory.error().message().c_str());
  if (back_end == BackEnd::Uring || back_end == BackEnd::Calls) {
    auto disk = FileDisk::create(config);
    if (!disk) return state.SkipWithError(disk.error().message().c_str());
    return run(state, (*disk)->queue(0), memory->bytes(), std::nullopt);
  }
  auto disk = DaemonDisk::create(config);
  if (!disk) return state.SkipWithError(disk.error().message().c_str());
  if (!(*disk)->use_memory(std::vector<DmaFile>{{memory->bytes(), memory->fd(), 0}}))
    return state.SkipWithError("the daemon takes no memory");
  run(state, (*disk)->queue(0), memory->bytes(), (*disk)->pid());
}

BENCHMARK(disk_reads)
    ->ArgNames({"uring0_calls1_raw2_qcow3", "depth"})
    ->ArgsProduct({{0, 1, 2, 3}, {1, 32}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace virttdx
