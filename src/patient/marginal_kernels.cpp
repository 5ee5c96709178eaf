#include "patient/marginal_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/contract.hpp"
#include "rng/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "patient/marginal_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace trialwright::patient::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Both return for how many patients, from the first on, the work is done: whole vectors only, and none
// where there are none.

// Buckets by whole vectors, then one 128-bit comparison a patient: a row is found by its address, and
// loads from addresses are cheaper than gathers.
std::size_t find_intervals([[maybe_unused]] const IntervalTable::View& table,
                           [[maybe_unused]] const float* HWY_RESTRICT z,
                           [[maybe_unused]] const double* HWY_RESTRICT points,
                           [[maybe_unused]] std::size_t n,
                           [[maybe_unused]] std::int32_t* HWY_RESTRICT ranks,
                           [[maybe_unused]] double* HWY_RESTRICT out) {
#if HWY_TARGET == HWY_SCALAR
  return 0;
#else
  // No longer vectors: what is stored by 512 bits and read again by 32 is slow to come back.
  const hn::CappedTag<float, 8> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::FixedTag<float, 4> d4;
  const std::size_t lanes = hn::Lanes(d), n_whole = n - n % lanes;
  HWY_ALIGN std::int32_t places[hn::MaxLanes(d)];
  for (std::size_t first = 0; first < n_whole; first += lanes) {
    const auto position =
        hn::Mul(hn::Sub(hn::LoadU(d, z + first), hn::Set(d, table.lowest)), hn::Set(d, table.per_unit));
    const auto inside = hn::Min(hn::Max(position, hn::Zero(d)), hn::Set(d, table.last));
    hn::Store(hn::ConvertTo(di, inside), di, places);
    for (std::size_t i = 0; i < lanes; ++i) {
      const std::int32_t place = places[i];
      const auto bounds = hn::Load(d4, table.buckets[place].data());
      const auto below = hn::Gt(hn::Set(d4, z[first + i]), bounds);
      const std::int32_t rank =
          table.n_before[place] + static_cast<std::int32_t>(hn::CountTrue(d4, below));
      ranks[first + i] = rank;
      out[first + i] = points[rank];
    }
  }
  return n_whole;
#endif
}

std::size_t find_grades([[maybe_unused]] const std::int32_t* HWY_RESTRICT bounds,
                        [[maybe_unused]] std::size_t stride,
                        [[maybe_unused]] const std::int32_t* HWY_RESTRICT points,
                        [[maybe_unused]] const std::uint32_t* HWY_RESTRICT words,
                        [[maybe_unused]] std::size_t n, [[maybe_unused]] double* HWY_RESTRICT out) {
#if HWY_TARGET == HWY_SCALAR
  return 0;
#else
  const hn::FixedTag<std::int32_t, 4> d4;
  const hn::FixedTag<std::uint32_t, 4> du4;
  const auto exceeded = [&](std::size_t i, const std::int32_t* row) HWY_ATTR {
    const auto half = hn::BitCast(d4, hn::ShiftRight<1>(hn::Set(du4, words[i])));
    return static_cast<std::int32_t>(hn::CountTrue(d4, hn::Gt(half, hn::Load(d4, row))));
  };
  if (stride == GradeTable::k_lanes) {
    for (std::size_t i = 0; i < n; ++i) out[i] = exceeded(i, bounds + points[i] * 4);
    return n;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t* row = bounds + static_cast<std::size_t>(points[i]) * stride;
    std::int32_t grade = 0;
    for (std::size_t k = 0; k < stride; k += GradeTable::k_lanes) grade += exceeded(i, row + k);
    out[i] = grade;
  }
  return n;
#endif
}

