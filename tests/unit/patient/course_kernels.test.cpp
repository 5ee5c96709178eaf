// The kernels of following a cohort: the bits of their scalar twins on every instruction set, and their
// tables against the functions themselves.
#include "patient/course_kernels.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "math/elementary.hpp"
#include "math/elementary_float.hpp"
#include "math/normal.hpp"
#include "patient/grid.hpp"
#include "rng/batch.hpp"

namespace trialwright::patient {
namespace {

// Lengths with every kind of tail; the columns hold what is behind them unwritten.
constexpr std::size_t k_lengths[] = {1, 3, 4, 7, 8, 15, 16, 17, 127, 128, 131, 300};
constexpr std::size_t k_most = 300;

class CourseKernels : public ::testing::Test {
 protected:
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }

  void SetUp() override {
    words.resize(k_most, 1);
    normals.resize(k_most, 3);
    arms.resize(k_most);
    for (std::uint32_t k = 0; k < 3; ++k) {
      rng::fill_words({{1, 2}, rng::Purpose::course, 7, 0}, k, k_most, {words[0].data(), {}, {}, {}});
      rng::normals_of_words(words[0], normals[k]);
    }
    normals[0][5] = 40;  // beyond any table
    normals[0][6] = -40;
    normals[0][9] = std::nanf("");
    for (std::size_t i = 0; i < k_most; ++i) arms[i] = static_cast<int>(words[0][i] % 3);
  }

  // `kernel` fills columns of the length given, on each instruction set and at each length; what it
  // fills is the scalar twin's number by number, and nothing behind it is touched.
  template <class T>
  void expect_twin(const std::function<void(std::span<T>)>& kernel,
                   const std::function<T(std::size_t)>& twin) {
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
      hwy::SetSupportedTargetsForTest(target);
      for (const std::size_t n : k_lengths) {
        base::AlignedVector<T> out(k_most, T{77});
        kernel(std::span<T>(out).first(n));
        for (std::size_t i = 0; i < k_most; ++i) {
          const T expected = i < n ? twin(i) : T{77};
          ASSERT_EQ(std::memcmp(&out[i], &expected, sizeof(T)), 0)
              << hwy::TargetName(target) << " length " << n << " place " << i << ": " << out[i]
              << " for " << expected;
        }
      }
    }
    hwy::SetSupportedTargetsForTest(0);
  }

  base::Columns<std::uint32_t> words;
  base::Columns<float> normals;
  std::vector<int> arms;
};

// Three laws of a ratio over the normal.
SingleTable table_of(const CellGrid& cells) {
  SingleTable table(cells);
  std::vector<double> at = cells.nodes(), values(at.size());
  for (const double a : {0.5, 1.0, 2.0}) {
    for (std::size_t i = 0; i < at.size(); ++i)
      values[i] = 1.5 * std::pow(math::normal_cdf(at[i]), 1 / a) - 0.01;
    table.add(values);
  }
  return table;
}

TEST_F(CourseKernels, CombineIsItsTwin) {
  const std::vector<float> weights{0.8f, -0.3f, 0.5f};
  const std::vector<const float*> columns{normals[1].data(), normals[2].data(), normals[1].data() + 1};
  expect_twin<float>([&](auto out) { combine(weights, columns, out); },
                     [&](std::size_t i) {
                       float sum = weights[0] * columns[0][i];
                       for (std::size_t k = 1; k < 3; ++k) sum = sum + weights[k] * columns[k][i];
                       return sum;
                     });
}

TEST_F(CourseKernels, LookUpsAreTheirTwins) {
  const SingleTable table = table_of(k_normal_cells);
  const auto held = [](float ratio) { return ratio > 0 ? ratio : 0.0f; };
  const auto z = normals[0];
  expect_twin<float>(
      [&](auto out) {
        look_up(table, {arms.data(), 0}, z, out);
      },
      [&](std::size_t i) {
        return held(table(static_cast<std::size_t>(arms[i]), std::isnan(z[i]) ? -100.0f : z[i]));
      });
  expect_twin<float>(
      [&](auto out) {
        look_up(table, {nullptr, 2}, normals[1], out);
      },
      [&](std::size_t i) { return held(table(2, normals[1][i])); });
  const SingleTable shifted = table_of(k_log_odds_cells);
  const auto shift = normals[2];
  expect_twin<float>(
      [&](auto out) {
        look_up_shifted(shifted, {arms.data(), 0}, z, shift, out);
      },
      [&](std::size_t i) {
        return held(shifted(static_cast<std::size_t>(arms[i]),
                            normal_log_odds(std::isnan(z[i]) ? -100.0f : z[i]) - shift[i]));
      });
}

