// However the work is cut, paused, spread over threads and put together: the same bits.
#include "engine/run_portions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/ledger.hpp"
#include "engine/run_study.hpp"
#include "support/studies.hpp"
#include "unit/engine/states.hpp"

namespace trialwright::engine {
namespace {

using namespace std::chrono_literals;
using Duration = std::chrono::steady_clock::duration;

// A stratified analysis, which is not tabulated, beside others that are.
constexpr const char* k_study =
    "analyses: {{cmh: {{estimand: easi50, method: cmh, strata: [{}]}}}}\n"
    "designs:\n"
    "  mixed: {{kind: fixed, arms: {{placebo: 1, hcmsc: 2}}, patients: 90, primary: cmh, secondary: "
    "[easi50_superiority, ae_noninferiority]{}}}\n"
    "  large: {{kind: fixed, arms: {{placebo: 1, hcmsc: 1}}, patients: 300, primary: "
    "easi50_superiority}}\n"
    "scenarios: {{null: {{effect: 0}}, reported: {{effect: 1}}}}\n"
    "simulation: {{trials: {}, seed: 11, engine: {}, truth_patients: 20000}}\n";

struct Case {
  const char* library;
  const char* engine;
  const char* strata;
  const char* randomisation;
  std::uint64_t n_trials;
};
// Blocks of 1024 and 256 trials, of 16384 and 131072; none of the numbers is a multiple.
const Case k_patients{"library/hcmsc_rescue.yaml", "patients", "severity, region",
                      ", randomisation: {method: permuted_block, strata: [severity]}", 2500};
const Case k_counts{"library/hcmsc.yaml", "counts", "severity", "", 150'000};

scenario::Study study_of(const Case& one, std::uint64_t n_trials) {
  return support::study(fmt::format(k_study, one.strata, one.randomisation, n_trials, one.engine),
                        one.library);
}

// Gathers what comes.
class Gathering : public Keeper {
 public:
  explicit Gathering(std::optional<Duration> interval = std::nullopt) : interval_(interval) {}
  void keep(std::vector<Piece> some, std::vector<PointValues> some_values) override {
    ++n_calls;
    for (auto& piece : some) pieces.push_back(std::move(piece));
    for (auto& one : some_values) values.push_back(std::move(one));
  }
  std::optional<Duration> interval() override { return interval_; }

  int n_calls = 0;
  std::vector<Piece> pieces;
  std::vector<PointValues> values;

 private:
  std::optional<Duration> interval_;
};

class Points {
 public:
  Points(const Case& one, std::uint64_t n_trials)
      : study_(study_of(one, n_trials)), plan_(plan_study(study_, 2)), n_trials_(n_trials) {
    for (std::size_t i = 0; i < plan_.points.size(); ++i) {
      work.push_back({plan_.i_points[i], plan_.plans[i].get(), plan_.engines[i].counts.get()});
      work.back().truth_patients = 20000;
    }
  }

  TrackShape shape(std::size_t i, Track track) const {
    return track_shape(*work[i].plan, work[i].counts, track, n_trials_);
  }

  // All trials, in as few portions as there can be.
  std::vector<Portion> whole() const {
    std::vector<Portion> all;
    for (std::size_t i = 0; i < work.size(); ++i) {
      for (const Track track : {Track::calendars, Track::trials}) {
        const auto of_track = shape(i, track);
        for (const auto& portion : portions_of(i, track, of_track, {0, of_track.n_trials}))
          all.push_back(portion);
      }
    }
    return all;
  }

  // The same cut after about every third block, in an order of their own.
  std::vector<Portion> cut(unsigned seed) const {
    std::mt19937 random(seed);
    std::vector<Portion> pieces;
    for (auto portion : whole()) {
      const std::uint64_t block = shape(portion.i_work, portion.track).block_trials;
      for (std::uint64_t at = portion.range.from + block; at < portion.range.to; at += block) {
        if (random() % 3 != 0) continue;
        pieces.push_back({portion.i_work, portion.track, {portion.range.from, at}});
        portion.range.from = at;
      }
      pieces.push_back(portion);
    }
    std::shuffle(pieces.begin(), pieces.end(), random);
    return pieces;
  }

  // All that a ledger holds, to the bit.
  std::string text(const Ledger& ledger) const {
    std::string text;
    for (std::size_t i = 0; i < work.size(); ++i) {
      const auto* values = ledger.values(work[i].i_point);
      if (!values) return "no values";
      for (const auto& truth : values->truths)
        text += fmt::format("{:a} {:a} ", truth->value, truth->mcse);
      for (const auto& one : values->calculated)
        text += fmt::format("{:a} {} ", one.power.power.value_or(-1), one.is_null);
      const auto sum = sum_of(ledger.pieces(work[i].i_point), *work[i].plan, work[i].counts,
                              values_alone(values->truths));
      text += state_of(sum) + "\n";
    }
    return text;
  }

  Ledger ledger() const { return Ledger(work.size()); }
  Ledger fitted() const {
    Ledger made(work.size());
    fit_ledger(study_, plan_, made);
    return made;
  }

  std::vector<PointWork> work;
  const scenario::Study& study() const { return study_; }
  const StudyPlan& plan() const { return plan_; }

 private:
  scenario::Study study_;
  StudyPlan plan_;
  std::uint64_t n_trials_;
};

void fill(Ledger& ledger, const Gathering& gathered) {
  for (const auto& one : gathered.values) ledger.add(one);
  for (const auto& piece : gathered.pieces) ASSERT_TRUE(ledger.add(piece));
}

std::string whole_text(const Points& points) {
  Gathering gathered;
  EXPECT_EQ(run_portions(points.work, points.whole(), 1, nullptr, gathered), Ended::done);
  EXPECT_EQ(gathered.n_calls, 1);
  Ledger ledger = points.ledger();
  fill(ledger, gathered);
  return points.text(ledger);
}

class AnyCutting : public testing::TestWithParam<Case> {};

TEST_P(AnyCutting, GivesTheSameBitsOnAnyThreadsWithAnyPauses) {
  const Points points(GetParam(), GetParam().n_trials);
  const std::string expected = whole_text(points);
  ASSERT_NE(expected, "no values");
  unsigned seed = 0;
  for (const int n_threads : {1, 2, 3}) {
    for (const auto interval :
         {std::optional<Duration>{}, std::optional<Duration>{0s}, std::optional<Duration>{2ms}}) {
      Gathering gathered(interval);
      const auto portions = points.cut(++seed);
      ASSERT_EQ(run_portions(points.work, portions, n_threads, nullptr, gathered), Ended::done);
      EXPECT_TRUE(interval ? gathered.n_calls > 3 : gathered.n_calls == 1);
      std::shuffle(gathered.pieces.begin(), gathered.pieces.end(), std::mt19937(seed));
      Ledger joined = points.fitted(), apart = points.ledger();
      fill(joined, gathered);
      fill(apart, gathered);
      EXPECT_EQ(points.text(joined), expected) << n_threads;
      EXPECT_EQ(points.text(apart), expected) << n_threads;
      EXPECT_LE(joined.pieces(0).size(), 3u);
    }
  }
}

// Every piece is whole blocks of its track, or the one cut short, and belongs to its point.
TEST_P(AnyCutting, HandsOverPiecesThatFit) {
  const Points points(GetParam(), GetParam().n_trials);
  Gathering gathered(0s);
  run_portions(points.work, points.cut(5), 2, nullptr, gathered);
  Ledger ledger = points.ledger();
  fill(ledger, gathered);
  for (const auto& piece : gathered.pieces) {
    const auto& of = points.work[piece.i_point];
    EXPECT_TRUE(points.shape(piece.i_point, piece.track).fits(piece.range));
    EXPECT_TRUE(
        belongs(piece, *of.plan, of.counts, values_alone(ledger.values(piece.i_point)->truths)));
  }
}

class StopAfter final : public Monitor {
 public:
  explicit StopAfter(int n_blocks) : left_(n_blocks) {}
  void progress(std::uint64_t, std::uint64_t) override { --left_; }
  bool stop_requested() override { return left_ <= 0; }

 private:
  int left_;
};

TEST_P(AnyCutting, StoppedAgainAndAgainItGoesOnToTheSameBits) {
  const Points points(GetParam(), GetParam().n_trials);
  const std::string expected = whole_text(points);
  Ledger ledger = points.fitted();
  int n_stops = 0;
  for (bool is_done = false; !is_done; ++n_stops) {
    auto work = points.work;
    std::vector<Portion> portions;
    for (std::size_t i = 0; i < work.size(); ++i) {
      work[i].known = ledger.values(i);
      for (const Track track : {Track::calendars, Track::trials})
        for (const auto& gap : ledger.gaps(i, track, {0, points.shape(i, track).n_trials}))
          for (const auto& portion : portions_of(i, track, points.shape(i, track), gap))
            portions.push_back(portion);
    }
    StopAfter monitor(25 + n_stops % 7);
    Gathering gathered(1ms);
    is_done = run_portions(work, portions, 1 + n_stops % 3, &monitor, gathered) == Ended::done;
    fill(ledger, gathered);
  }
  EXPECT_GT(n_stops, 2);
  EXPECT_EQ(points.text(ledger), expected);
}

// More trials asked for later: only the last block, which was cut short, is done again.
TEST_P(AnyCutting, GoesOnToMoreTrials) {
  const Points few(GetParam(), GetParam().n_trials), more(GetParam(), GetParam().n_trials * 3 / 2);
  Gathering first;
  run_portions(few.work, few.whole(), 2, nullptr, first);
  Ledger ledger = more.ledger();
  fill(ledger, first);
  const std::uint64_t n_before = ledger.n_trials(0);
  fit_ledger(more.study(), more.plan(), ledger);
  EXPECT_GT(ledger.n_trials(0), n_before / 2);
  Gathering second;
  const auto results = run_study(more.study(), more.plan(), ledger, second, 2, nullptr);
  EXPECT_FALSE(results.interrupted);
  EXPECT_TRUE(second.values.empty());
  EXPECT_EQ(more.text(ledger), whole_text(more));
}

INSTANTIATE_TEST_SUITE_P(Engines, AnyCutting, testing::Values(k_patients, k_counts),
                         [](const auto& one) { return std::string(one.param.engine); });

TEST(RunPortions, FindsTruthsOfThePointAlone) {
  const Points points(k_patients, 100), more(k_patients, 1000);
  Gathering all, one, later;
  run_portions(points.work, {}, 2, nullptr, all);
  run_portions({&points.work[3], 1}, {}, 1, nullptr, one);
  run_portions(more.work, {}, 1, nullptr, later);
  ASSERT_EQ(all.values.size(), 4u);
  ASSERT_EQ(one.values.size(), 1u);
  EXPECT_EQ(one.values[0].i_point, 3u);
  EXPECT_EQ(one.values[0].truths, all.values[3].truths);
  EXPECT_EQ(later.values[3].truths, all.values[3].truths);
  EXPECT_GT(all.values[3].truths[0]->mcse, 0);

  auto work = points.work[3];
  work.truth_patients *= 16;
  Gathering finer;
  run_portions({&work, 1}, {}, 1, nullptr, finer);
  // Within 6 of the rougher one's standard errors, itself known to a fifth: false alarms below 1e-4.
  const auto &rough = *all.values[3].truths[0], &fine = *finer.values[0].truths[0];
  EXPECT_LT(std::abs(fine.value - rough.value), 6 * rough.mcse);
  EXPECT_LT(fine.mcse, rough.mcse / 2);
}

TEST(RunPortions, HandsOverTheValuesThatAreAskedForAndNotKnown) {
  const Points points(k_counts, 100);
  auto work = points.work;
  Gathering all;
  run_portions(work, {}, 2, nullptr, all);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(all.values[i].calculated.size(), work[i].plan->analyses.size());

  const PointValues truths_alone{2, all.values[2].truths, {}};
  work[0].known = &all.values[0];
  work[1].needs_values = false;
  work[2].known = &truths_alone;
  Gathering some;
  run_portions(work, points.whole(), 2, nullptr, some);
  ASSERT_EQ(some.values.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(some.values[i].i_point, i + 1);
    EXPECT_EQ(some.values[i].truths, all.values[i + 1].truths);
    EXPECT_EQ(some.values[i].calculated.empty(), i == 0);
  }
}

// What is stopped before the exact powers are there keeps the true values.
TEST(RunPortions, HandsOverTrueValuesBeforeExactPowers) {
  const Points points(k_patients, 100);
  Gathering gathered(0s);
  run_portions(points.work, points.whole(), 1, nullptr, gathered);
  ASSERT_EQ(gathered.values.size(), 8u);
  Ledger ledger = points.ledger();
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(gathered.values[i].calculated.empty(), i < 4);
    ledger.add(gathered.values[i]);
  }
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(ledger.values(i)->calculated.size(), points.work[i].plan->analyses.size());
}

TEST(RunPortions, ThrowsWhatItsKeeperThrows) {
  class Full final : public Gathering {
    void keep(std::vector<Piece>, std::vector<PointValues>) override {
      throw std::runtime_error("no space left");
    }
  };
  const Points points(k_counts, 100);
  Full keeper;
  EXPECT_THROW(run_portions(points.work, points.whole(), 2, nullptr, keeper), std::runtime_error);
}

}  // namespace
}  // namespace trialwright::engine