std::size_t find_outside_ranges(const Range* HWY_RESTRICT ranges, std::size_t n_ranges, std::size_t n,
                                std::uint32_t* HWY_RESTRICT found) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto is_outside = [&](std::size_t i) {
    bool outside = false;
    for (std::size_t k = 0; k < n_ranges; ++k) {
      const double value = ranges[k].values[i];
      outside = outside || !(value >= ranges[k].minimum && value <= ranges[k].maximum);
    }
    return outside;
  };
  std::size_t n_found = 0, first = 0;
  for (; first + lanes <= n; first += lanes) {
    auto inside = hn::FirstN(d, lanes);
    for (std::size_t k = 0; k < n_ranges; ++k) {
      const auto values = hn::LoadU(d, ranges[k].values + first);
      inside = hn::And(inside, hn::And(hn::Ge(values, hn::Set(d, ranges[k].minimum)),
                                       hn::Le(values, hn::Set(d, ranges[k].maximum))));
    }
    if (HWY_LIKELY(hn::AllTrue(d, inside))) continue;
    for (std::size_t i = first; i < first + lanes; ++i)
      if (is_outside(i)) found[n_found++] = static_cast<std::uint32_t>(i);
  }
  for (std::size_t i = first; i < n; ++i)
    if (is_outside(i)) found[n_found++] = static_cast<std::uint32_t>(i);
  return n_found;
}

}  // namespace trialwright::patient::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trialwright::patient {

HWY_EXPORT(find_intervals);
HWY_EXPORT(find_grades);
HWY_EXPORT(find_outside_ranges);

std::size_t find_outside(std::span<const Range> ranges, std::size_t n, std::uint32_t* found) {
  return HWY_DYNAMIC_DISPATCH(find_outside_ranges)(ranges.data(), ranges.size(), n, found);
}

IntervalTable::IntervalTable(std::span<const float> bounds) {
  constexpr float k_most_per_unit = 1024;
  for (float per_unit = 4; per_unit <= k_most_per_unit; per_unit *= 2)
    if (fill(bounds, per_unit)) return;
  buckets_.clear();
}

// False where a bucket would hold too many bounds.
bool IntervalTable::fill(std::span<const float> bounds, float per_unit) {
  constexpr float k_infinity = std::numeric_limits<float>::infinity();
  per_unit_ = per_unit;
  last_ = (k_highest - k_lowest) * per_unit - 1;
  buckets_.assign(static_cast<std::size_t>(last_) + 1,
                  {k_infinity, k_infinity, k_infinity, k_infinity});
  n_before_.resize(buckets_.size());
  std::vector<std::size_t> sizes(buckets_.size());
  for (const float bound : bounds) {
    if (bound == k_infinity) continue;
    const auto bucket = static_cast<std::size_t>(place(bound));
    if (sizes[bucket] == k_bounds_per_bucket) return false;
    buckets_[bucket][sizes[bucket]++] = bound;
  }
  std::size_t n_before = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    n_before_[bucket] = static_cast<std::uint16_t>(n_before);
    n_before += sizes[bucket];
  }
  return true;
}

void IntervalTable::find_all(std::span<const float> z, std::span<const double> points,
                             std::span<std::int32_t> ranks, std::span<double> out) const {
  TRIALWRIGHT_EXPECT(!empty() && ranks.size() >= z.size() && out.size() >= z.size());
  const std::size_t n_done = HWY_DYNAMIC_DISPATCH(find_intervals)(
      {buckets_.data(), n_before_.data(), k_lowest, per_unit_, last_}, z.data(), points.data(),
      z.size(), ranks.data(), out.data());
  for (std::size_t i = n_done; i < z.size(); ++i)
    out[i] = points[static_cast<std::size_t>(ranks[i] = find(z[i]))];
}

GradeTable::GradeTable(std::size_t n_points, std::size_t n_bounds)
    : stride_((n_bounds + k_lanes - 1) / k_lanes * k_lanes),
      bounds_(n_points * stride_, std::numeric_limits<std::int32_t>::max()) {}

void GradeTable::set(std::size_t point, std::size_t bound, double above) {
  bounds_[point * stride_ + bound] =
      static_cast<std::int32_t>(std::floor((1 - above) * 0x1p31 + 0.5) - 1);
}

void GradeTable::find_all(std::span<const std::int32_t> points, std::span<const std::uint32_t> words,
                          std::span<double> out) const {
  TRIALWRIGHT_EXPECT(!empty() && words.size() >= points.size() && out.size() >= points.size());
  const std::size_t n_done = HWY_DYNAMIC_DISPATCH(find_grades)(bounds_.data(), stride_, points.data(),
                                                               words.data(), points.size(), out.data());
  for (std::size_t i = n_done; i < points.size(); ++i) out[i] = find(points[i], words[i]);
}

}  // namespace trialwright::patient
#endif
