#include "patient/course_kernels.hpp"

#include <array>
#include <cstring>

#include "base/contract.hpp"

// The sets that the kernels are made for: no vectors, SSE4, AVX2 and AVX-512 of the first kind.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "patient/course_kernels.cpp"
#include "hwy/foreach_target.h"  // includes this file once a target
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace trialwright::patient::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Whole vectors of a column, and the rest of it behind the last whole one. What a lane computes for
// nobody starts from zeros.
struct Whole {
  template <class D>
  hn::Vec<D> load(D d, const hn::TFromD<D>* from) const {
    return hn::LoadU(d, from);
  }
  template <class D>
  void store(hn::Vec<D> v, D d, hn::TFromD<D>* to) const {
    hn::StoreU(v, d, to);
  }
};
struct Rest {
  std::size_t n;
  template <class D>
  hn::Vec<D> load(D d, const hn::TFromD<D>* from) const {
    HWY_ALIGN hn::TFromD<D> lanes[hn::MaxLanes(D())] = {};
    std::memcpy(lanes, from, n * sizeof(lanes[0]));
    return hn::Load(d, lanes);
  }
  template <class D>
  void store(hn::Vec<D> v, D d, hn::TFromD<D>* to) const {
    HWY_ALIGN hn::TFromD<D> lanes[hn::MaxLanes(D())];
    hn::Store(v, d, lanes);
    std::memcpy(to, lanes, n * sizeof(lanes[0]));
  }
};
template <class D, class Body>
HWY_INLINE void for_each(D d, std::size_t n, const Body& body) {
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) body(i, Whole{});
  if (i < n) body(i, Rest{n - i});
}

using F = hn::ScalableTag<float>;
using I = hn::RebindToSigned<F>;
using U = hn::RebindToUnsigned<F>;

// ---- Single-precision functions, operation by operation as their twins ----

