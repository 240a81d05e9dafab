// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes of a disk's image, as the host sees them: what the guest has encrypted is encrypted.
#include <libvirt/virterror.h>

#include "api/find_device.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

// In libvirt's words.
WireResult<ImagePart> part_asked(const domain_xml::Disk& disk, const remote_domain_block_peek_args& args) {
  if (disk.driver.type.value_or("raw") != "raw")
    return fail(Error::Code::Unsupported, "peeking is only supported for disk with 'raw' format not '{}'",
                *disk.driver.type);
  const auto path = path_of(disk);
  if (path.empty())
    return tl::unexpected(
        wire_error(VIR_ERR_INTERNAL_ERROR,
                   fmt::format("storage file reading is not supported for storage type {}", disk.type)));
  if (args.size > REMOTE_DOMAIN_BLOCK_PEEK_BUFFER_MAX)
    return tl::unexpected(wire_error(VIR_ERR_INTERNAL_ERROR, "size > maximum buffer size"));
  return ImagePart{.path = path, .offset = args.offset, .size = args.size};
}

}  // namespace

Answer domain_block_peek(Session& session, const remote_domain_block_peek_args& args,
                         Deferred<remote_domain_block_peek_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainBlockPeek");
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto* disk = find_disk(record->current(), args.path);
  if (disk == nullptr)
    return fail(Error::Code::InvalidArgument, "disk '{}' not found in domain", shortened(args.path));
  auto part = part_asked(*disk, args);
  if (!part) return tl::unexpected(part.error());
  session.context().image_reader.read(
      *std::move(part), [reply = std::move(reply)](Result<std::vector<char>> bytes) {
        if (!bytes) return reply.fail(bytes.error());
        Arena arena;
        remote_domain_block_peek_ret ret{};
        arena.array(ret.buffer.buffer_len, ret.buffer.buffer_val, std::move(*bytes));
        reply.succeed(ret);
      });
  return {};
}

}  // namespace virttdx::driver::api
