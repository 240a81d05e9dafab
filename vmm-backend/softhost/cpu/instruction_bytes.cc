// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/instruction_bytes.h"

namespace virttdx::softhost {

namespace {

class Decoder {
 public:
  Decoder(std::span<const std::byte> bytes, CodeSize size) : bytes_(bytes), size_(size) {}

  Instruction run() {
    read_prefixes();
    result_.opcode = next();
    if (result_.opcode == 0x0f) {
      result_.map = 1;
      result_.opcode = next();
      if (result_.opcode == 0x38 || result_.opcode == 0x3a) {
        result_.map = result_.opcode == 0x38 ? 2 : 3;
        result_.opcode = next();
      }
    }
    result_.has_modrm = needs_modrm();
    if (result_.has_modrm) read_address();
    result_.immediate_at = at_;
    result_.valid = !ran_out_;
    return result_;
  }

 private:
  std::uint8_t peek() const { return at_ < bytes_.size() ? std::to_integer<std::uint8_t>(bytes_[at_]) : 0; }
  std::uint8_t next() {
    ran_out_ = ran_out_ || at_ >= bytes_.size();
    const std::uint8_t byte = peek();
    ++at_;
    return byte;
  }

  void read_prefixes() {
    while (at_ < bytes_.size()) {
      const std::uint8_t byte = peek();
      if (byte == 0x66) {
        result_.operand_size_prefix = true;
      } else if (byte == 0x67) {
        result_.address_size_prefix = true;
      } else if (byte == 0xf0) {
        result_.lock = true;
      } else if (byte == 0xf2 || byte == 0xf3) {
        result_.repeat = byte;
      } else if ((byte & 0xe7) == 0x26 || (byte & 0xfe) == 0x64) {
        result_.segment = byte;
      } else {
        break;
      }
      ++at_;
    }
    if (size_ == CodeSize::Bits64 && (peek() & 0xf0) == 0x40) result_.rex = next();
  }

  bool needs_modrm() const {
    const std::uint8_t op = result_.opcode;
    if (result_.map >= 2) return true;
    if (result_.map == 0) {
      if (op < 0x40) return (op & 4) == 0;
      return op == 0x62 || op == 0x63 || op == 0x69 || op == 0x6b || (op >= 0x80 && op <= 0x8f) ||
             op == 0xc0 || op == 0xc1 || (op >= 0xc4 && op <= 0xc7) || (op >= 0xd0 && op <= 0xd3) ||
             (op >= 0xd8 && op <= 0xdf) || op == 0xf6 || op == 0xf7 || op >= 0xfe;
    }
    const bool none = op == 0x05 || op == 0x06 || op == 0x07 || op == 0x08 || op == 0x09 || op == 0x0b ||
                      (op >= 0x30 && op <= 0x37) || op == 0x77 || (op >= 0x80 && op <= 0x8f) || op == 0xa0 ||
                      op == 0xa1 || op == 0xa2 || op == 0xa8 || op == 0xa9 || op == 0xaa ||
                      (op >= 0xc8 && op <= 0xcf);
    return !none;
  }

  void read_address() {
    result_.modrm = next();
    const unsigned mod = result_.mod();
    const unsigned rm = result_.modrm & 7;
    if (mod == 3) return;
    if (result_.address_size(size_) == 2)
      return read_displacement(mod == 1 ? 1 : (mod == 2 || rm == 6) ? 2 : 0);
    result_.has_sib = rm == 4;
    if (result_.has_sib) result_.sib = next();
    const unsigned base = result_.has_sib ? result_.sib & 7U : rm;
    read_displacement(mod == 1 ? 1 : (mod == 2 || base == 5) ? 4 : 0);
  }

  void read_displacement(unsigned size) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < size; ++i) value |= std::uint32_t{next()} << (8 * i);
    const unsigned unused = 32 - 8 * size;
    result_.displacement = size == 0 ? 0 : static_cast<std::int32_t>(value << unused) >> unused;
  }

  std::span<const std::byte> bytes_;
  CodeSize size_;
  std::size_t at_ = 0;
  bool ran_out_ = false;
  Instruction result_;
};

}  // namespace

unsigned Instruction::operand_size(CodeSize size) const {
  if (rex & 8) return 8;
  const bool wide = size != CodeSize::Bits16;
  return wide != operand_size_prefix ? 4 : 2;
}

unsigned Instruction::address_size(CodeSize size) const {
  if (size == CodeSize::Bits64) return address_size_prefix ? 4 : 8;
  return (size == CodeSize::Bits32) != address_size_prefix ? 4 : 2;
}

Instruction decode(std::span<const std::byte> bytes, CodeSize size) { return Decoder(bytes, size).run(); }

}  // namespace virttdx::softhost