template <class D, class V = hn::Vec<D>>
HWY_INLINE V times_plus(D d, V p, V x, float c) {
  return hn::Add(hn::Mul(p, x), hn::Set(d, c));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_of(D d, V x) {
  const hn::RebindToSigned<D> di;
  x = hn::Min(hn::Max(x, hn::Set(d, -87.0f)), hn::Set(d, 88.0f));
  const V shifted = times_plus(d, x, hn::Set(d, detail::k_log2_e), detail::k_round_shift);
  const V k = hn::Sub(shifted, hn::Set(d, detail::k_round_shift));
  const V r = hn::Sub(hn::Sub(x, hn::Mul(k, hn::Set(d, detail::k_ln2_high))),
                      hn::Mul(k, hn::Set(d, detail::k_ln2_low)));
  V p = times_plus(d, hn::Set(d, 1.9875691500e-4f), r, 1.3981999507e-3f);
  p = times_plus(d, p, r, 8.3334519073e-3f);
  p = times_plus(d, p, r, 4.1665795894e-2f);
  p = times_plus(d, p, r, 1.6666665459e-1f);
  p = times_plus(d, p, r, 5.0000001201e-1f);
  const V fraction = hn::Add(hn::Add(hn::Mul(p, hn::Mul(r, r)), r), hn::Set(d, 1.0f));
  // The shift's own low bits are zero but for the sign's place, which falls out at the top.
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, fraction), exponent));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V log_of(D d, V x) {
  const hn::RebindToSigned<D> di;
  const auto root = hn::Set(di, 0x3F3504F3);
  const auto bits = hn::Sub(hn::BitCast(di, x), root);
  const V e = hn::ConvertTo(d, hn::ShiftRight<23>(bits));
  const V f =
      hn::Sub(hn::BitCast(d, hn::Add(hn::And(bits, hn::Set(di, 0x007FFFFF)), root)), hn::Set(d, 1.0f));
  V p = times_plus(d, hn::Set(d, 7.0376836292e-2f), f, -1.1514610310e-1f);
  p = times_plus(d, p, f, 1.1676998740e-1f);
  p = times_plus(d, p, f, -1.2420140846e-1f);
  p = times_plus(d, p, f, 1.4249322787e-1f);
  p = times_plus(d, p, f, -1.6668057665e-1f);
  p = times_plus(d, p, f, 2.0000714765e-1f);
  p = times_plus(d, p, f, -2.4999993993e-1f);
  p = times_plus(d, p, f, 3.3333331174e-1f);
  const V square = hn::Mul(f, f);
  const V low = hn::Add(hn::Mul(hn::Mul(p, f), square), hn::Mul(e, hn::Set(d, detail::k_ln2_low)));
  return hn::Add(hn::Add(hn::Sub(low, hn::Mul(hn::Set(d, 0.5f), square)), f),
                 hn::Mul(e, hn::Set(d, detail::k_ln2_high)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V uniform_of(D d, hn::Vec<hn::RebindToUnsigned<D>> words) {
  const hn::RebindToSigned<D> di;
  const V whole = hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<9>(words)));
  return hn::Mul(hn::Add(whole, hn::Set(d, 0.5f)), hn::Set(d, 0x1p-23f));
}

// ---- Tables: eight lanes at most, since rows are loaded one by one and transposed by blocks ----

using F8 = hn::CappedTag<float, 8>;
using I8 = hn::RebindToSigned<F8>;
using V8 = hn::Vec<F8>;

struct Cells {
  const float* rows;  // of the function numbered 0
  float per_unit;
  float unit;
  float reach;           // in units of the argument
  std::int32_t reach_k;  // in cells
};

Cells cells_of(const SingleTable& table) {
  const CellGrid& cells = table.cells();
  return {table.rows(), static_cast<float>(cells.per_unit), 1.0f / static_cast<float>(cells.per_unit),
          static_cast<float>(cells.reach) / static_cast<float>(cells.per_unit), cells.reach};
}

// Lane i of the row that lane i asks for, as four vectors.
struct Coefficients {
  V8 c0, c1, c2, c3;
};

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE Coefficients load_rows(F8 d, const float* rows, hn::Vec<I8> index) {
  const float* row = rows + 4 * hn::GetLane(index);
  return {hn::Set(d, row[0]), hn::Set(d, row[1]), hn::Set(d, row[2]), hn::Set(d, row[3])};
}
#else
HWY_INLINE V8 row_pair(F8 d, const float* rows, const std::int32_t* at, int i) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  const hn::Half<F8> half;
  return hn::Combine(d, hn::LoadU(half, rows + at[i + 4]), hn::LoadU(half, rows + at[i]));
#else
  return hn::LoadU(d, rows + at[i]);
#endif
}

HWY_INLINE Coefficients load_rows(F8 d, const float* rows, hn::Vec<I8> index) {
  const hn::RepartitionToWide<F8> wide;
  HWY_ALIGN std::int32_t at[8];
  hn::Store(hn::ShiftLeft<2>(index), I8(), at);
  const V8 r0 = row_pair(d, rows, at, 0), r1 = row_pair(d, rows, at, 1);
  const V8 r2 = row_pair(d, rows, at, 2), r3 = row_pair(d, rows, at, 3);
  const auto low_01 = hn::BitCast(wide, hn::InterleaveLower(d, r0, r1));
  const auto low_23 = hn::BitCast(wide, hn::InterleaveLower(d, r2, r3));
  const auto high_01 = hn::BitCast(wide, hn::InterleaveUpper(d, r0, r1));
  const auto high_23 = hn::BitCast(wide, hn::InterleaveUpper(d, r2, r3));
  return {hn::BitCast(d, hn::InterleaveLower(wide, low_01, low_23)),
          hn::BitCast(d, hn::InterleaveUpper(wide, low_01, low_23)),
          hn::BitCast(d, hn::InterleaveLower(wide, high_01, high_23)),
          hn::BitCast(d, hn::InterleaveUpper(wide, high_01, high_23))};
}
#endif

