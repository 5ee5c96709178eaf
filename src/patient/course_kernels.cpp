#include "patient/course_kernels.hpp"

#include "rng/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "patient/course_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/contract.hpp"
#include "rng/vector_inl.hpp"

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
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
struct Rest {
  std::size_t n;
  template <class D>
  hn::Vec<D> load(D d, const hn::TFromD<D>* from) const {
    return hn::MaskedLoad(hn::FirstN(d, n), d, from);
  }
  template <class D>
  void store(hn::Vec<D> v, D d, hn::TFromD<D>* to) const {
    hn::BlendedStore(v, hn::FirstN(d, n), d, to);
  }
};
#else  // masks would read and write what lies behind
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
#endif
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

using rng::HWY_NAMESPACE::vector_exp;
using rng::HWY_NAMESPACE::vector_log;
using rng::HWY_NAMESPACE::vector_uniform;

// Adding it rounds to a whole number, ties to even.
constexpr float k_round_shift = 0x1.8p23f;

// ---- Tables: rows are loaded one by one, eight at most together, and transposed by blocks ----

using F8 = hn::CappedTag<float, 8>;
using V8 = hn::Vec<F8>;

struct Cells {
  const float* rows;  // of the function numbered 0
  float per_unit;
  float unit;
  float reach;           // in units of the argument
  std::int32_t reach_k;  // in cells
  std::int32_t n;        // of a function
};

Cells cells_of(const SingleTable& table) {
  const CellGrid& cells = table.cells();
  return {table.rows(),
          static_cast<float>(cells.per_unit),
          1.0f / static_cast<float>(cells.per_unit),
          static_cast<float>(cells.reach) / static_cast<float>(cells.per_unit),
          cells.reach,
          cells.n_cells()};
}

// Patients whose places in the table are found first and whose rows are loaded then: places pass
// through memory, so that no lane is taken out of a vector.
constexpr std::size_t k_batch = 128;
struct Places {
  alignas(64) std::int32_t row[k_batch];  // times four
  alignas(64) float delta[k_batch];       // from the middle of the cell
};

template <class V>
HWY_INLINE void find_place(const Cells& cells, hn::Vec<I> function, V v, std::size_t i, Places& out) {
  const F d;
  const I di;
  // In this order a NaN becomes a bound, and no row outside is read.
  const V held = hn::Min(hn::Max(v, hn::Set(d, -cells.reach)), hn::Set(d, cells.reach));
  const V shifted = hn::Add(hn::Mul(held, hn::Set(d, cells.per_unit)), hn::Set(d, k_round_shift));
  const V whole = hn::Sub(shifted, hn::Set(d, k_round_shift));
  const auto k = hn::Sub(hn::BitCast(di, shifted),
                         hn::Set(di, std::bit_cast<std::int32_t>(k_round_shift) - cells.reach_k));
  const auto row = hn::Add(k, hn::Mul(function, hn::Set(di, cells.n)));
  hn::Store(hn::Sub(held, hn::Mul(whole, hn::Set(d, cells.unit))), d, out.delta + i);
  hn::Store(hn::ShiftLeft<2>(row), di, out.row + i);
}

// Which function each patient of a vector has.
template <class Source>
HWY_INLINE hn::Vec<I> functions_of(const TableChoice& choice, std::size_t i, const Source& at) {
  const I di;
  if (choice.variant == nullptr) return hn::Set(di, static_cast<int>(choice.first));
  return at.load(di, choice.variant + i);
}

