// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/exception_delivery.h"

#include <array>
#include <cstring>

#include "softhost/cpu/x86_spec.h"
#include "support/log.h"

namespace virttdx::softhost {

/// An interrupt or trap gate and the code segment it leads to.
struct ExceptionDelivery::Gate {
  std::uint16_t selector = 0;
  std::uint64_t offset = 0;
  unsigned ist = 0;
  bool is_trap = false;
  unsigned push_size = 4;  ///< 2, 4 or 8
  EngineSegment code;
  unsigned cpl = 0;  ///< of the handler
};

/// Where the interrupted state is pushed.
struct ExceptionDelivery::Frame {
  bool switches_stack = false;
  std::uint64_t pointer = 0;
  EngineSegment stack;
};

namespace {

template <typename T>
std::span<std::byte> bytes_of(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

bool is_contributory(std::uint8_t vector) {
  return vector == 0 || (vector >= vector::kInvalidTss && vector <= vector::kGeneralProtection) ||
         vector == vector::kControlProtection;
}
bool is_page_fault_class(std::uint8_t vector) {
  return vector == vector::kPageFault || vector == vector::kVirtualization;
}
/// SDM volume 3, table 6-5.
bool makes_double_fault(const Event& first, const Event& second) {
  if (first.source != Event::Source::Exception) return false;
  if (is_contributory(first.vector)) return is_contributory(second.vector);
  return is_page_fault_class(first.vector) &&
         (is_contributory(second.vector) || is_page_fault_class(second.vector));
}

EngineSegment segment_from_descriptor(std::uint16_t selector, std::uint64_t descriptor) {
  EngineSegment segment;
  segment.selector = selector;
  segment.flags = static_cast<std::uint32_t>(descriptor >> 32);
  segment.base = ((descriptor >> 16) & 0xffffff) | ((descriptor >> 56) << 24);
  segment.limit = static_cast<std::uint32_t>((descriptor & 0xffff) | ((descriptor >> 32) & 0xf0000));
  if (segment.flags & descriptor::kGranularity) segment.limit = (segment.limit << 12) | 0xfff;
  return segment;
}

std::uint32_t selector_error(const Event& event, std::uint32_t selector) {
  return (selector & 0xfffcU) | (event.source == Event::Source::Software ? 0U : 1U);
}

}  // namespace

bool has_error_code(std::uint8_t vector) {
  constexpr std::uint32_t kWithErrorCode =
      1U << 8 | 1U << 10 | 1U << 11 | 1U << 12 | 1U << 13 | 1U << 14 | 1U << 17 | 1U << 21;
  return vector < 32 && (kWithErrorCode >> vector & 1);
}

// Hardware tells nobody; who looks for the reason here has it.
void ExceptionDelivery::log_shutdown(const Event& first) const {
  log::warning(
      "software TDX host: a vCPU shuts down: vector {} (error {:#x}) at RIP {:#x} could not be delivered, "
      "RSP "
      "{:#x}, CR0 {:#x}, CR2 {:#x}, CR3 {:#x}, CR4 {:#x}, IDT {:#x}",
      first.vector, first.error_code.value_or(0), context_.rip(), context_.gpr(kRsp), context_.cr(0),
      context_.cr(2), context_.cr(3), context_.cr(4), context_.segment(SegmentIndex::Idt).base);
}

Delivery ExceptionDelivery::deliver(Event event, std::uint64_t flags, bool inside) {
  flags_ = flags;
  inside_ = inside;
  context_.forget_exception();
  const Event first = event;
  while (true) {
    if (event.cr2) context_.set_cr(2, *event.cr2);
    const Attempt obstacle = attempt(event);
    if (!obstacle) return Delivery::Done;
    if (obstacle->blocked) return Delivery::Blocked;
    if (event.source == Event::Source::Software) context_.set_rip(context_.rip() - event.instruction_length);
    const bool was_double_fault =
        event.source == Event::Source::Exception && event.vector == vector::kDoubleFault;
    if (was_double_fault) {
      log_shutdown(first);
      return Delivery::TripleFault;
    }
    if (makes_double_fault(event, obstacle->event))
      event = {.vector = vector::kDoubleFault, .error_code = 0, .cr2 = {}};
    else
      event = obstacle->event;
  }
}

ExceptionDelivery::Attempt ExceptionDelivery::attempt(const Event& event) {
  if (!(context_.cr(0) & cr0::kPe)) return attempt_real_mode(event);
  Gate gate;
  Frame frame;
  if (auto obstacle = read_gate(event, gate)) return obstacle;
  if (auto obstacle = read_code_segment(event, gate)) return obstacle;
  if (auto obstacle = choose_stack(event, gate, frame)) return obstacle;
  if (auto obstacle = push_frame(event, gate, frame)) return obstacle;
  enter(gate, frame);
  return std::nullopt;
}

ExceptionDelivery::Attempt ExceptionDelivery::attempt_real_mode(const Event& event) {
  const EngineSegment idt = context_.segment(SegmentIndex::Idt);
  if (event.vector * 4U + 3 > idt.limit) return raise(vector::kGeneralProtection, 0);
  std::uint32_t target = 0;
  if (auto obstacle = read(idt.base + event.vector * 4U, bytes_of(target))) return obstacle;
  EngineSegment cs = context_.segment(SegmentIndex::Cs);
  const std::array<std::uint16_t, 3> frame = {static_cast<std::uint16_t>(context_.rip()),
                                              static_cast<std::uint16_t>(cs.selector),
                                              static_cast<std::uint16_t>(flags_)};
  const auto sp = static_cast<std::uint16_t>(context_.gpr(kRsp) - sizeof(frame));
  const std::uint64_t stack = context_.segment(SegmentIndex::Ss).base + sp;
  if (auto obstacle = write(stack, std::as_bytes(std::span(frame)))) return obstacle;
  context_.set_gpr(kRsp, (context_.gpr(kRsp) & ~0xffffULL) | sp);
  cs.selector = target >> 16;
  cs.base = cs.selector * 16ULL;
  context_.set_segment(SegmentIndex::Cs, cs);
  context_.set_rip(target & 0xffff);
  context_.set_rflags(flags_ & ~(rflags::kIf | rflags::kTf | rflags::kAc), inside_);
  return std::nullopt;
}

ExceptionDelivery::Attempt ExceptionDelivery::read_gate(const Event& event, Gate& gate) {
  const bool long_mode = context_.efer() & efer::kLma;
  const EngineSegment idt = context_.segment(SegmentIndex::Idt);
  const std::uint32_t size = long_mode ? 16 : 8;
  const std::uint32_t error = event.vector * 8U + 2 + (event.source == Event::Source::Software ? 0 : 1);
  if ((event.vector + 1U) * size - 1 > idt.limit) return raise(vector::kGeneralProtection, error);
  std::array<std::uint32_t, 4> words{};
  const auto bytes = std::as_writable_bytes(std::span(words)).first(size);
  if (auto obstacle = read(idt.base + std::uint64_t{event.vector} * size, bytes)) return obstacle;
  const unsigned type = (words[1] >> 8) & 0x1f;
  const bool is_wide = type == 0xe || type == 0xf;
  const bool is_16_bit = !long_mode && (type == 6 || type == 7);
  if (!is_wide && !is_16_bit) return raise(vector::kGeneralProtection, error);
  const unsigned dpl = (words[1] >> 13) & 3;
  if (event.source == Event::Source::Software && dpl < context_.cpl())
    return raise(vector::kGeneralProtection, error);
  if (!(words[1] & descriptor::kPresent)) return raise(vector::kNotPresent, error);
  gate.selector = static_cast<std::uint16_t>(words[0] >> 16);
  gate.offset = (words[0] & 0xffff) | (is_wide ? words[1] & 0xffff0000 : 0) | std::uint64_t{words[2]} << 32;
  gate.ist = long_mode ? words[1] & 7 : 0;
  gate.is_trap = type & 1;
  gate.push_size = long_mode ? 8 : is_wide ? 4 : 2;
  return std::nullopt;
}

ExceptionDelivery::Attempt ExceptionDelivery::read_code_segment(const Event& event, Gate& gate) {
  const std::uint32_t error = selector_error(event, gate.selector);
  if ((gate.selector & 0xfffc) == 0) return raise(vector::kGeneralProtection, error & 1);
  if (auto obstacle = read_descriptor(gate.selector, vector::kGeneralProtection, gate.code)) return obstacle;
  const std::uint32_t flags = gate.code.flags;
  const bool is_code = (flags & descriptor::kNotSystem) && (flags & descriptor::kCode);
  const bool wrong_mode = gate.push_size == 8 && (!(flags & descriptor::kLong) || (flags & descriptor::kBig));
  if (!is_code || gate.code.dpl() > context_.cpl() || wrong_mode)
    return raise(vector::kGeneralProtection, error);
  if (!(flags & descriptor::kPresent)) return raise(vector::kNotPresent, error);
  gate.cpl = flags & descriptor::kConforming ? context_.cpl() : gate.code.dpl();
  gate.code.selector = (gate.selector & 0xfffcU) | gate.cpl;
  return std::nullopt;
}

ExceptionDelivery::Attempt ExceptionDelivery::read_descriptor(std::uint16_t selector,
                                                              std::uint8_t failing_vector,
                                                              EngineSegment& segment) {
  const EngineSegment table = context_.segment(selector & 4 ? SegmentIndex::Ldt : SegmentIndex::Gdt);
  if ((selector | 7U) > table.limit) return raise(failing_vector, selector & 0xfffcU);
  std::uint64_t descriptor = 0;
  if (auto obstacle = read(table.base + (selector & 0xfff8U), bytes_of(descriptor))) return obstacle;
  segment = segment_from_descriptor(selector, descriptor);
  return std::nullopt;
}

ExceptionDelivery::Attempt ExceptionDelivery::choose_stack(const Event&, const Gate& gate, Frame& frame) {
  const bool changes_cpl = gate.cpl < context_.cpl();
  frame.stack = context_.segment(SegmentIndex::Ss);
  frame.pointer = context_.gpr(kRsp);
  frame.switches_stack = changes_cpl || gate.push_size == 8;
  if (gate.push_size != 8) return changes_cpl ? read_stack_from_tss32(gate.cpl, frame) : std::nullopt;
  if (changes_cpl) {
    frame.stack = {};
    frame.stack.selector = gate.cpl;
    frame.stack.flags = gate.cpl << descriptor::kDplShift;
  }
  if (changes_cpl || gate.ist != 0)
    if (auto obstacle = read_stack_from_tss64(gate, gate.cpl, frame)) return obstacle;
  frame.pointer &= ~15ULL;
  return std::nullopt;
}

ExceptionDelivery::Attempt ExceptionDelivery::read_stack_from_tss64(const Gate& gate, unsigned cpl,
                                                                    Frame& frame) {
  const EngineSegment tss = context_.segment(SegmentIndex::Tr);
  // SDM volume 3, figure 7-11: RSP0..2 at 4, IST1..7 at 36.
  const std::uint32_t offset = gate.ist != 0 ? 28 + gate.ist * 8 : 4 + cpl * 8;
  if (offset + 7 > tss.limit) return raise(vector::kInvalidTss, tss.selector & 0xfffcU);
  return read(tss.base + offset, bytes_of(frame.pointer));
}

ExceptionDelivery::Attempt ExceptionDelivery::read_stack_from_tss32(unsigned cpl, Frame& frame) {
  const EngineSegment tss = context_.segment(SegmentIndex::Tr);
  const std::uint32_t offset = 4 + cpl * 8;
  if (offset + 5 > tss.limit) return raise(vector::kInvalidTss, tss.selector & 0xfffcU);
  std::array<std::uint32_t, 2> words{};
  if (auto obstacle = read(tss.base + offset, std::as_writable_bytes(std::span(words)))) return obstacle;
  const auto selector = static_cast<std::uint16_t>(words[1]);
  if ((selector & 0xfffc) == 0) return raise(vector::kInvalidTss, 0);
  if (auto obstacle = read_descriptor(selector, vector::kInvalidTss, frame.stack)) return obstacle;
  const std::uint32_t wanted = descriptor::kNotSystem | descriptor::kWritable;
  const bool is_stack = (frame.stack.flags & (wanted | descriptor::kCode)) == wanted;
  if (!is_stack || frame.stack.dpl() != cpl || (selector & 3) != cpl)
    return raise(vector::kInvalidTss, selector & 0xfffcU);
  if (!(frame.stack.flags & descriptor::kPresent)) return raise(vector::kStackFault, selector & 0xfffcU);
  frame.pointer = words[0];
  return std::nullopt;
}

ExceptionDelivery::Attempt ExceptionDelivery::push_frame(const Event& event, const Gate& gate, Frame& frame) {
  std::array<std::uint64_t, 6> values{};
  std::size_t count = 0;
  if (event.error_code) values[count++] = *event.error_code;
  values[count++] = context_.rip();
  values[count++] = context_.segment(SegmentIndex::Cs).selector;
  values[count++] = flags_;
  if (frame.switches_stack) {
    values[count++] = context_.gpr(kRsp);
    values[count++] = context_.segment(SegmentIndex::Ss).selector;
  }
  std::array<std::byte, sizeof(values)> image;
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(image.data() + i * gate.push_size, &values[i], gate.push_size);
  const std::size_t size = count * gate.push_size;
  const bool narrow = gate.push_size != 8 && !(frame.stack.flags & descriptor::kBig);
  const std::uint64_t mask = gate.push_size == 8 ? ~0ULL : narrow ? 0xffffULL : 0xffffffffULL;
  const std::uint64_t top = (frame.pointer - size) & mask;
  if (auto obstacle = write(frame.stack.base + top, std::span(image).first(size))) return obstacle;
  frame.pointer = (frame.pointer & ~mask) | top;
  return std::nullopt;
}

void ExceptionDelivery::enter(const Gate& gate, const Frame& frame) {
  std::uint64_t flags = flags_ & ~(rflags::kTf | rflags::kNt | rflags::kRf | rflags::kVm);
  if (!gate.is_trap) flags &= ~rflags::kIf;
  context_.set_segment(SegmentIndex::Cs, gate.code);
  context_.set_segment(SegmentIndex::Ss, frame.stack);
  context_.set_gpr(kRsp, frame.pointer);
  context_.set_rip(gate.offset);
  context_.set_rflags(flags, inside_);
  const std::uint32_t kept = context_.hflags() & hflag::kGuest;
  const std::uint32_t hflags = compute_hflags(context_, flags, kept) & ~hflag::kCpl;
  context_.set_hflags(hflags | gate.cpl);
}

ExceptionDelivery::Attempt ExceptionDelivery::read(std::uint64_t linear, std::span<std::byte> bytes) {
  AccessFault fault;
  if (memory_.read(supervisor(), linear, bytes, fault)) return std::nullopt;
  return obstacle_of(fault);
}

ExceptionDelivery::Attempt ExceptionDelivery::write(std::uint64_t linear, std::span<const std::byte> bytes) {
  AccessFault fault;
  if (memory_.write(supervisor(), linear, bytes, fault)) return std::nullopt;
  return obstacle_of(fault);
}

ExceptionDelivery::Attempt ExceptionDelivery::obstacle_of(const AccessFault& fault) const {
  switch (fault.translation.kind) {
    case Translation::Kind::PageFault:
      return Obstacle{
          false,
          {.vector = vector::kPageFault, .error_code = fault.translation.error_code, .cr2 = fault.linear}};
    case Translation::Kind::NoMemory:
      if (fault.translation.answer.kind == PageAnswer::Kind::Exit) return Obstacle{true, {}};
      // A #VE or MMIO while an event is delivered: there is no instruction to complete or to report.
      return raise(vector::kDoubleFault, 0);
    case Translation::Kind::NotCanonical:
    case Translation::Kind::Page:
      break;
  }
  return raise(vector::kStackFault, 0);
}

ExceptionDelivery::Attempt ExceptionDelivery::raise(std::uint8_t vector, std::uint32_t error_code) {
  return Obstacle{false, {.vector = vector, .error_code = error_code, .cr2 = {}}};
}

PagingState ExceptionDelivery::supervisor() const {
  return {context_.cr(0), context_.cr(3), context_.cr(4), context_.efer(), false, false};
}

}  // namespace virttdx::softhost