// `first_row` is the row of each lane's function.
HWY_INLINE V8 evaluate(F8 d, const Cells& cells, hn::Vec<I8> first_row, V8 v) {
  const I8 di;
  // In this order a NaN becomes a bound, and no row outside is read.
  const V8 held = hn::Min(hn::Max(v, hn::Set(d, -cells.reach)), hn::Set(d, cells.reach));
  const V8 shifted = times_plus(d, held, hn::Set(d, cells.per_unit), detail::k_round_shift);
  const V8 whole = hn::Sub(shifted, hn::Set(d, detail::k_round_shift));
  const V8 delta = hn::Sub(held, hn::Mul(whole, hn::Set(d, cells.unit)));
  const auto k =
      hn::Sub(hn::BitCast(di, shifted),
              hn::Set(di, std::bit_cast<std::int32_t>(detail::k_round_shift) - cells.reach_k));
  const Coefficients c = load_rows(d, cells.rows, hn::Add(k, first_row));
  const V8 inner = hn::Add(c.c2, hn::Mul(delta, c.c3));
  return hn::Add(c.c0, hn::Mul(delta, hn::Add(c.c1, hn::Mul(delta, inner))));
}

template <class Source>
HWY_INLINE hn::Vec<I8> first_rows(I8 di, const SingleTable& table, const TableChoice& choice,
                                  std::size_t i, const Source& source) {
  const int n = table.cells().n_cells();
  if (choice.variant == nullptr) return hn::Set(di, static_cast<int>(choice.first) * n);
  return hn::Mul(source.load(di, choice.variant + i), hn::Set(di, n));
}

void combine(const float* weights, const float* const* columns, std::size_t n_columns, float* out,
             std::size_t n) {
  const F d;
  for_each(d, n, [&](std::size_t i, const auto& at) {
    auto sum = hn::Mul(hn::Set(d, weights[0]), at.load(d, columns[0] + i));
    for (std::size_t k = 1; k < n_columns; ++k)
      sum = hn::Add(sum, hn::Mul(hn::Set(d, weights[k]), at.load(d, columns[k] + i)));
    at.store(sum, d, out + i);
  });
}

void look_up(const SingleTable& table, const TableChoice& choice, const float* z, float* out,
             std::size_t n) {
  const F8 d;
  const I8 di;
  const Cells cells = cells_of(table);
  for_each(d, n, [&](std::size_t i, const auto& at) {
    const auto rows = first_rows(di, table, choice, i, at);
    at.store(hn::Max(evaluate(d, cells, rows, at.load(d, z + i)), hn::Zero(d)), d, out + i);
  });
}

void look_up_shifted(const SingleTable& log_odds, const SingleTable& table, const TableChoice& choice,
                     const float* z, const float* shift, float* out, std::size_t n) {
  const F8 d;
  const I8 di;
  const Cells odds_cells = cells_of(log_odds), cells = cells_of(table);
  for_each(d, n, [&](std::size_t i, const auto& at) {
    const auto x =
        hn::Sub(evaluate(d, odds_cells, hn::Zero(di), at.load(d, z + i)), at.load(d, shift + i));
    const auto rows = first_rows(di, table, choice, i, at);
    at.store(hn::Max(evaluate(d, cells, rows, x), hn::Zero(d)), d, out + i);
  });
}

void raise(const float* exponent, float* x, std::size_t n) {
  const F d;
  for_each(d, n, [&](std::size_t i, const auto& at) {
    const auto base = at.load(d, x + i);
    const auto least = hn::Set(d, 1e-37f);
    const auto power = exp_of(d, hn::Mul(at.load(d, exponent + i), log_of(d, hn::Max(base, least))));
    at.store(hn::IfThenElseZero(hn::Ge(base, least), power), d, x + i);
  });
}

void scores(const ScoreScale& scale, const float* ratio, const double* baseline, double* out,
            std::size_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, hn::ScalableTag<double>> single;
  for_each(d, n, [&](std::size_t i, const auto& at) {
    const auto raw = hn::Mul(hn::PromoteTo(d, at.load(single, ratio + i)), at.load(d, baseline + i));
    const auto held = hn::Min(raw, hn::Set(d, scale.maximum()));
    const auto shifted = hn::Add(hn::Mul(held, hn::Set(d, scale.per_unit())), hn::Set(d, 0x1.8p52));
    const auto k = hn::Sub(shifted, hn::Set(d, 0x1.8p52));
    at.store(hn::Add(hn::Mul(k, hn::Set(d, scale.inverse_high())),
                     hn::Mul(k, hn::Set(d, scale.inverse_low()))),
             d, out + i);
  });
}

