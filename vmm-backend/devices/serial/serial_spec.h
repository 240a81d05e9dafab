// SPDX-License-Identifier: GPL-2.0-or-later
// National Semiconductor PC16550D datasheet (June 1995), section 8, "Registers", table II.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace virttdx::serial_spec {

/// Offsets from the port's base. DLL and DLM replace offsets 0 and 1 while LCR.DLAB is set.
enum Register : std::uint8_t {
  kData = 0,                     // RBR (read), THR (write)
  kInterruptEnable = 1,          // IER
  kInterruptIdentification = 2,  // IIR (read), FCR (write)
  kLineControl = 3,              // LCR
  kModemControl = 4,             // MCR
  kLineStatus = 5,               // LSR
  kModemStatus = 6,              // MSR
  kScratch = 7,                  // SCR
};
inline constexpr std::uint64_t kRegisterCount = 8;
inline constexpr std::size_t kFifoDepth = 16;

// 8.5 Interrupt enable; bits 7:4 are always 0.
inline constexpr std::uint8_t kIerReceivedData = 0x01;
inline constexpr std::uint8_t kIerTransmitterEmpty = 0x02;
inline constexpr std::uint8_t kIerModemStatus = 0x08;
inline constexpr std::uint8_t kIerMask = 0x0F;

// 8.4 Interrupt identification, in order of priority after line status.
inline constexpr std::uint8_t kIirNone = 0x01;
inline constexpr std::uint8_t kIirModemStatus = 0x00;
inline constexpr std::uint8_t kIirTransmitterEmpty = 0x02;
inline constexpr std::uint8_t kIirReceivedData = 0x04;
inline constexpr std::uint8_t kIirLineStatus = 0x06;
inline constexpr std::uint8_t kIirCharacterTimeout = 0x0C;
inline constexpr std::uint8_t kIirFifosEnabled = 0xC0;
inline constexpr std::uint8_t kIerLineStatus = 0x04;

// 8.3 FIFO control.
inline constexpr std::uint8_t kFcrEnable = 0x01;
inline constexpr std::uint8_t kFcrResetReceiver = 0x02;
inline constexpr std::array<std::size_t, 4> kFcrTriggerLevels = {1, 4, 8, 14};  // bits 7:6

// 8.1 Line control.
inline constexpr std::uint8_t kLcrDivisorLatch = 0x80;

// 8.6 Modem control; bits 7:5 are always 0.
inline constexpr std::uint8_t kMcrDtr = 0x01;
inline constexpr std::uint8_t kMcrRts = 0x02;
inline constexpr std::uint8_t kMcrOut1 = 0x04;
inline constexpr std::uint8_t kMcrOut2 = 0x08;  // on a PC, gates the interrupt line
inline constexpr std::uint8_t kMcrLoop = 0x10;
inline constexpr std::uint8_t kMcrMask = 0x1F;

// 8.2 Line status.
inline constexpr std::uint8_t kLsrDataReady = 0x01;
inline constexpr std::uint8_t kLsrOverrun = 0x02;
inline constexpr std::uint8_t kLsrTransmitterHoldingEmpty = 0x20;
inline constexpr std::uint8_t kLsrTransmitterEmpty = 0x40;

// 8.7 Modem status: inputs in bits 7:4, what changed since the last read in bits 3:0.
inline constexpr std::uint8_t kMsrCts = 0x10;
inline constexpr std::uint8_t kMsrDsr = 0x20;
inline constexpr std::uint8_t kMsrRing = 0x40;
inline constexpr std::uint8_t kMsrCarrierDetect = 0x80;
inline constexpr std::uint8_t kMsrTrailingRing = 0x04;

// IBM PC AT Technical Reference: I/O address map and interrupts of the serial adapters, COM1 to COM4.
inline constexpr std::array<std::uint16_t, 4> kPortBases = {0x3F8, 0x2F8, 0x3E8, 0x2E8};
inline constexpr std::array<std::uint8_t, 4> kInterrupts = {4, 3, 4, 3};

/// Divisor 12 of 1.8432 MHz / 16: 9600 baud, what a PC's firmware leaves.
inline constexpr std::uint16_t kDivisorAtReset = 12;

}  // namespace virttdx::serial_spec