// The rows' coefficients, as four vectors.
struct Coefficients {
  V8 c0, c1, c2, c3;
};

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE Coefficients load_rows(F8 d, const float* rows, const std::int32_t* at) {
  const float* row = rows + *at;
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

HWY_INLINE Coefficients load_rows(F8 d, const float* rows, const std::int32_t* at) {
  const hn::RepartitionToWide<F8> wide;
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

// finish(i, value, at) with the table's value at place i, for n places.
template <class Finish>
HWY_INLINE void evaluate(const Cells& cells, const Places& places, std::size_t n,
                         const Finish& finish) {
  const F8 d;
  for_each(d, n, [&](std::size_t i, const auto& at) HWY_ATTR {
    const Coefficients c = load_rows(d, cells.rows, places.row + i);
    const V8 delta = hn::Load(d, places.delta + i);
    const V8 inner = hn::Add(c.c2, hn::Mul(delta, c.c3));
    finish(i, hn::Add(c.c0, hn::Mul(delta, hn::Add(c.c1, hn::Mul(delta, inner)))), at);
  });
}

void combine(const float* weights, const float* const* columns, std::size_t n_columns, float* out,
             std::size_t n) {
  const F d;
  for_each(d, n, [&](std::size_t i, const auto& at) HWY_ATTR {
    auto sum = hn::Mul(hn::Set(d, weights[0]), at.load(d, columns[0] + i));
    for (std::size_t k = 1; k < n_columns; ++k)
      sum = hn::Add(sum, hn::Mul(hn::Set(d, weights[k]), at.load(d, columns[k] + i)));
    at.store(sum, d, out + i);
  });
}

// out[i] = the table's value, at least 0, where abscissa(i, at) is its argument.
template <class Abscissa>
HWY_INLINE void look_up_at(const SingleTable& table, const TableChoice& choice, std::size_t n,
                           float* out, const Abscissa& abscissa) {
  const F8 d8;
  const Cells cells = cells_of(table);
  Places places;
  for (std::size_t first = 0; first < n; first += k_batch) {
    const std::size_t n_batch = std::min(k_batch, n - first);
    for_each(F(), n_batch, [&](std::size_t i, const auto& at) HWY_ATTR {
      find_place(cells, functions_of(choice, first + i, at), abscissa(first + i, at), i, places);
    });
    evaluate(cells, places, n_batch, [&](std::size_t i, V8 ratio, const auto& at) HWY_ATTR {
      at.store(hn::Max(ratio, hn::Zero(d8)), d8, out + first + i);
    });
  }
}

void look_up(const SingleTable& table, const TableChoice& choice, const float* z, float* out,
             std::size_t n) {
  look_up_at(table, choice, n, out,
             [&](std::size_t i, const auto& at) HWY_ATTR { return at.load(F(), z + i); });
}

// Twin: normal_log_odds.
HWY_INLINE hn::Vec<F> vector_log_odds(hn::Vec<F> z) {
  const F d;
  const auto square = hn::Mul(z, z);
  auto numerator = hn::Set(d, k_odds_numerator[0]), denominator = hn::Set(d, k_odds_denominator[0]);
  for (int i = 1; i < 5; ++i)
    numerator = hn::Add(hn::Mul(numerator, square), hn::Set(d, k_odds_numerator[i]));
  for (int i = 1; i < 4; ++i)
    denominator = hn::Add(hn::Mul(denominator, square), hn::Set(d, k_odds_denominator[i]));
  return hn::Div(hn::Mul(z, numerator), denominator);
}

void look_up_shifted(const SingleTable& table, const TableChoice& choice, const float* z,
                     const float* shift, float* out, std::size_t n) {
  look_up_at(table, choice, n, out, [&](std::size_t i, const auto& at) HWY_ATTR {
    return hn::Sub(vector_log_odds(at.load(F(), z + i)), at.load(F(), shift + i));
  });
}

void raise(const float* exponent, float* x, std::size_t n) {
  const F d;
  for_each(d, n, [&](std::size_t i, const auto& at) HWY_ATTR {
    const auto base = at.load(d, x + i);
    const auto least = hn::Set(d, 1e-37f);
    const auto power =
        vector_exp(d, hn::Mul(at.load(d, exponent + i), vector_log(d, hn::Max(base, least))));
    at.store(hn::IfThenElseZero(hn::Ge(base, least), power), d, x + i);
  });
}

void scores(const ScoreScale& scale, const float* ratio, const double* baseline, double* out,
            std::size_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, hn::ScalableTag<double>> single;
  for_each(d, n, [&](std::size_t i, const auto& at) HWY_ATTR {
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
  for_each(d, n, [&](std::size_t i, const auto& at) HWY_ATTR {
    at.store(hn::Neg(vector_log(d, vector_uniform(d, at.load(du, words + i)))), d, out + i);
  });
}

void odds_limits(const std::uint32_t* words, float* out, std::size_t n) {
  const F d;
  const U du;
  for_each(d, n, [&](std::size_t i, const auto& at) HWY_ATTR {
    const auto u = vector_uniform(d, at.load(du, words + i));
    at.store(hn::Div(hn::Sub(hn::Set(d, 1.0f), u), u), d, out + i);
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
  for_each(d, n, [&](std::size_t i, const auto& at) HWY_ATTR {
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

// The rates of an interval: one for all before the first visit where the arms do not differ.
class Rates {
 public:
  HWY_INLINE Rates(const StateRate& rate, const Interval& interval)
      : rate_(rate),
        interval_(interval),
        n_arms_(rate.intercept.size()),
        is_one_(interval.previous.empty() && n_arms_ == 1),
        one_(of(hn::Set(F(), rate.intercept[0]), hn::Set(F(), 1.0f))) {}

  template <class Source>
  HWY_INLINE hn::Vec<F> operator()(std::size_t i, const Source& at) const {
    const F d;
    const I di;
    if (is_one_) return one_;
    const auto arm = n_arms_ > 1 ? at.load(di, interval_.arm + i) : hn::Zero(di);
    const auto intercept = of_arm(d, di, rate_.intercept.data(), n_arms_, 1, arm);
    return of(intercept, interval_.previous.empty() ? hn::Set(d, 1.0f)
                                                    : at.load(d, interval_.previous.data() + i));
  }

 private:
  HWY_INLINE hn::Vec<F> of(hn::Vec<F> intercept, hn::Vec<F> previous) const {
    const F d;
    return vector_exp(d, hn::Add(intercept, hn::Mul(hn::Set(d, rate_.slope), previous)));
  }

  const StateRate& rate_;
  const Interval& interval_;
  std::size_t n_arms_;
  bool is_one_;
  hn::Vec<F> one_;
};

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
  const Rates rates(rate, interval);
  for_each(d, n, [&](std::size_t i, const auto& at) HWY_ATTR {
    const auto rest = hn::Sub(at.load(d, left + i), rates(i, at));
    at.store(rest, d, left + i);
    mark(interval, hn::Le(rest, hn::Zero(d)), first, i, at);
  });
}

// (1 + odds)^periods - 1.
HWY_INLINE hn::Vec<F> growth_of(hn::Vec<F> odds, float periods) {
  const F d;
  const auto one = hn::Set(d, 1.0f);
  const auto factor = hn::Add(one, odds);
  const auto lost = hn::Mul(hn::Sub(odds, hn::Sub(factor, one)), hn::Sub(hn::Set(d, 2.0f), factor));
  const auto log_factor =
      hn::Add(vector_log(d, factor), hn::IfThenElseZero(hn::Lt(factor, hn::Set(d, 1.5f)), lost));
  const auto x = hn::Mul(hn::Set(d, periods), log_factor);
  auto sum = hn::Set(d, math::detail::k_float_exp_terms[0]);
  for (int i = 1; i < 6; ++i)
    sum = hn::Add(hn::Mul(sum, x), hn::Set(d, math::detail::k_float_exp_terms[i]));
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, k_small_exponent)),
                        hn::Add(hn::Mul(sum, hn::Mul(x, x)), x), hn::Sub(vector_exp(d, x), one));
}

void step_odds(const StateRate& rate, const Interval& interval, const float* limit, float* grown,
               int* first, std::size_t n) {
  const F d;
  const auto one = hn::Set(d, 1.0f);
  const bool few = is_few(interval.periods);
  const Rates rates(rate, interval);
  for_each(d, n, [&](std::size_t i, const auto& at) HWY_ATTR {
    const auto odds = rates(i, at);
    auto sum = at.load(d, grown + i);
    if (few)
      for (float k = 0; k < interval.periods; ++k) sum = hn::Add(sum, hn::Mul(odds, hn::Add(one, sum)));
    else
      sum = hn::Add(sum, hn::Mul(growth_of(odds, interval.periods), hn::Add(one, sum)));
    at.store(sum, d, grown + i);
    mark(interval, hn::Ge(sum, at.load(d, limit + i)), first, i, at);
  });
}

void observe(const RescueState& state, int number, const float* ratio, float* out, std::size_t n) {
  const F d;
  const I di;
  for_each(d, n, [&](std::size_t i, const auto& at) HWY_ATTR {
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
HWY_EXPORT(odds_limits);
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
void look_up_shifted(const SingleTable& table, const TableChoice& choice, std::span<const float> z,
                     std::span<const float> shift, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(look_up_shifted)
  (table, choice, z.data(), shift.data(), out.data(), out.size());
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
void odds_limits(std::span<const std::uint32_t> words, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(odds_limits)(words.data(), out.data(), out.size());
}
void survive(const SurvivalBounds& bounds, std::span<const std::uint32_t> words, const int* arm,
             std::span<int> interval) {
  HWY_DYNAMIC_DISPATCH(survive)(bounds, words.data(), arm, interval.data(), interval.size());
}
void step_hazard(const StateRate& rate, const Interval& interval, std::span<float> left,
                 std::span<int> at) {
  HWY_DYNAMIC_DISPATCH(step_hazard)(rate, interval, left.data(), at.data(), left.size());
}
void step_odds(const StateRate& rate, const Interval& interval, std::span<const float> limit,
               std::span<float> grown, std::span<int> at) {
  HWY_DYNAMIC_DISPATCH(step_odds)
  (rate, interval, limit.data(), grown.data(), at.data(), grown.size());
}
void observe(const RescueState& state, int number, std::span<const float> ratio, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(observe)(state, number, ratio.data(), out.data(), out.size());
}

}  // namespace trialwright::patient
#endif  // HWY_ONCE