void exponentials(const std::uint32_t* words, float* out, std::size_t n) {
  const F d;
  const U du;
  for_each(d, n, [&](std::size_t i, const auto& at) {
    at.store(hn::Neg(log_of(d, uniform_of(d, at.load(du, words + i)))), d, out + i);
  });
}

// Of the arms' numbers the one of each lane's arm.
template <class D, class DI, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> of_arm(D d, DI di, const T* by_arm, std::size_t n_arms, std::size_t stride,
                             hn::Vec<DI> arm) {
  auto result = hn::Set(d, by_arm[0]);
  for (std::size_t a = 1; a < n_arms; ++a) {
    const auto is_arm = hn::Eq(arm, hn::Set(di, static_cast<std::int32_t>(a)));
    result = hn::IfThenElse(hn::RebindMask(d, is_arm), hn::Set(d, by_arm[a * stride]), result);
  }
  return result;
}

void survive(const SurvivalBounds& bounds, const std::uint32_t* words, const int* arm, int* interval,
             std::size_t n) {
  const U d;
  const I di;
  const std::size_t n_arms = bounds.bounds.size() / bounds.stride;
  for_each(d, n, [&](std::size_t i, const auto& at) {
    const auto word = at.load(d, words + i);
    const auto arms = n_arms > 1 ? at.load(di, arm + i) : hn::Zero(di);
    auto survived = hn::Zero(di);
    for (std::size_t j = 0; j < bounds.n_intervals; ++j) {
      const auto bound = of_arm(d, di, bounds.bounds.data() + j, n_arms, bounds.stride, arms);
      const auto ends = hn::RebindMask(di, hn::Gt(word, bound));
      survived = hn::Add(survived, hn::IfThenZeroElse(ends, hn::Set(di, 1)));
    }
    at.store(survived, di, interval + i);
  });
}

template <class Source>
HWY_INLINE hn::Vec<F> rate_of(const StateRate& rate, const Interval& interval, std::size_t i,
                              const Source& at) {
  const F d;
  const I di;
  const std::size_t n_arms = rate.intercept.size();
  const auto arm = n_arms > 1 ? at.load(di, interval.arm + i) : hn::Zero(di);
  const auto intercept = of_arm(d, di, rate.intercept.data(), n_arms, 1, arm);
  const auto previous =
      interval.previous.empty() ? hn::Set(d, 1.0f) : at.load(d, interval.previous.data() + i);
  return exp_of(d, hn::Add(intercept, hn::Mul(hn::Set(d, rate.slope), previous)));
}

template <class Source>
HWY_INLINE void mark(const Interval& interval, hn::Mask<F> ended, int* first, std::size_t i,
                     const Source& at) {
  const I di;
  const auto before = at.load(di, first + i);
  const auto now = hn::IfThenElse(hn::RebindMask(di, ended), hn::Set(di, interval.number), before);
  at.store(hn::Min(before, now), di, first + i);
}

void step_hazard(const StateRate& rate, const Interval& interval, float* left, int* first,
                 std::size_t n) {
  const F d;
  for_each(d, n, [&](std::size_t i, const auto& at) {
    const auto rest = hn::Sub(at.load(d, left + i), rate_of(rate, interval, i, at));
    at.store(rest, d, left + i);
    mark(interval, hn::Le(rest, hn::Zero(d)), first, i, at);
  });
}