// The largest distance from the log odds in double precision, times p (1 - p): what it moves a rate by.
TEST(NormalLogOdds, MovesNoRate) {
  double moved = 0, farthest = 0;
  float before = -100;
  for (int k = -6500; k <= 6500; ++k) {
    const float z = static_cast<float>(k) * 0.001f;
    const double exact = math::log_odds_of_normal(static_cast<double>(z));
    const double error = std::abs(static_cast<double>(normal_log_odds(z)) - exact);
    const double p = math::logistic(exact);
    moved = std::max(moved, error * p * (1 - p));
    farthest = std::max(farthest, error);
    EXPECT_EQ(normal_log_odds(-z), -normal_log_odds(z));
    EXPECT_GT(normal_log_odds(z), before);
    before = normal_log_odds(z);
  }
  EXPECT_LT(moved, 5e-8);
  // The fit's 2.6e-5 at the ends, and four roundings of 24.
  EXPECT_LT(farthest, 2.6e-5 + 4 * 24 * 0x1p-24);
  EXPECT_GT(normal_log_odds(40), before);
  ::testing::Test::RecordProperty("moved", std::to_string(moved * 1e9) + "e-9");
}

TEST_F(CourseKernels, RaisesAsItsTwin) {
  base::AlignedVector<float> ratios(k_most);
  for (std::size_t i = 0; i < k_most; ++i) ratios[i] = i % 7 == 0 ? 0 : std::abs(normals[1][i]);
  expect_twin<float>(
      [&](auto out) {
        std::copy_n(ratios.begin(), out.size(), out.begin());
        raise(normals[2], out);
      },
      [&](std::size_t i) { return raise(normals[2][i], ratios[i]); });
  EXPECT_NEAR(raise(0.56f, 0.3f), std::pow(0.3, 0.56), 2e-7);
}

TEST_F(CourseKernels, ScoresAreTheGridsOwn) {
  const ScoreScale scale(10, 72);
  ASSERT_TRUE(scale.fits());
  base::AlignedVector<float> ratios(k_most);
  base::AlignedVector<double> baseline(k_most);
  for (std::size_t i = 0; i < k_most; ++i) {
    ratios[i] = std::abs(normals[1][i]);
    baseline[i] = static_cast<double>(160 + words[0][i] % 560) / 10;
  }
  const Grid grid(0.1);
  expect_twin<double>([&](auto out) { scores(scale, ratios, baseline, out); },
                      [&](std::size_t i) {
                        return grid.round(std::min(static_cast<double>(ratios[i]) * baseline[i], 72.0));
                      });
  // Every multiple is the decimal literal's double: k / per_unit, correctly rounded.
  for (const double per_unit : {1.0, 3.0, 10.0, 100.0, 7.0, 1000.0, 1024.0, 1048573.0})
    for (std::uint32_t k = 0; k < 60000000; k += k < 100000 ? 1 : 611) {
      const ScoreScale fine(per_unit, 60000000 / per_unit);
      ASSERT_TRUE(fine.fits());
      const double value =
          static_cast<double>(k) * fine.inverse_high() + static_cast<double>(k) * fine.inverse_low();
      ASSERT_EQ(value, static_cast<double>(k) / per_unit) << per_unit;
    }
  EXPECT_FALSE(ScoreScale(0, 72).fits());
  EXPECT_FALSE(ScoreScale(1e7, 72).fits());
}

TEST_F(CourseKernels, SurvivalCountsIntervals) {
  const std::vector<std::uint32_t> bounds{4000000000u, 3000000000u, 2000000000u,
                                          0xFFFFFFFFu, 0x80000000u, 1u,
                                          3500000000u, 3400000000u, 3300000000u};
  for (const std::size_t n_arms : {1, 3})
    for (const std::size_t n_intervals : {2, 3})
      expect_twin<int>(
          [&](auto out) {
            survive({std::span(bounds).first(3 * n_arms), 3, n_intervals}, words[0], arms.data(), out);
          },
          [&](std::size_t i) {
            const std::size_t arm = n_arms == 1 ? 0 : static_cast<std::size_t>(arms[i]);
            int n = 0;
            for (std::size_t j = 0; j < n_intervals; ++j) n += words[0][i] <= bounds[3 * arm + j];
            return n;
          });
}

