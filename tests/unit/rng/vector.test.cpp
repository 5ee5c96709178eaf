#include "rng/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "unit/rng/vector.test.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "rng/vector_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace trialwright::rng::HWY_NAMESPACE {

// out[i] = f(x[i]) for i < n, a multiple of 16.
template <class Function>
void transform(const float* x, std::size_t n, float* out, Function f) {
  const hn::ScalableTag<float> d;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) hn::StoreU(f(d, hn::LoadU(d, x + i)), d, out + i);
}

void exps(const float* x, std::size_t n, float* out) {
  transform(x, n, out, [](auto d, auto v) HWY_ATTR { return vector_exp(d, v); });
}

void logs(const float* x, std::size_t n, float* out) {
  transform(x, n, out, [](auto d, auto v) HWY_ATTR { return vector_log(d, v); });
}

}  // namespace trialwright::rng::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "support/vector_targets.hpp"

namespace trialwright::rng {
HWY_EXPORT(exps);
HWY_EXPORT(logs);
}  // namespace trialwright::rng

namespace {

namespace math = trialwright::math;
using trialwright::test::for_each_target;

// n numbers evenly from `low` to `high`.
std::vector<float> grid(double low, double high, std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = static_cast<float>(low + (high - low) * static_cast<double>(i) / static_cast<double>(n - 1));
  return x;
}

// Every 641st positive normal number, which meets all exponents and mantissas of every kind.
std::vector<float> positive_numbers() {
  std::vector<float> x;
  for (std::uint32_t bits = 0x00800000; bits < 0x7F800000; bits += 641)
    x.push_back(std::bit_cast<float>(bits));
  x.resize(x.size() / 16 * 16);
  return x;
}

void expect_same_bits(const std::vector<float>& x, const std::vector<float>& out,
                      float (*twin)(float)) {
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(twin(x[i])))
        << "at " << x[i];
}

TEST(VectorExp, GivesTheBitsOfTheScalarTwin) {
  const std::vector<float> x = grid(-120.0, 120.0, 1 << 20);
  for_each_target([&] {
    std::vector<float> out(x.size());
    using namespace trialwright::rng;
    HWY_DYNAMIC_DISPATCH(exps)(x.data(), x.size(), out.data());
    expect_same_bits(x, out, math::exp_float);
  });
}

TEST(VectorLog, GivesTheBitsOfTheScalarTwin) {
  const std::vector<float> x = positive_numbers();
  for_each_target([&] {
    std::vector<float> out(x.size());
    using namespace trialwright::rng;
    HWY_DYNAMIC_DISPATCH(logs)(x.data(), x.size(), out.data());
    expect_same_bits(x, out, math::log_float);
  });
}

TEST(ExpFloat, StaysWithinItsRelativeError) {
  double largest = 0;
  for (const float x : grid(-86.0, 88.0, 5'000'000))
    largest = std::max(largest, std::abs(math::exp_float(x) / std::exp(static_cast<double>(x)) - 1.0));
  EXPECT_LT(largest, 1.0e-7);
  EXPECT_EQ(math::exp_float(0.0f), 1.0f);
  EXPECT_EQ(math::exp_float(-1e30f), math::exp_float(-86.0f));
  EXPECT_EQ(math::exp_float(1e30f), math::exp_float(88.0f));
}

TEST(LogFloat, StaysWithinItsError) {
  double largest = 0;
  for (const float x : positive_numbers()) {
    const double exact = std::log(static_cast<double>(x));
    largest =
        std::max(largest, std::abs(math::log_float(x) - exact) / std::abs(exact == 0 ? 1 : exact));
  }
  EXPECT_LT(largest, 1.0e-7);
  EXPECT_EQ(math::log_float(1.0f), 0.0f);
}

}  // namespace

#endif
