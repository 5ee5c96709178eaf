// The look-ups of baseline covariates as kernels over a column: which interval of a table a normal
// falls into, how many bounds of a patient's own row a word exceeds, and who lies outside a range.
//
// Each is made for several instruction sets, chosen at run time, and gives integers by exact
// comparisons: the scalar twins (IntervalTable::find and GradeTable::find) agree to the bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/columns.hpp"

namespace trialwright::patient {

// How many of an increasing list of bounds lie below z, for single-precision z.
//
// The line is cut into buckets of equal width; a bucket holds how many bounds lie in those before it
// and its own bounds, four at most, which one 128-bit comparison counts: no branch hangs on the data.
// Which bucket a number falls into never decreases with the number, in whatever way it is rounded, and
// bounds are put into theirs by the same arithmetic: so the count is exact for every z.
class IntervalTable {
 public:
  static constexpr std::size_t k_bounds_per_bucket = 4;

  // At most 65,536 bounds in increasing order; infinite ones are never below a z. The buckets are the
  // widest with at most four bounds in one, at most 1024 a unit; where that does not do the table stays
  // empty.
  explicit IntervalTable(std::span<const float> bounds);
  IntervalTable() = default;

  bool empty() const { return buckets_.empty(); }
  std::int32_t find(float z) const {
    const auto bucket = static_cast<std::size_t>(place(z));
    std::int32_t n = n_before_[bucket];
    for (const float bound : buckets_[bucket]) n += z > bound ? 1 : 0;
    return n;
  }
  // ranks[i] = find(z[i]) and out[i] = points[ranks[i]].
  void find_all(std::span<const float> z, std::span<const double> points, std::span<std::int32_t> ranks,
                std::span<double> out) const;

  using Bucket = std::array<float, k_bounds_per_bucket>;
  // What a kernel reads.
  struct View {
    const Bucket* buckets;
    const std::uint16_t* n_before;
    float lowest;
    float per_unit;
    float last;
  };

 private:
  float place(float z) const {
    const float position = (z - k_lowest) * per_unit_;
    const float above = position > 0 ? position : 0;
    return above < last_ ? above : last_;
  }
  bool fill(std::span<const float> bounds, float per_unit);

  static constexpr float k_lowest = -7;
  static constexpr float k_highest = 7;
  float per_unit_ = 0;
  float last_ = 0;  // bucket
  base::AlignedVector<Bucket> buckets_;
  base::AlignedVector<std::uint16_t> n_before_;  // bounds in the buckets before
};

// The values of a column that lie outside a range.
struct Range {
  const double* values;
  double minimum;
  double maximum;
};
// Writes, in order, every i < n that lies outside one of the ranges to found, which has room for n; how
// many there are. NaN lies outside.
std::size_t find_outside(std::span<const Range> ranges, std::size_t n, std::uint32_t* found);

// The grade of every point of a covariate's grid by the word that its noise is made of: row r holds the
// bounds k of that point, and the grade is how many of them floor(word / 2) exceeds.
class GradeTable {
 public:
  static constexpr std::size_t k_lanes = 4;

  // A table of no bounds, to be filled by set().
  GradeTable(std::size_t n_points, std::size_t n_bounds);
  GradeTable() = default;

  bool empty() const { return bounds_.empty(); }
  // The bound so that floor(word / 2) exceeds it with probability `above`, to 2^-32.
  void set(std::size_t point, std::size_t bound, double above);
  int find(std::int32_t point, std::uint32_t word) const {
    const std::int32_t* row = bounds_.data() + static_cast<std::size_t>(point) * stride_;
    const auto half = static_cast<std::int32_t>(word >> 1);
    int n = 0;
    for (std::size_t i = 0; i < stride_; ++i) n += half > row[i] ? 1 : 0;
    return n;
  }
  // out[i] = find(points[i], words[i]).
  void find_all(std::span<const std::int32_t> points, std::span<const std::uint32_t> words,
                std::span<double> out) const;

 private:
  std::size_t stride_ = 0;  // bounds a row, in whole 128-bit vectors
  base::AlignedVector<std::int32_t> bounds_;
};

}  // namespace trialwright::patient
