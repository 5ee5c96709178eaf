#include "engine/piece.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "engine/point_values.hpp"
#include "unit/engine/states.hpp"

namespace trialwright::engine {
namespace {

std::vector<std::uint64_t> dense_counts(std::size_t n, std::mt19937_64& engine) {
  std::vector<std::uint64_t> counts(n);
  for (auto& count : counts)
    if (engine() % 10 == 0) count = engine() >> (engine() % 60 + 2);
  return counts;
}

StagedAccumulator staged_with(double shift, std::mt19937_64& engine) {
  const auto number = [&] { return static_cast<double>(engine() % 4000) / 1000; };
  StagedAccumulator staged;
  staged.n_looks = 3;
  staged.n_hypotheses = 2;
  staged.true_nulls = 2;
  for (auto* counts : {&staged.rejected, &staged.naive_rejected}) counts->resize(2);
  staged.stops.resize(3 * design::k_stop_reasons);
  staged.open.resize(6);
  for (auto* counts : {&staged.rejected, &staged.naive_rejected, &staged.stops, &staged.open})
    for (auto& count : *counts) count = engine() % 1000;
  for (auto* count :
       {&staged.n_any, &staged.n_all, &staged.n_error, &staged.n_naive_error, &staged.n_inference})
    *count = engine() % 1000;
  for (auto* histogram : {&staged.analysed, &staged.enrolled, &staged.overrun, &staged.months})
    for (int i = 0; i < 9; ++i) histogram->add(100 + 100 * number());
  for (int i = 0; i < 9; ++i) staged.decision_months.add(number());
  staged.first_means.resize(4);
  for (auto& mean : staged.first_means)
    for (int i = 0; i < 9; ++i) mean.add(number());
  staged.adjusted.resize(2);
  for (auto& one : staged.adjusted) {
    one.n_defined = engine() % 100;
    one.n_covered = engine() % 100;
    one.n_repeated = engine() % 100;
    one.n_repeated_covered = engine() % 100;
    one.estimate = stats::Moments(shift);
    for (int i = 0; i < 9; ++i) one.estimate.add(number());
  }
  return staged;
}

PointAccumulator sum_with(double shift, std::mt19937_64& engine) {
  const auto number = [&] { return static_cast<double>(engine() % 4000) / 1000; };
  PointAccumulator sum;
  sum.n_trials = engine() % 100'000;
  sum.analyses.resize(3);
  for (auto& analysis : sum.analyses) {
    analysis.n_rejected = engine() % 300;
    analysis.n_failed = engine() % 300;
    analysis.n_defined = engine();
    analysis.n_covered = engine() % 300;
    analysis.n_below_published = engine() % 300;
    analysis.n_at_published = engine() % 300;
    analysis.estimate = stats::Moments(shift);
    for (int i = 0; i < 20; ++i) {
      analysis.estimate.add(number());
      analysis.distribution.add(number());
    }
    analysis.distribution.add(100, 3);
  }
  sum.arms.resize(4);
  for (auto& arm : sum.arms) {
    arm.add(static_cast<int>(engine() % 100), 100, engine() >> 20);
    arm.events_squared *= engine();
  }
  for (auto* moments : {&sum.enrolment_months, &sum.duration_months, &sum.n_screened})
    for (int i = 0; i < 5; ++i) moments->add(number());
  sum.staged = staged_with(shift, engine);
  return sum;
}

Piece piece_at(std::uint64_t from, std::mt19937_64& engine) {
  Piece piece;
  piece.i_point = 1234;
  piece.track = Track::trials;
  piece.range = {from, from + 256};
  piece.sum = sum_with(0.25, engine);
  piece.cells = SparseCounts(dense_counts(500, engine));
  piece.rows[0] = {{"3-of-40.1.trials.csv", 10 * from, 10 * from + 2560}};
  piece.rows[1] = {{"a", 0, 7}, {"b", 5, 5}};
  return piece;
}

std::string bytes_of(const Piece& piece) {
  base::ByteWriter out;
  write(piece, out);
  return out.take();
}

Piece piece_of(std::string_view bytes) {
  base::ByteReader in(bytes);
  Piece piece = read_piece(in);
  if (!in.is_at_end()) throw base::BadBytes("more than a piece");
  return piece;
}

void expect_same_moments(const stats::Moments& a, const stats::Moments& b) {
  EXPECT_EQ(a.shift(), b.shift());
  EXPECT_EQ(a.count(), b.count());
  EXPECT_EQ(a.sums(), b.sums());
}

void expect_same(const Piece& a, const Piece& b) {
  EXPECT_EQ(a.i_point, b.i_point);
  EXPECT_EQ(a.track, b.track);
  EXPECT_EQ(a.range, b.range);
  EXPECT_EQ(a.cells.bytes(), b.cells.bytes());
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(state_of(a.sum), state_of(b.sum));
  EXPECT_EQ(a.sum.n_trials, b.sum.n_trials);
  ASSERT_EQ(a.sum.analyses.size(), b.sum.analyses.size());
  for (std::size_t i = 0; i < a.sum.analyses.size(); ++i) {
    const auto &x = a.sum.analyses[i], &y = b.sum.analyses[i];
    EXPECT_EQ(x.n_rejected, y.n_rejected);
    EXPECT_EQ(x.n_failed, y.n_failed);
    EXPECT_EQ(x.n_defined, y.n_defined);
    EXPECT_EQ(x.n_covered, y.n_covered);
    EXPECT_EQ(x.n_below_published, y.n_below_published);
    EXPECT_EQ(x.n_at_published, y.n_at_published);
    EXPECT_EQ(x.distribution.state(), y.distribution.state());
    expect_same_moments(x.estimate, y.estimate);
  }
  ASSERT_EQ(a.sum.arms.size(), b.sum.arms.size());
  for (std::size_t i = 0; i < a.sum.arms.size(); ++i) {
    const auto &x = a.sum.arms[i], &y = b.sum.arms[i];
    EXPECT_EQ(x.events, y.events);
    EXPECT_EQ(x.patients, y.patients);
    EXPECT_TRUE(x.events_squared == y.events_squared);
    EXPECT_TRUE(x.patients_squared == y.patients_squared);
    EXPECT_TRUE(x.events_patients == y.events_patients);
  }
  expect_same_moments(a.sum.enrolment_months, b.sum.enrolment_months);
  expect_same_moments(a.sum.duration_months, b.sum.duration_months);
  expect_same_moments(a.sum.n_screened, b.sum.n_screened);
}

TEST(SparseCounts, AreTheDenseOnes) {
  std::mt19937_64 engine(1);
  for (const std::size_t n : {0u, 1u, 2u, 1000u}) {
    const auto counts = dense_counts(n, engine);
    std::vector<std::uint64_t> unpacked(n, 5);
    ASSERT_TRUE(SparseCounts(counts).add_to(unpacked));
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(unpacked[i], counts[i] + 5);
  }
  std::vector<std::uint64_t> few(100'000);
  for (std::size_t i = 0; i < few.size(); i += 40) few[i] = 1 + i % 100;
  EXPECT_EQ(SparseCounts(few).bytes().size(), 2 * 2500u);
  EXPECT_TRUE(SparseCounts(std::vector<std::uint64_t>(50)).empty());
}

TEST(SparseCounts, MergeAsDenseOnesAdd) {
  std::mt19937_64 engine(2);
  for (int repeat = 0; repeat < 100; ++repeat) {
    auto a = dense_counts(repeat % 40, engine);
    const auto b = dense_counts(repeat % 30, engine);
    SparseCounts merged(a);
    merged.merge(SparseCounts(b));
    a.resize(std::max(a.size(), b.size()));
    for (std::size_t i = 0; i < b.size(); ++i) a[i] += b[i];
    EXPECT_EQ(merged.bytes(), SparseCounts(a).bytes());
  }
}

TEST(SparseCounts, OfCountersThatAreNotThereAddNothing) {
  const std::vector<std::uint64_t> counts{0, 3, 0, 4};
  std::vector<std::uint64_t> dense(3);
  EXPECT_FALSE(SparseCounts(counts).add_to(dense));
  EXPECT_EQ(dense, std::vector<std::uint64_t>(3));
}

TEST(SparseCounts, FromBytesAreThoseOrNone) {
  const std::vector<std::uint64_t> counts{0, 3, 0, 4000};
  const std::string bytes = SparseCounts(counts).bytes();
  EXPECT_EQ(SparseCounts::from_bytes(bytes).bytes(), bytes);
  EXPECT_THROW(SparseCounts::from_bytes(bytes.substr(0, 3)), base::BadBytes);
  EXPECT_THROW(SparseCounts::from_bytes(bytes.substr(0, 1)), base::BadBytes);
  // A counter told twice, and one that was counted never.
  EXPECT_THROW(SparseCounts::from_bytes(std::string("\1\1\0\1", 4)), base::BadBytes);
  EXPECT_THROW(SparseCounts::from_bytes(std::string("\1\0", 2)), base::BadBytes);
  // A step past 2^64.
  EXPECT_THROW(SparseCounts::from_bytes("\1\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1"),
               base::BadBytes);
}

TEST(Piece, IsReadBackAsWritten) {
  std::mt19937_64 engine(3);
  Piece piece = piece_at(512, engine);
  expect_same(piece_of(bytes_of(piece)), piece);
  piece.merge(piece_at(768, engine));
  expect_same(piece_of(bytes_of(piece)), piece);
  Piece none;
  none.track = Track::calendars;
  none.range = {0, 1};
  expect_same(piece_of(bytes_of(none)), none);
}

TEST(Piece, MergesInAnyOrderAlsoWhatWasStoredOnTheWay) {
  std::mt19937_64 engine(4);
  std::vector<Piece> pieces;
  for (std::uint64_t i = 0; i < 6; ++i) pieces.push_back(piece_at(256 * i, engine));
  const auto joined = [&](std::vector<Piece> left, std::mt19937_64& order) {
    while (left.size() > 1) {
      const std::size_t i = order() % (left.size() - 1);
      // The later into the earlier, or the earlier into the later.
      if (order() % 2 == 0) std::swap(left[i], left[i + 1]);
      left[i].merge(piece_of(bytes_of(left[i + 1])));
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
    return left.front();
  };
  const Piece first = joined(pieces, engine);
  EXPECT_EQ(first.range, (TrialRange{0, 1536}));
  EXPECT_EQ(first.rows[0], (std::vector<RowSegment>{{"3-of-40.1.trials.csv", 0, 15'360}}));
  EXPECT_EQ(first.rows[1].size(), 12u);
  for (int repeat = 0; repeat < 50; ++repeat) expect_same(joined(pieces, engine), first);
}

// Any bytes are a piece or BadBytes: no crash, no huge allocation.
TEST(Piece, OfDamagedBytesIsRefusedOrAnotherPiece) {
  std::mt19937_64 engine(5);
  Piece whole = piece_at(0, engine);
  whole.merge(piece_at(256, engine));
  const std::string bytes = bytes_of(whole);
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_THROW(piece_of(std::string_view(bytes).substr(0, n)), base::BadBytes) << n;
  std::size_t n_refused = 0;
  for (int repeat = 0; repeat < 4000; ++repeat) {
    std::string damaged = bytes;
    for (std::uint64_t k = engine() % 4 + 1; k > 0; --k)
      damaged[engine() % damaged.size()] = static_cast<char>(engine() % 3 == 0 ? 0xff : engine());
    if (engine() % 8 == 0) damaged.erase(engine() % damaged.size(), engine() % 20);
    try {
      Piece piece = piece_of(damaged);
      std::vector<std::uint64_t> dense(500);
      piece.cells.add_to(dense);
      bytes_of(piece);
    } catch (const base::BadBytes&) {
      ++n_refused;
    }
  }
  EXPECT_GT(n_refused, 200u);
}

TEST(Piece, NamesNoFileElsewhere) {
  for (const char* name : {"", "..", "/etc/passwd", "../x"}) {
    Piece piece;
    piece.range = {0, 1};
    piece.rows[0] = {{name, 0, 1}};
    EXPECT_THROW(piece_of(bytes_of(piece)), base::BadBytes) << name;
  }
}

TEST(PointValues, AreReadBackAsWritten) {
  PointValues values;
  values.i_point = 77;
  values.truths = {TrueValue{1.0 / 3, 1e-5}, std::nullopt, TrueValue{-0.5, 0}};
  values.calculated.resize(3);
  values.calculated[0].power.power = 0.9;
  values.calculated[0].is_null = true;
  values.calculated[1].power.why_not = "stratified";
  base::ByteWriter out;
  write(values, out);
  write(PointValues{.i_point = 78, .truths = {std::nullopt}, .calculated = {}}, out);
  const std::string bytes = out.take();
  base::ByteReader in(bytes);
  const PointValues read = read_point_values(in);
  EXPECT_EQ(read.i_point, 77u);
  EXPECT_EQ(read.truths, values.truths);
  ASSERT_EQ(read.calculated.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read.calculated[i].power.power, values.calculated[i].power.power);
    EXPECT_EQ(read.calculated[i].power.why_not, values.calculated[i].power.why_not);
    EXPECT_EQ(read.calculated[i].is_null, values.calculated[i].is_null);
  }
  EXPECT_TRUE(read_point_values(in).calculated.empty());
  EXPECT_TRUE(in.is_at_end());
  for (std::size_t n = 0; n < bytes.size() - 12; ++n) {
    base::ByteReader cut(std::string_view(bytes).substr(0, n));
    EXPECT_THROW(
        {
          read_point_values(cut);
          read_point_values(cut);
        },
        base::BadBytes);
  }
}

}  // namespace
}  // namespace trialwright::engine
