// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of qemu-storage-daemon, and the program itself.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "backends/storage_daemon/daemon_arguments.h"
#include "backends/storage_daemon/daemon_disk.h"
#include "disk_client.h"

namespace virttdx::test {
namespace {

using nlohmann::json;
using Kind = BlockOperation::Kind;

DiskConfig image(ImageFormat format, const std::string& path) {
  DiskConfig config;
  config.id = "virtio-disk0";
  config.target = "vda";
  config.format = format;
  config.source.emplace().path = path;
  return config;
}

DiskConfig network(DiskProtocol protocol, const std::string& path, std::vector<NetworkHost> hosts) {
  auto config = image(ImageFormat::Raw, path);
  config.source->protocol = protocol;
  config.source->hosts = std::move(hosts);
  return config;
}

/// The value of the nth `option`.
json value_of(const DiskConfig& config, const std::string& option, std::size_t nth = 0) {
  const auto words =
      storage_daemon_arguments(config, {.listener = 7, .access_secret = 8, .luks_passphrase = 9});
  if (!words) return words.error().message();
  for (std::size_t i = 0; i + 1 < words->size(); i += 2)
    if ((*words)[i] == option && nth-- == 0) return json::parse((*words)[i + 1]);
  return nullptr;
}

/// Of where the bytes are, without what every node has.
json protocol_of(const DiskConfig& config) {
  json node = value_of(config, "--blockdev");
  if (!node.is_object()) return node;
  for (const char* common : {"node-name", "cache", "read-only", "discard"}) node.erase(common);
  return node;
}

TEST(StorageDaemonArguments, HaveCacheDiscardAndQueuesOfTheDisk) {
  auto config = image(ImageFormat::Qcow2, "/a,b.qcow2");
  config.cache = DiskCache::None;
  config.discard = true;
  config.queues = 3;
  config.logical_block_size = 4096;
  EXPECT_EQ(
      value_of(config, "--blockdev"),
      json::parse(R"({"driver": "file", "filename": "/a,b.qcow2", "node-name": "storage", "aio": "threads",
              "locking": "auto", "cache": {"direct": true, "no-flush": false}, "discard": "unmap",
              "read-only": false})"));
  EXPECT_EQ(
      value_of(config, "--blockdev", 1),
      json::parse(R"({"driver": "qcow2", "file": "storage", "node-name": "format", "detect-zeroes": "off",
              "cache": {"direct": true, "no-flush": false}, "discard": "unmap", "read-only": false})"));
  EXPECT_EQ(value_of(config, "--export"),
            json::parse(R"({"type": "vhost-user-blk", "id": "disk", "node-name": "format", "writable": true,
              "num-queues": 3, "logical-block-size": 4096, "addr": {"type": "fd", "str": "7"}})"));
}

TEST(StorageDaemonArguments, NameTheNetworksServers) {
  EXPECT_EQ(protocol_of(network(DiskProtocol::Nbd, "export", {{"server", 0, ""}})),
            json::parse(R"({"driver": "nbd", "export": "export",
              "server": {"type": "inet", "host": "server", "port": "10809"}})"));
  EXPECT_EQ(protocol_of(network(DiskProtocol::Nbd, "", {{"", 0, "/run/nbd"}})),
            json::parse(R"({"driver": "nbd", "server": {"type": "unix", "path": "/run/nbd"}})"));
  auto tls = network(DiskProtocol::Nbd, "", {{"192.0.2.1", 0, ""}});
  tls.source->tls = true;
  tls.source->tls_hostname = "server.example.org";
  EXPECT_EQ(protocol_of(tls),
            json::parse(R"({"driver": "nbd", "tls-creds": "tls", "tls-hostname": "server.example.org",
              "server": {"type": "inet", "host": "192.0.2.1", "port": "10809"}})"));
  auto rbd = network(DiskProtocol::Rbd, "pool/image", {{"mon1", 3300, ""}, {"mon2", 0, ""}});
  rbd.source->user = "admin";
  rbd.source->secret_file = "/key";
  EXPECT_EQ(protocol_of(rbd), json::parse(R"({"driver": "rbd", "pool": "pool", "image": "image",
    "user": "admin", "key-secret": "access",
    "server": [{"host": "mon1", "port": "3300"}, {"host": "mon2", "port": "6789"}]})"));
  EXPECT_EQ(value_of(rbd, "--object"),
            json::parse(R"({"qom-type": "secret", "id": "access", "file": "/proc/self/fd/8"})"));
  EXPECT_EQ(protocol_of(network(DiskProtocol::Iscsi, "iqn.2013-07.com.example:pool/2", {{"fe80::1", 0, ""}})),
            json::parse(R"({"driver": "iscsi", "transport": "tcp", "portal": "[fe80::1]:3260",
              "target": "iqn.2013-07.com.example:pool", "lun": 2})"));
  auto https = network(DiskProtocol::Https, "/a.iso", {{"server", 0, ""}});
  https.read_only = true;
  https.source->query = "token=1";
  EXPECT_EQ(protocol_of(https), json::parse(R"({"driver": "https", "url": "https://server/a.iso?token=1"})"));
  https.source->cookies_file = "/cookies";
  EXPECT_EQ(protocol_of(https).at("cookie-secret"), "cookies");
  EXPECT_EQ(value_of(https, "--object").at("id"), "cookies");
  EXPECT_EQ(
      protocol_of(network(DiskProtocol::Ssh, "/image", {{"server", 0, ""}})),
      json::parse(R"({"driver": "ssh", "path": "/image", "server": {"host": "server", "port": "22"}})"));
  EXPECT_EQ(protocol_of(network(DiskProtocol::Gluster, "volume/a/image", {{"server", 0, ""}})),
            json::parse(R"({"driver": "gluster", "volume": "volume", "path": "a/image",
              "server": [{"type": "inet", "host": "server", "port": "24007"}]})"));
}

TEST(StorageDaemonArguments, HaveTheOptionsOfProtocols) {
  auto nbd = network(DiskProtocol::Nbd, "", {{"", 0, "/run/nbd"}});
  nbd.source->reconnect_seconds = 10;
  EXPECT_EQ(protocol_of(nbd)["reconnect-delay"], 10);
  auto iscsi = network(DiskProtocol::Iscsi, "iqn.2013-07.com.example:pool/2", {{"server", 0, ""}});
  iscsi.source->initiator = "iqn.2013-07.com.example:client";
  EXPECT_EQ(protocol_of(iscsi)["initiator-name"], "iqn.2013-07.com.example:client");
  auto https = network(DiskProtocol::Https, "/a.iso", {{"server", 0, ""}});
  https.read_only = true;
  https.source->verify_certificate = false;
  https.source->readahead_bytes = 65536;
  https.source->timeout_seconds = 6;
  EXPECT_EQ(protocol_of(https),
            json::parse(R"({"driver": "https", "url": "https://server/a.iso", "sslverify": false,
              "readahead": 65536, "timeout": 6})"));
  auto rbd = network(DiskProtocol::Rbd, "pool/image", {});
  rbd.source->ceph_snapshot = "before";
  rbd.source->ceph_configuration = "/etc/ceph/other.conf";
  EXPECT_EQ(protocol_of(rbd), json::parse(R"({"driver": "rbd", "pool": "pool", "image": "image",
    "snapshot": "before", "conf": "/etc/ceph/other.conf"})"));
}

TEST(StorageDaemonArguments, PutLuksWhereTheImageHasIt) {
  auto config = image(ImageFormat::Raw, "/image");
  config.source->luks_passphrase_file = "/passphrase";
  EXPECT_EQ(value_of(config, "--object"),
            json::parse(R"({"qom-type": "secret", "id": "luks", "file": "/proc/self/fd/9"})"));
  EXPECT_EQ(value_of(config, "--blockdev", 1)["driver"], "luks");
  EXPECT_EQ(value_of(config, "--blockdev", 1)["key-secret"], "luks");
  config.format = ImageFormat::Qcow2;
  EXPECT_EQ(value_of(config, "--blockdev", 1)["encrypt"],
            json::parse(R"({"format": "luks", "key-secret": "luks"})"));
  config.format = ImageFormat::Vdi;
  EXPECT_EQ(value_of(config, "--blockdev"),
            "disk 'vda': LUKS is a container of its own (format raw) or inside qcow2, not inside vdi");
}

TEST(StorageDaemonArguments, AreRefusedForWhatNoDriverTakes) {
  EXPECT_EQ(protocol_of(network(DiskProtocol::Rbd, "image", {})),
            "disk 'vda': an rbd image is named POOL/IMAGE or POOL/NAMESPACE/IMAGE");
  EXPECT_EQ(protocol_of(network(DiskProtocol::Nbd, "", {{"a", 0, ""}, {"b", 0, ""}})),
            "disk 'vda': this protocol takes one host");
  EXPECT_EQ(protocol_of(network(DiskProtocol::Http, "/a.iso", {{"server", 0, ""}})),
            "disk 'vda': http and ftp disks can only be read; make the disk read-only");
}

/// The program, with an image of 64 MiB that it serves.
struct AStorageDaemon : testing::Test {
  AStorageDaemon() { std::filesystem::create_directories(directory); }
  ~AStorageDaemon() override {
    client.reset();
    disk.reset();
    std::filesystem::remove_all(directory);
  }
  void SetUp() override {
    for (const char* program : {"qemu-storage-daemon", "qemu-img", "qemu-io"})
      if (!find_program(program))
        GTEST_SKIP() << program << " is absent: install qemu-system-common and qemu-utils";
  }
  /// Runs a program; its output.
  std::string run(const std::string& command) {
    const std::string file = (directory / "output").string();
    const int status = ::system((command + " > " + file + " 2>&1").c_str());
    std::ifstream output(file);
    const std::string text(std::istreambuf_iterator<char>(output), {});
    EXPECT_EQ(status, 0) << command << ": " << text;
    return text;
  }
  std::string path(const std::string& name) { return (directory / name).string(); }
  Result<> try_open(const DiskConfig& config) {
    disk = TRY(DaemonDisk::create(config));
    TRY(disk->use_memory(std::vector<DmaFile>{{memory.bytes(), memory.fd(), 0}}));
    client = std::make_unique<DiskClient>(disk->queue(disk->queue_count() - 1));
    return {};
  }
  void open(const DiskConfig& config) {
    const auto opened = try_open(config);
    ASSERT_TRUE(opened) << opened.error().message();
  }
  int transfer(Kind kind, std::uint64_t offset, std::size_t size, char fill) {
    const auto bytes = memory.bytes().first(size);
    if (kind == Kind::Write) std::ranges::fill(bytes, static_cast<std::byte>(fill));
    const iovec buffer{bytes.data(), size};
    const int error = client->run(
        {{.kind = kind, .durable = true, .offset = offset, .size = size, .buffers = {&buffer, 1}}});
    if (kind != Kind::Read || error != 0) return error;
    EXPECT_TRUE(std::ranges::all_of(bytes, [&](std::byte byte) { return byte == std::byte(fill); }));
    return error;
  }
  std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("storage-daemon-" + std::to_string(::getpid()));
  MemoryFile memory = std::move(*MemoryFile::create("guest", 1 << 20));
  std::unique_ptr<DaemonDisk> disk;
  std::unique_ptr<DiskClient> client;
};

TEST_F(AStorageDaemon, ServesQcow2WithSeveralQueuesAndOverANewTd) {
  const auto file = path("a.qcow2");
  run("qemu-img create -q -f qcow2 " + file + " 64M");
  auto config = image(ImageFormat::Qcow2, file);
  config.queues = 2;
  config.discard = true;
  ASSERT_NO_FATAL_FAILURE(open(config));
  EXPECT_EQ(disk->properties().capacity, 64U << 20);
  EXPECT_EQ(transfer(Kind::Write, 1 << 20, 65536, 'a'), 0);
  EXPECT_EQ(client->run({{.kind = Kind::WriteZeroes, .may_unmap = true, .offset = 1 << 20, .size = 4096}}),
            0);
  EXPECT_EQ(client->run({{.kind = Kind::Discard, .offset = 8 << 20, .size = 1 << 20}}), 0);
  client.reset();
  ASSERT_TRUE(disk->use_memory({}));
  ASSERT_TRUE(disk->use_memory(std::vector<DmaFile>{{memory.bytes(), memory.fd(), 0}}));
  client = std::make_unique<DiskClient>(disk->queue(0));
  EXPECT_EQ(transfer(Kind::Read, (1 << 20) + 4096, 61440, 'a'), 0);
  EXPECT_EQ(transfer(Kind::Read, 1 << 20, 4096, '\0'), 0);
  EXPECT_LT(disk->statistics().allocated, 1U << 20);
  client.reset();
  disk.reset();
  EXPECT_NE(run("qemu-io -f qcow2 -r -c 'read -P 0x61 1052672 61440' " + file).find("61440/61440 bytes"),
            std::string::npos);
}

TEST_F(AStorageDaemon, ServesLuksWithItsPassphrase) {
  const auto file = path("a.luks");
  std::ofstream(path("passphrase")) << "open sesame";
  // It measures the processor to choose how often it hashes, and gives up where others keep it busy.
  const std::string create = "qemu-img create -q -f luks --object secret,id=s,file=" + path("passphrase") +
                             " -o key-secret=s,iter-time=10 " + file + " 1M 2> " + path("error");
  if (::system(create.c_str()) != 0) GTEST_SKIP() << "qemu-img makes no LUKS image on this busy machine";
  auto config = image(ImageFormat::Raw, file);
  config.source->luks_passphrase_file = path("passphrase");
  ASSERT_NO_FATAL_FAILURE(open(config));
  EXPECT_EQ(disk->properties().capacity, 1U << 20);
  EXPECT_EQ(transfer(Kind::Write, 0, 4096, 'a'), 0);
  EXPECT_EQ(transfer(Kind::Read, 0, 4096, 'a'), 0);
  std::ifstream raw(file, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(raw), {});
  EXPECT_EQ(bytes.find("aaaaaaaaaaaaaaaa"), std::string::npos);
}

TEST_F(AStorageDaemon, ReachesADiskByNbd) {
  if (!find_program("qemu-nbd")) GTEST_SKIP() << "qemu-nbd is absent: install qemu-utils";
  const auto file = path("a.img"), socket = path("nbd");
  run("qemu-img create -q -f raw " + file + " 1M");
  run("qemu-nbd --fork --format raw --socket " + socket + " --pid-file " + path("pid") + " " + file);
  auto config = network(DiskProtocol::Nbd, "", {{"", 0, socket}});
  ASSERT_NO_FATAL_FAILURE(open(config));
  EXPECT_EQ(transfer(Kind::Write, 4096, 4096, 'a'), 0);
  EXPECT_EQ(transfer(Kind::Read, 4096, 4096, 'a'), 0);
  // Without --persistent the server ends with its client.
}

TEST_F(AStorageDaemon, WritesNothingToAReadOnlyDisk) {
  run("qemu-img create -q -f qcow2 " + path("a.qcow2") + " 1M");
  auto config = image(ImageFormat::Qcow2, path("a.qcow2"));
  config.read_only = true;
  ASSERT_NO_FATAL_FAILURE(open(config));
  EXPECT_TRUE(disk->properties().read_only);
  EXPECT_EQ(transfer(Kind::Read, 0, 4096, '\0'), 0);
  EXPECT_NE(transfer(Kind::Write, 0, 4096, 'a'), 0);
}

TEST_F(AStorageDaemon, MakesAnImageLarger) {
  const auto file = path("a.qcow2");
  run("qemu-img create -q -f qcow2 " + file + " 1M");
  ASSERT_NO_FATAL_FAILURE(open(image(ImageFormat::Qcow2, file)));
  const auto resized = disk->resize(2 << 20);
  ASSERT_TRUE(resized) << resized.error().message();
  EXPECT_EQ(disk->capacity(), 2U << 20);
  EXPECT_EQ(transfer(Kind::Write, (2 << 20) - 4096, 4096, 'a'), 0);
  EXPECT_EQ(transfer(Kind::Read, (2 << 20) - 4096, 4096, 'a'), 0);
  EXPECT_EQ(disk->resize(100).error().message(),
            "disk 'vda': 100 bytes are no whole number of blocks of 512 bytes");
  const auto enormous = disk->resize(1ULL << 62);
  ASSERT_FALSE(enormous);
  EXPECT_EQ(enormous.error().message().find("cannot resize disk 'vda': the storage daemon's block_resize: "),
            0U)
      << enormous.error().message();
  EXPECT_EQ(transfer(Kind::Read, 0, 4096, '\0'), 0);
}

TEST_F(AStorageDaemon, ThatIsKilledLeavesErrorsBehind) {
  run("qemu-img create -q -f qcow2 " + path("a.qcow2") + " 1M");
  ASSERT_NO_FATAL_FAILURE(open(image(ImageFormat::Qcow2, path("a.qcow2"))));
  ASSERT_EQ(::kill(*disk->pid(), SIGKILL), 0);
  while (transfer(Kind::Write, 0, 4096, 'a') == 0) continue;
  EXPECT_EQ(transfer(Kind::Read, 0, 4096, 'a'), EIO);
}

TEST_F(AStorageDaemon, IsConfined) {
  run("qemu-img create -q -f qcow2 " + path("a.qcow2") + " 1M");
  ASSERT_NO_FATAL_FAILURE(open(image(ImageFormat::Qcow2, path("a.qcow2"))));
  std::ifstream status("/proc/" + std::to_string(*disk->pid()) + "/status");
  const std::string text(std::istreambuf_iterator<char>(status), {});
  EXPECT_NE(text.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(text.find("Seccomp:\t2"), std::string::npos);
}

TEST_F(AStorageDaemon, SaysWhyADiskCannotBeOpened) {
  auto opened = try_open(image(ImageFormat::Qcow2, path("absent")));
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("exited with status 1"), std::string::npos)
      << opened.error().message();
  std::ofstream(path("no-qcow2")) << "text";
  EXPECT_FALSE(try_open(image(ImageFormat::Qcow2, path("no-qcow2"))));
}

TEST_F(AStorageDaemon, KeepsTwoFromWritingOneImage) {
  run("qemu-img create -q -f qcow2 " + path("a.qcow2") + " 1M");
  ASSERT_NO_FATAL_FAILURE(open(image(ImageFormat::Qcow2, path("a.qcow2"))));
  EXPECT_FALSE(DaemonDisk::create(image(ImageFormat::Qcow2, path("a.qcow2"))));
}

}  // namespace
}  // namespace virttdx::test
