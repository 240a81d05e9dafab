// SPDX-License-Identifier: GPL-2.0-or-later
// Milliseconds from a guest's GetQuote to the moment that Linux sees the quote, with the bounded wait and
// without, from a service in this process that answers at once. Linux looks once a second at a request that
// is in flight (drivers/virt/coco/tdx-guest).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "fake_qgs.h"
#include "quote_buffer.h"
#include "tdx/quote_service.h"

namespace virttdx::test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kQuotes = 9;
constexpr std::chrono::seconds kLinuxPoll{1};

double one_quote_ms(QuoteService& service, QuoteBuffer& buffer) {
  buffer.prepare();
  const auto begin = Clock::now();
  CHECK(service.get_quote({QuoteBuffer::kGpa}, QuoteBuffer::kSize) == 0);
  while (buffer.status() == QuoteBuffer::kInFlight) std::this_thread::sleep_for(kLinuxPoll);
  CHECK(buffer.status() == 0);
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

void measure(const qgs::Address& address, milliseconds wait) {
  QuoteBuffer buffer;
  QuoteService service(buffer, {address, wait, std::chrono::seconds(30)}, [] {});
  std::vector<double> times;
  for (int i = 0; i < kQuotes; ++i) times.push_back(one_quote_ms(service, buffer));
  std::sort(times.begin(), times.end());
  std::printf("wait %3lld ms: quote seen after %.1f ms (median of %d; %.1f to %.1f)\n",
              static_cast<long long>(wait.count()), times[kQuotes / 2], kQuotes, times.front(), times.back());
}

}  // namespace
}  // namespace virttdx::test

int main() {
  using namespace virttdx;
  test::FakeQgs service(test::FakeQgs::respond("a quote"));
  test::measure(service.address(), test::milliseconds(200));
  test::measure(service.address(), test::milliseconds(0));
}
