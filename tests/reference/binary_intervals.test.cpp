// Intervals, score tests and exact p-values of two rates, against binary_intervals.csv (families CI2
// RD, 2x2 tests, FM NI test and stratified MN of intervals_multiplicity.R: base R, ratesci 1.0.0,
// exact2x2 1.7.0, Exact 3.3) and binary_misc.csv (mi_misc.R: Boschloo p by 2001-point grid and
// optimize; exact power of CMH by convolution).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "analysis/binary_test.hpp"
#include "analysis/binomial.hpp"
#include "analysis/estimate.hpp"
#include "support/csv_rows.hpp"

namespace trialwright::analysis {
namespace {

TwoByTwo table_of(const std::string& text) {
  TwoByTwo table;
  EXPECT_EQ(std::sscanf(text.c_str(), "%d/%d vs %d/%d", &table.responders_1, &table.n_1,
                        &table.responders_0, &table.n_0),
            4);
  return table;
}

TestResult run(Method method, Sides sides, const TwoByTwo& table, double margin = 0.0,
               Direction direction = Direction::higher_is_better) {
  return test({method, sides, 0.025, margin, direction}, {&table, 1});
}

// The bounds printed carry 12 digits; R's root finders were run to 1e-14 and ratesci's to 11 digits.
TEST(BinaryIntervals, RiskDifferenceIntervalsAgree) {
  int n_compared = 0;
  for (const auto& row : support::csv_rows("tests/reference/binary_intervals.csv")) {
    if (row.at("family") != "CI2 RD") continue;
    const std::string& quantity = row.at("quantity");
    IntervalMethod method = IntervalMethod::wald;
    if (quantity.starts_with("Newcombe")) {
      method = IntervalMethod::newcombe;
    } else if (quantity.starts_with("Miettinen") || quantity.starts_with("MN")) {
      method = IntervalMethod::miettinen_nurminen;
    } else if (!quantity.starts_with("Wald")) {
      continue;
    }
    const auto result = Estimator(EffectMeasure::risk_difference, method, 0.95,
                                  Stratification::none)(table_of(row.at("case")));
    const double expected = std::stod(row.at("value"));
    EXPECT_NEAR(quantity.ends_with("lower") ? result.lower : result.upper, expected, 1e-8)
        << row.at("case") << " " << quantity;
    ++n_compared;
  }
  EXPECT_EQ(n_compared, 16);
}

TEST(BinaryIntervals, PValuesAgree) {
  int n_compared = 0;
  for (const auto& row : support::csv_rows("tests/reference/binary_intervals.csv")) {
    if (row.at("family") != "2x2 tests") continue;
    const TwoByTwo table = table_of(row.at("case"));
    const std::string& quantity = row.at("quantity");
    const auto compare = [&](Method method, Sides sides, double tolerance) {
      EXPECT_NEAR(run(method, sides, table).p_value, std::stod(row.at("value")), tolerance)
          << row.at("case") << " " << quantity;
      ++n_compared;
    };
    if (quantity == "Fisher two-sided p") compare(Method::fisher, Sides::two, 1e-10);
    if (quantity == "Fisher one-sided greater p") compare(Method::fisher, Sides::one, 1e-10);
    if (quantity == "chisq no cc p") compare(Method::chi_square, Sides::two, 1e-10);
    if (quantity == "chisq Yates p") compare(Method::chi_square_yates, Sides::two, 1e-10);
    if (quantity == "Boschloo one-sided greater p (Exact)")
      compare(Method::boschloo, Sides::one, 1e-10);
  }
  EXPECT_EQ(n_compared, 15);
}

TEST(BinaryIntervals, BoschlooPValuesAgreeWithTheSecondSource) {
  int n_compared = 0;
  for (const auto& row : support::csv_rows("tests/reference/binary_misc.csv")) {
    if (row.at("family") != "Boschloo") continue;
    const double expected = std::stod(row.at("value"));
    EXPECT_NEAR(run(Method::boschloo, Sides::one, table_of(row.at("case"))).p_value, expected,
                1e-9 * expected + 1e-12)
        << row.at("case");
    ++n_compared;
  }
  EXPECT_EQ(n_compared, 6);
}

TEST(BinaryIntervals, FarringtonManningScoresAgree) {
  int n_compared = 0;
  for (const auto& row : support::csv_rows("tests/reference/binary_intervals.csv")) {
    if (row.at("family") != "FM NI test") continue;
    double margin = 0.0;
    ASSERT_EQ(std::sscanf(row.at("quantity").c_str(), "z for H0: p1-p2>=%lf", &margin), 1);
    const auto result = run(Method::farrington_manning, Sides::one, table_of(row.at("case")), margin,
                            Direction::lower_is_better);
    EXPECT_NEAR(-result.statistic, std::stod(row.at("value")), 1e-8) << row.at("case");
    ++n_compared;
  }
  EXPECT_EQ(n_compared, 10);
}

std::vector<TwoByTwo> binary_300_by(const std::string& column) {
  std::map<std::string, TwoByTwo> strata;
  for (const auto& row : support::csv_rows("tests/reference/binary_300.csv")) {
    TwoByTwo& table = strata[row.at(column)];
    const int responds = std::stoi(row.at("resp"));
    const bool treatment = row.at("arm") == "1";
    (treatment ? table.n_1 : table.n_0) += 1;
    (treatment ? table.responders_1 : table.responders_0) += responds;
  }
  std::vector<TwoByTwo> tables;
  for (const auto& [name, table] : strata) tables.push_back(table);
  return tables;
}

// model_fits.csv: R's mantelhaen.test without correction, and the risk difference
// by data_models.R's own code.
TEST(BinaryCmh, AgreesWithModelFits) {
  const auto by_site = binary_300_by("site");
  const auto by_severe = binary_300_by("severe");
  int n_compared = 0;
  for (const auto& row : support::csv_rows("tests/reference/cmh.csv")) {
    const std::string& model = row.at("model");
    const std::string& quantity = row.at("quantity");
    const double expected = std::stod(row.at("value"));
    const auto& strata = model.find("severe") != std::string::npos ? by_severe : by_site;
    const auto result = test({Method::cmh, Sides::two, 0.05, 0.0, Direction::higher_is_better}, strata);
    const auto odds = estimate(EffectMeasure::odds_ratio, IntervalMethod::wald, 0.95, strata);
    const auto difference =
        estimate(EffectMeasure::risk_difference, IntervalMethod::wald, 0.95, strata);
    if (model.find("correct= TRUE") != std::string::npos) continue;
    const auto compare = [&](double value) {
      EXPECT_NEAR(value, expected, 1e-10) << model << " " << quantity;
      ++n_compared;
    };
    if (quantity == "chisq") compare(result.statistic * result.statistic);
    if (quantity == "p2") compare(result.p_value);
    if (quantity == "MH common OR") compare(odds.value);
    if (quantity == "OR lower (RBG)") compare(odds.lower);
    if (quantity == "OR upper (RBG)") compare(odds.upper);
    if (quantity == "RD") compare(difference.value);
    if (quantity == "se Sato") compare(difference.standard_error);
  }
  EXPECT_EQ(n_compared, 7);
}

TEST(BinaryCmh, StratifiedScoreIntervalAgreesWithRatesci) {
  const auto result = estimate(EffectMeasure::risk_difference, IntervalMethod::miettinen_nurminen, 0.95,
                               binary_300_by("site"));
  int n_compared = 0;
  for (const auto& row : support::csv_rows("tests/reference/binary_intervals.csv")) {
    if (row.at("case") != "binary_300 by site, weighting MH") continue;
    const double expected = std::stod(row.at("value"));
    const auto compare = [&](double value) {
      EXPECT_NEAR(value, expected, 1e-10) << row.at("quantity");
      ++n_compared;
    };
    if (row.at("quantity") == "lower") compare(result.lower);
    if (row.at("quantity") == "est") compare(result.value);
    if (row.at("quantity") == "upper") compare(result.upper);
  }
  EXPECT_EQ(n_compared, 3);
}

std::vector<double> numbers_after(const std::string& text, const std::string& label) {
  std::vector<double> numbers;
  std::istringstream in(text.substr(text.find(label) + label.size()));
  std::string part;
  std::getline(in, part, ' ');
  std::istringstream list(part);
  while (std::getline(list, part, '|')) numbers.push_back(std::stod(part));
  return numbers;
}

// Every table of two strata through the runtime test: exact power of CMH, 3e6 table pairs or fewer
// after tables less probable than 1e-9 are left out (which moves the sum by less than 3e-6).
TEST(BinaryCmh, PowerByEnumerationAgrees) {
  const BinaryTest cmh({Method::cmh, Sides::one, 0.025, 0.0, Direction::higher_is_better});
  BinaryTest::Cache cache;
  int n_compared = 0;
  for (const auto& row : support::csv_rows("tests/reference/binary_misc.csv")) {
    if (row.at("family") != "CMH power" || !row.at("quantity").starts_with("one-sided")) continue;
    const auto n = numbers_after(row.at("case"), "n/arm=");
    if (n[0] > 50) continue;
    const auto p_1 = numbers_after(row.at("case"), "p1="), p_0 = numbers_after(row.at("case"), "p0=");
    struct Weighted {
      TwoByTwo table;
      double probability;
    };
    std::vector<std::vector<Weighted>> strata(2);
    for (std::size_t k = 0; k < 2; ++k) {
      const int size = static_cast<int>(n[k]);
      std::vector<double> treatment(static_cast<std::size_t>(size) + 1), control(treatment.size());
      binomial_probabilities(size, p_1[k], treatment);
      binomial_probabilities(size, p_0[k], control);
      for (int x_1 = 0; x_1 <= size; ++x_1)
        for (int x_0 = 0; x_0 <= size; ++x_0) {
          const double probability =
              treatment[static_cast<std::size_t>(x_1)] * control[static_cast<std::size_t>(x_0)];
          if (probability > 1e-16) strata[k].push_back({{x_1, size, x_0, size}, probability});
        }
    }
    double power = 0.0;
    for (const auto& first : strata[0])
      for (const auto& second : strata[1]) {
        const TwoByTwo both[] = {first.table, second.table};
        if (cmh.reject(both, cache)) power += first.probability * second.probability;
      }
    EXPECT_NEAR(power, std::stod(row.at("value")), 1e-10) << row.at("case");
    ++n_compared;
  }
  EXPECT_EQ(n_compared, 1);
}

// DOMAIN.md section 8 (a): published counts to published statistics, as printed.
TEST(BinaryPublished, ChinaDupilumabWaldIntervals) {
  const Estimator wald(EffectMeasure::risk_difference, IntervalMethod::wald, 0.95,
                       Stratification::none);
  const auto iga = wald({22, 82, 4, 83});
  EXPECT_NEAR(iga.value, 0.220, 5e-4);
  EXPECT_NEAR(iga.lower, 0.1137, 5e-5);
  EXPECT_NEAR(iga.upper, 0.3265, 5e-5);
  const auto easi75 = wald({47, 82, 12, 83});
  EXPECT_NEAR(easi75.value, 0.429, 5e-4);
  EXPECT_NEAR(easi75.lower, 0.2975, 5e-5);
  EXPECT_NEAR(easi75.upper, 0.5597, 5e-5);
}

TEST(BinaryPublished, Shr0302NinetyPercentWaldAndChiSquare) {
  const Estimator wald(EffectMeasure::risk_difference, IntervalMethod::wald, 0.90,
                       Stratification::none);
  const auto p_value = [](const TwoByTwo& table) {
    return run(Method::chi_square, Sides::two, table).p_value;
  };
  const auto iga_4 = wald({9, 35, 2, 35});
  EXPECT_NEAR(iga_4.lower, 0.062, 5e-4);
  EXPECT_NEAR(iga_4.upper, 0.338, 5e-4);
  const auto easi50 = wald({24, 35, 15, 35});
  // Printed as 6.9; 9/35 - 1.644854 * sqrt(564 / 35^3) is 6.849, so the paper rounded on the way.
  EXPECT_NEAR(easi50.lower, 0.06849, 5e-6);
  EXPECT_NEAR(easi50.upper, 0.446, 5e-4);
  const auto iga_8 = wald({19, 35, 2, 35});
  EXPECT_NEAR(iga_8.lower, 0.333, 5e-4);
  EXPECT_NEAR(iga_8.upper, 0.639, 5e-4);
  EXPECT_NEAR(p_value({9, 35, 2, 35}), 0.022, 5e-4);
  EXPECT_NEAR(p_value({24, 35, 15, 35}), 0.030, 5e-4);
  EXPECT_NEAR(p_value({18, 35, 8, 35}), 0.013, 5e-4);
  EXPECT_NEAR(p_value({11, 35, 3, 35}), 0.017, 5e-4);
}

TEST(BinaryPublished, HcmscPhase2AndPhase1) {
  const auto p_value = [](const TwoByTwo& table) {
    return run(Method::chi_square, Sides::two, table).p_value;
  };
  EXPECT_NEAR(p_value({19, 33, 11, 34}), 0.038, 5e-4);
  EXPECT_NEAR(p_value({8, 33, 2, 34}), 0.0350, 5e-5);
  EXPECT_NEAR(p_value({7, 10, 6, 9}), 0.9, 0.05);
  EXPECT_NEAR(p_value({10, 36, 8, 36}), 0.586, 5e-4);
}

}  // namespace
}  // namespace trialwright::analysis