TEST_F(CourseKernels, StateStepsAreTheirTwins) {
  const std::vector<float> intercepts{-2.1f, -1.0f, -3.5f};
  base::AlignedVector<float> start(k_most);
  rng::uniforms_of_words(words[0], start);
  expect_twin<float>([&](auto out) { exponentials(words[0], out); },
                     [&](std::size_t i) { return -math::log_float(start[i]); });
  base::AlignedVector<float> limits(k_most);
  odds_limits(words[0], limits);
  expect_twin<float>([&](auto out) { odds_limits(words[0], out); },
                     [&](std::size_t i) { return (1 - start[i]) / start[i]; });
  const auto arm_of = [&](std::size_t i) { return static_cast<std::size_t>(arms[i]); };
  for (const bool at_baseline : {false, true}) {
    const std::span<const float> previous = at_baseline ? std::span<const float>{} : normals[1];
    const auto ratio = [&](std::size_t i) { return at_baseline ? 1.0f : normals[1][i]; };
    base::AlignedVector<int> first(k_most, 9);
    for (const float periods : {1.0f, 2.0f, 1.5f, 8.0f}) {
      const Interval interval{4, periods, previous, arms.data()};
      const auto grown = [&](std::size_t i) {
        return odds_grown(start[i], intercepts[arm_of(i)], 2, ratio(i), periods);
      };
      expect_twin<float>(
          [&](auto out) {
            std::copy_n(start.begin(), out.size(), out.begin());
            step_odds({intercepts, 2}, interval, limits, out, std::span(first).first(out.size()));
          },
          grown);
      for (std::size_t i = 0; i < k_most; ++i) ASSERT_EQ(first[i], grown(i) >= limits[i] ? 4 : 9);
      std::fill(first.begin(), first.end(), 9);
    }
    expect_twin<float>(
        [&](auto out) {
          std::copy_n(start.begin(), out.size(), out.begin());
          step_hazard({intercepts, 1.5f}, {4, 1, previous, arms.data()}, out,
                      std::span(first).first(out.size()));
        },
        [&](std::size_t i) { return hazard_left(start[i], intercepts[arm_of(i)], 1.5f, ratio(i)); });
    for (std::size_t i = 0; i < k_most; ++i)
      ASSERT_EQ(first[i], hazard_left(start[i], intercepts[arm_of(i)], 1.5f, ratio(i)) <= 0 ? 4 : 9);
  }
}

TEST_F(CourseKernels, ObservationTakesTheTierInForce) {
  std::vector<int> rescued(k_most), gone(k_most);
  for (std::size_t i = 0; i < k_most; ++i) {
    rescued[i] = static_cast<int>(words[0][i] / 3 % 6);
    gone[i] = static_cast<int>(words[0][i] / 18 % 6);
  }
  const std::vector<float> multipliers{0.7f, 0.45f, 0.2f};
  expect_twin<float>(
      [&](auto out) {
        observe({rescued.data(), gone.data(), arms.data(), multipliers}, 3, normals[1], out);
      },
      [&](std::size_t i) {
        const bool is_rescued = rescued[i] <= 3 && rescued[i] <= gone[i];
        return is_rescued ? normals[1][i] * multipliers[static_cast<std::size_t>(arms[i])]
                          : normals[1][i];
      });
  expect_twin<float>(
      [&](auto out) {
        observe({rescued.data(), nullptr, nullptr, std::span(multipliers).first(1)}, 3, normals[1],
                out);
      },
      [&](std::size_t i) { return rescued[i] <= 3 ? normals[1][i] * 0.7f : normals[1][i]; });
}

TEST(SingleTable, FollowsItsFunction) {
  const SingleTable table = table_of(k_normal_cells);
  const double laws[] = {0.5, 1.0, 2.0};
  for (std::size_t law = 0; law < 3; ++law)
    for (float z = -6.5f; z < 6.5f; z += 0.00137f) {
      const double exact = 1.5 * std::pow(math::normal_cdf(z), 1 / laws[law]) - 0.01;
      ASSERT_NEAR(table(law, z), exact, 2e-8 + 1e-7 * std::abs(exact)) << z;
    }
}

}  // namespace
}  // namespace trialwright::patient
