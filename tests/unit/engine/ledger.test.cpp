#include "engine/ledger.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/studies.hpp"

namespace trialwright::engine {
namespace {

Piece piece(std::uint64_t from, std::uint64_t to, Track track = Track::trials) {
  Piece made;
  made.i_point = 1;
  made.track = track;
  made.range = {from, to};
  made.sum.n_trials = track == Track::trials ? to - from : 0;
  return made;
}

std::vector<TrialRange> ranges(const Ledger& ledger) {
  std::vector<TrialRange> ranges;
  for (const auto& one : ledger.pieces(1)) ranges.push_back(one.range);
  return ranges;
}

using Ranges = std::vector<TrialRange>;

TEST(Ledger, LeavesOutWhatSharesATrial) {
  Ledger ledger(3);
  EXPECT_TRUE(ledger.add(piece(64, 128)));
  EXPECT_TRUE(ledger.add(piece(64, 128, Track::calendars)));
  for (const auto& [from, to] : Ranges{{64, 128}, {0, 65}, {127, 200}, {0, 256}, {80, 90}})
    EXPECT_FALSE(ledger.add(piece(from, to))) << from;
  EXPECT_TRUE(ledger.add(piece(128, 192)));
  EXPECT_TRUE(ledger.add(piece(0, 64)));
  EXPECT_EQ(ledger.n_trials(1), 192u);
  EXPECT_EQ(ledger.n_trials(0), 0u);
  EXPECT_EQ(ranges(ledger), (Ranges{{0, 64}, {64, 128}, {128, 192}, {64, 128}}));
}

TEST(Ledger, TellsWhatIsMissing) {
  Ledger ledger(3);
  ledger.add(piece(64, 128));
  ledger.add(piece(256, 300));
  ledger.add(piece(0, 32, Track::calendars));
  EXPECT_EQ(ledger.gaps(1, Track::trials, {0, 300}), (Ranges{{0, 64}, {128, 256}}));
  EXPECT_EQ(ledger.gaps(1, Track::trials, {64, 128}), Ranges{});
  EXPECT_EQ(ledger.gaps(1, Track::trials, {96, 400}), (Ranges{{128, 256}, {300, 400}}));
  EXPECT_EQ(ledger.gaps(1, Track::calendars, {0, 64}), (Ranges{{32, 64}}));
  EXPECT_EQ(ledger.gaps(2, Track::trials, {0, 64}), (Ranges{{0, 64}}));
  EXPECT_EQ(ledger.gaps(2, Track::trials, {0, 0}), Ranges{});
}

// The last block, which the number of trials cut short, stays apart: more trials do it again.
TEST(Ledger, JoinsNeighboursOfWholeBlocks) {
  Ledger ledger(2);
  for (const auto& [from, to] : Ranges{{128, 192}, {0, 64}}) ledger.add(piece(from, to));
  ledger.keep_fitting(1, {200, 64}, {0, 128});
  for (const auto& [from, to] : Ranges{{192, 200}, {64, 128}}) ledger.add(piece(from, to));
  EXPECT_EQ(ranges(ledger), (Ranges{{0, 192}, {192, 200}}));
  EXPECT_EQ(ledger.pieces(1)[0].sum.n_trials, 192u);
  ledger.keep_fitting(1, {300, 64}, {0, 128});
  EXPECT_EQ(ranges(ledger), (Ranges{{0, 192}}));
  EXPECT_EQ(ledger.gaps(1, Track::trials, {0, 300}), (Ranges{{192, 300}}));
}

// Joined, nobody could tell that the first has no rows.
TEST(Ledger, KeepsPiecesWithAndWithoutRowsApart) {
  Ledger ledger(2);
  ledger.keep_fitting(1, {200, 64}, {0, 128});
  ledger.add(piece(0, 64));
  auto with_rows = piece(64, 128);
  with_rows.rows[static_cast<std::size_t>(RowKind::trials)] = {{"1-of-1.trials.1.csv", 0, 10}};
  ledger.add(with_rows);
  with_rows.range = {128, 192};
  with_rows.rows[static_cast<std::size_t>(RowKind::trials)] = {{"1-of-1.trials.1.csv", 10, 20}};
  ledger.add(with_rows);
  EXPECT_EQ(ranges(ledger), (Ranges{{0, 64}, {64, 192}}));
}

TEST(Ledger, KeepsRoundsApart) {
  Ledger ledger(2);
  for (const auto& [from, to] : Ranges{{0, 64}, {64, 128}, {128, 320}, {320, 384}, {384, 400}})
    ledger.add(piece(from, to));
  ledger.add(piece(0, 128, Track::calendars));
  ledger.add(piece(128, 256, Track::calendars));
  ledger.keep_fitting(1, {400, 64}, {256, 128}, 128);
  EXPECT_EQ(ranges(ledger), (Ranges{{0, 128}, {320, 384}, {384, 400}, {0, 256}}));
  ledger.add(piece(256, 320));
  ledger.add(piece(128, 192));
  EXPECT_EQ(ranges(ledger), (Ranges{{0, 128}, {128, 192}, {256, 384}, {384, 400}, {0, 256}}));
}

TEST(Ledger, LeavesOutWhatDoesNotFit) {
  Ledger ledger(2);
  for (const auto& [from, to] : Ranges{{0, 60}, {70, 128}, {128, 256}, {256, 320}, {320, 350}})
    ledger.add(piece(from, to));
  ledger.add(piece(0, 100, Track::calendars));
  ledger.keep_fitting(1, {300, 64}, {300, 128});
  EXPECT_EQ(ranges(ledger), (Ranges{{128, 256}}));
}

TEST(Ledger, KeepsTheFirstValuesAndFillsInWhatTheyLack) {
  Ledger ledger(3);
  EXPECT_EQ(ledger.values(1), nullptr);
  ledger.add(PointValues{1, {TrueValue{0.25, 0}}, {}});
  ledger.add(PointValues{1, {TrueValue{0.5, 0}}, {Calculated{{0.8, ""}, true}}});
  ledger.add(PointValues{1, {TrueValue{0.5, 0}}, {Calculated{{0.9, ""}, false}}});
  ASSERT_NE(ledger.values(1), nullptr);
  EXPECT_EQ(ledger.values(1)->truths[0]->value, 0.25);
  ASSERT_EQ(ledger.values(1)->calculated.size(), 1u);
  EXPECT_EQ(ledger.values(1)->calculated[0].power.power, 0.8);
  EXPECT_EQ(ledger.values(2), nullptr);
}

TEST(Belongs, KnowsForeignPieces) {
  const auto plan = support::plan(support::sections(60));
  const TrueValues values{0.25};
  Piece made = piece(0, 64);
  made.sum = PointAccumulator(*plan, values);
  made.sum.n_trials = 64;
  EXPECT_TRUE(belongs(made, *plan, nullptr, values));
  EXPECT_FALSE(belongs(made, *plan, nullptr, {0.26}));
  EXPECT_FALSE(belongs(made, *plan, nullptr, {std::nullopt}));
  Piece other = made;
  other.sum.analyses.emplace_back();
  EXPECT_FALSE(belongs(other, *plan, nullptr, values));
  other = made;
  other.sum.arms.pop_back();
  EXPECT_FALSE(belongs(other, *plan, nullptr, values));
  other = made;
  other.sum.n_trials = 63;
  EXPECT_FALSE(belongs(other, *plan, nullptr, values));
  other = made;
  other.cells = SparseCounts(std::vector<std::uint64_t>(31 * 31, 1));
  EXPECT_TRUE(belongs(other, *plan, nullptr, values));
  other.cells = SparseCounts(std::vector<std::uint64_t>(31 * 31 + 1, 1));
  EXPECT_FALSE(belongs(other, *plan, nullptr, values));
}

TEST(TrackShape, KnowsWholeBlocksAndTheOneCutShort) {
  const TrackShape shape{300, 64};
  EXPECT_EQ(shape.n_blocks(), 5u);
  for (const auto& range : Ranges{{0, 64}, {64, 256}, {256, 300}}) EXPECT_TRUE(shape.fits(range));
  for (const auto& range :
       Ranges{{0, 0}, {0, 63}, {1, 64}, {0, 300}, {256, 320}, {256, 299}, {300, 300}})
    EXPECT_FALSE(shape.fits(range)) << range.from << " " << range.to;
  const auto portions = portions_of(3, Track::trials, shape, {64, 300});
  ASSERT_EQ(portions.size(), 2u);
  EXPECT_EQ(portions[0].range, (TrialRange{64, 256}));
  EXPECT_EQ(portions[1].range, (TrialRange{256, 300}));
  EXPECT_EQ(portions[1].i_work, 3u);
  EXPECT_TRUE(portions_of(0, Track::trials, shape, {128, 128}).empty());
}

}  // namespace
}  // namespace trialwright::engine