void step_odds(const StateRate& rate, const Interval& interval, float* left, int* first,
               std::size_t n) {
  const F d;
  for_each(d, n, [&](std::size_t i, const auto& at) {
    const auto factor = hn::Add(hn::Set(d, 1.0f), rate_of(rate, interval, i, at));
    auto rest = at.load(d, left + i);
    if (interval.periods == 1)
      rest = hn::Mul(rest, factor);
    else if (interval.periods == 2)
      rest = hn::Mul(rest, hn::Mul(factor, factor));
    else
      rest = hn::Mul(rest, exp_of(d, hn::Mul(hn::Set(d, interval.periods), log_of(d, factor))));
    at.store(rest, d, left + i);
    mark(interval, hn::Ge(rest, hn::Set(d, 1.0f)), first, i, at);
  });
}

void observe(const RescueState& state, int number, const float* ratio, float* out, std::size_t n) {
  const F d;
  const I di;
  for_each(d, n, [&](std::size_t i, const auto& at) {
    const auto rescued = at.load(di, state.rescued + i);
    auto none = hn::Gt(rescued, hn::Set(di, number));
    if (state.gone != nullptr) none = hn::Or(none, hn::Gt(rescued, at.load(di, state.gone + i)));
    const auto tier = state.tier != nullptr ? at.load(di, state.tier + i) : hn::Zero(di);
    const auto multiplier = of_arm(d, di, state.multiplier.data(), state.multiplier.size(), 1, tier);
    const auto value = at.load(d, ratio + i);
    at.store(hn::IfThenElse(hn::RebindMask(d, none), value, hn::Mul(value, multiplier)), d, out + i);
  });
}

}  // namespace trialwright::patient::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trialwright::patient {

HWY_EXPORT(combine);
HWY_EXPORT(look_up);
HWY_EXPORT(look_up_shifted);
HWY_EXPORT(raise);
HWY_EXPORT(scores);
HWY_EXPORT(exponentials);
HWY_EXPORT(survive);
HWY_EXPORT(step_hazard);
HWY_EXPORT(step_odds);
HWY_EXPORT(observe);

void combine(std::span<const float> weights, std::span<const float* const> columns,
             std::span<float> out) {
  TRIALWRIGHT_EXPECT(!weights.empty() && weights.size() == columns.size());
  HWY_DYNAMIC_DISPATCH(combine)
  (weights.data(), columns.data(), columns.size(), out.data(), out.size());
}
void look_up(const SingleTable& table, const TableChoice& choice, std::span<const float> z,
             std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(look_up)(table, choice, z.data(), out.data(), out.size());
}
void look_up_shifted(const SingleTable& log_odds, const SingleTable& table, const TableChoice& choice,
                     std::span<const float> z, std::span<const float> shift, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(look_up_shifted)
  (log_odds, table, choice, z.data(), shift.data(), out.data(), out.size());
}
void raise(std::span<const float> exponent, std::span<float> x) {
  HWY_DYNAMIC_DISPATCH(raise)(exponent.data(), x.data(), x.size());
}
void scores(const ScoreScale& scale, std::span<const float> ratio, std::span<const double> baseline,
            std::span<double> out) {
  TRIALWRIGHT_EXPECT(scale.fits());
  HWY_DYNAMIC_DISPATCH(scores)(scale, ratio.data(), baseline.data(), out.data(), out.size());
}
void exponentials(std::span<const std::uint32_t> words, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(exponentials)(words.data(), out.data(), out.size());
}
void survive(const SurvivalBounds& bounds, std::span<const std::uint32_t> words, const int* arm,
             std::span<int> interval) {
  HWY_DYNAMIC_DISPATCH(survive)(bounds, words.data(), arm, interval.data(), interval.size());
}
void step_hazard(const StateRate& rate, const Interval& interval, std::span<float> left,
                 std::span<int> at) {
  HWY_DYNAMIC_DISPATCH(step_hazard)(rate, interval, left.data(), at.data(), left.size());
}
void step_odds(const StateRate& rate, const Interval& interval, std::span<float> left,
               std::span<int> at) {
  HWY_DYNAMIC_DISPATCH(step_odds)(rate, interval, left.data(), at.data(), left.size());
}
void observe(const RescueState& state, int number, std::span<const float> ratio, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(observe)(state, number, ratio.data(), out.data(), out.size());
}

}  // namespace trialwright::patient
#endif  // HWY_ONCE
