// The laws of recruitment against closed forms and, with caps, against a simulation of the screened
// patients one by one. Chi-square tests fail a right program with probability 1e-4; n is chosen so that
// a mean off by 2%, or a cell off by a tenth of its probability, is found with power above 0.99.
#include "patient/recruitment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/exponential.hpp>
#include <boost/math/distributions/gamma.hpp>
#include <boost/math/distributions/negative_binomial.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "base/calendar.hpp"
#include "input/document.hpp"
#include "patient/recruitment_kernels.hpp"
#include "support/vector_targets.hpp"
#include "unit/patient/study.hpp"
#include "unit/rng/chi_square.hpp"

namespace trialwright::patient::testing {
namespace {

using test::chi_square_p_value;
using test::k_false_alarm_rate;

constexpr rng::Key k_key = rng::key_from_seed(20261123);

// The section `recruitment` of a study that says nothing else.
Recruitment read_recruitment(const std::string& section) {
  input::Diagnostics faults;
  auto document = input::parse_document("recruitment: " + section + "\n", "test", library(""), faults);
  input::Node resolved;
  input::Reader reader(document.root, "", faults, resolved);
  auto recruitment = Recruitment::read(reader);
  EXPECT_TRUE(faults.empty()) << faults.faults().front().problem;
  return recruitment;
}

// Counts in cells of equal probability under `cdf`.
class Cells {
 public:
  explicit Cells(std::size_t n) : counts_(n) {}
  void add(double probability_below) {
    const auto cell = static_cast<std::size_t>(probability_below * static_cast<double>(counts_.size()));
    ++counts_[std::min(cell, counts_.size() - 1)];
  }
  double p_value() const { return chi_square_p_value(counts_); }

 private:
  std::vector<std::uint64_t> counts_;
};

Cohort cohort_of(const Recruitment& recruitment, int n) {
  Cohort cohort;
  cohort.n_patients = n;
  recruitment.prepare(n, n, cohort);
  return cohort;
}

// Two regions that open at months 1 and 4, with 2 and 3 sites at 1.5 and 4 screened a month, 20% of
// them failing: operational time is 2.4 (t - 1) and from month 4 on 9.6 (t - 4) more.
constexpr char k_two_regions[] =
    "{screen_failure: 0.2, screening_weeks: 0, regions: {a: {sites: 2, startup_months: {mean: 1}, "
    "screened_per_site_month: {mean: 1.5}}, b: {sites: 3, startup_months: {mean: 4}, "
    "screened_per_site_month: {mean: 4}}}}";

double operational(double month) {
  return 2.4 * std::max(month - 1, 0.0) + 9.6 * std::max(month - 4, 0.0);
}

TEST(RecruitmentLaw, OperationalTimesAreSumsOfExponentials) {
  const auto recruitment = read_recruitment(k_two_regions);
  constexpr int n = 30, n_trials = 20000;
  auto cohort = cohort_of(recruitment, n);
  Cells first(20), waiting(20), last(20);
  for (std::uint64_t trial = 0; trial < n_trials; ++trial) {
    recruitment.enrol(k_key, trial, cohort);
    const auto& months = cohort.randomised_months;
    first.add(boost::math::cdf(boost::math::exponential(1), operational(months[0])));
    waiting.add(
        boost::math::cdf(boost::math::exponential(1), operational(months[9]) - operational(months[8])));
    last.add(boost::math::cdf(boost::math::gamma_distribution<>(n), operational(months[n - 1])));
  }
  EXPECT_GT(first.p_value(), k_false_alarm_rate);
  EXPECT_GT(waiting.p_value(), k_false_alarm_rate);
  EXPECT_GT(last.p_value(), k_false_alarm_rate);
}

TEST(RecruitmentLaw, SitesComeByTheirRatesAmongThoseOpen) {
  const auto recruitment = read_recruitment(k_two_regions);
  constexpr int n = 30;
  auto cohort = cohort_of(recruitment, n);
  std::vector<std::uint64_t> early(2), late(5);
  for (std::uint64_t trial = 0; trial < 10000; ++trial) {
    recruitment.enrol(k_key, trial, cohort);
    for (std::size_t i = 0; i < n; ++i) {
      const auto site = static_cast<std::size_t>(cohort.site[i]);
      ASSERT_EQ(cohort.region[i], site < 2 ? 0 : 1);
      if (cohort.randomised_months[i] < 4) {
        ASSERT_LT(site, 2u);
        ++early[site];
      } else {
        ++late[site];
      }
    }
  }
  EXPECT_GT(chi_square_p_value(early), k_false_alarm_rate);
  EXPECT_GT(chi_square_p_value(late, {0.1, 0.1, 4.0 / 15, 4.0 / 15, 4.0 / 15}), k_false_alarm_rate);
}

// The failures before patient n are negative binomial, and go with the time it took: covariance n
// q/(1-q).
TEST(RecruitmentLaw, ScreenedAreNegativeBinomialAndGoWithTheTime) {
  const auto recruitment = read_recruitment(k_two_regions);
  constexpr int n = 30, n_trials = 40000;
  auto cohort = cohort_of(recruitment, n);
  const boost::math::negative_binomial law(n, 0.8);
  std::vector<double> probabilities;
  for (int k = 0; k < 20; ++k) probabilities.push_back(boost::math::pdf(law, k));
  probabilities.push_back(boost::math::cdf(boost::math::complement(law, 19)));
  std::vector<std::uint64_t> counts(probabilities.size());
  double products = 0;
  for (std::uint64_t trial = 0; trial < n_trials; ++trial) {
    recruitment.enrol(k_key, trial, cohort);
    const int failures = cohort.n_screened - n;
    ASSERT_GE(failures, 0);
    ++counts[static_cast<std::size_t>(std::min(failures, 20))];
    products += (failures - n * 0.25) * (operational(cohort.randomised_months[n - 1]) - n);
  }
  EXPECT_GT(chi_square_p_value(counts, probabilities), k_false_alarm_rate);
  // The product's standard deviation is about that of two variables of variances 37.5 / 4 and 30.
  EXPECT_NEAR(products / n_trials, n * 0.25, 3.9 * std::sqrt(30 * 9.4 * 1.3 / n_trials));
}

// A single site whose rate is gamma: its first wait is a Lomax (Pareto II) variable.
TEST(RecruitmentLaw, RatesAreGamma) {
  for (const double shape : {0.3, 1.5, 8.0}) {
    const auto recruitment = read_recruitment(
        "{screen_failure: 0.5, regions: {a: {sites: 1, startup_months: {mean: 3}, "
        "screened_per_site_month: {mean: 2, shape: " +
        std::to_string(shape) + "}}}}");
    auto cohort = cohort_of(recruitment, 1);
    Cells cells(20);
    for (std::uint64_t trial = 0; trial < 20000; ++trial) {
      recruitment.enrol(k_key, trial, cohort);
      cells.add(1 - std::pow(1 + (cohort.randomised_months[0] - 3) / shape, -shape));
    }
    EXPECT_GT(cells.p_value(), k_false_alarm_rate) << shape;
  }
}

// At a million patients a month the first comes when the site opens.
TEST(RecruitmentLaw, OpeningsAreGamma) {
  for (const double sd : {0.01, 1.0, 3.0}) {
    const auto recruitment = read_recruitment(
        "{regions: {a: {sites: 1, startup_months: {mean: 2.5, sd: " + std::to_string(sd) +
        "}, screened_per_site_month: {mean: 1000000}}}}");
    auto cohort = cohort_of(recruitment, 1);
    const double shape = 2.5 * 2.5 / (sd * sd);
    const boost::math::gamma_distribution<> law(shape, 2.5 / shape);
    Cells cells(20);
    for (std::uint64_t trial = 0; trial < 20000; ++trial) {
      recruitment.enrol(k_key, trial, cohort);
      cells.add(boost::math::cdf(law, std::max(cohort.randomised_months[0] - 1e-6, 0.0)));
    }
    EXPECT_GT(cells.p_value(), k_false_alarm_rate) << sd;
  }
}

// Screens one patient after another, as sites fill: the model as it is told, by the standard library's
// draws.
struct Independent {
  std::mt19937_64 random{7};
  double last_month = 0;
  int n_screened = 0;
  std::vector<int> by_site;

  double exponential(double rate) { return std::exponential_distribution<>(rate)(random); }

  // Two sites open from month 0 at 3 a month, one from month 2 at 5; at most 6 patients each.
  void run(int n) {
    double month = 0;
    by_site.assign(3, 0);
    n_screened = 0;
    for (int patient = 0; patient < n;) {
      double rates[3], total = 0;
      for (int site = 0; site < 3; ++site) {
        const bool open = by_site[static_cast<std::size_t>(site)] < 6 && (site < 2 || month >= 2);
        total += rates[site] = open ? (site < 2 ? 3 : 5) : 0;
      }
      const double wait = total > 0 ? exponential(total) : INFINITY;
      if (month < 2 && month + wait >= 2) {
        month = 2;
        continue;
      }
      month += wait;
      ++n_screened;
      if (std::bernoulli_distribution(0.3)(random)) continue;
      const int site = std::discrete_distribution<int>(rates, rates + 3)(random);
      ++by_site[static_cast<std::size_t>(site)];
      ++patient;
    }
    last_month = month;
  }
};

TEST(RecruitmentLaw, CapsActAsOnScreenedPatientsOneByOne) {
  const auto recruitment = read_recruitment(
      "{screen_failure: 0.3, screening_weeks: 0, regions: {a: {sites: 2, screened_per_site_month: "
      "{mean: 3}, maximum_patients_per_site: 6}, b: {sites: 1, startup_months: {mean: 2}, "
      "screened_per_site_month: {mean: 5}, maximum_patients: 6}}}");
  constexpr int n = 16, n_trials = 40000;
  ASSERT_EQ(recruitment.capacity(), 18);
  auto cohort = cohort_of(recruitment, n);
  Independent other;
  // Sums and sums of squares of the differences' parts: month, its square, screened, patients in site
  // 3.
  double sums[2][4] = {}, squares[2][4] = {};
  for (std::uint64_t trial = 0; trial < n_trials; ++trial) {
    recruitment.enrol(k_key, trial, cohort);
    other.run(n);
    std::vector<int> by_site(3);
    for (std::size_t i = 0; i < n; ++i) ++by_site[static_cast<std::size_t>(cohort.site[i])];
    for (const int in_site : by_site) ASSERT_LE(in_site, 6);
    const double month = cohort.randomised_months[n - 1];
    const double facts[2][4] = {{month, month * month, 1.0 * cohort.n_screened, 1.0 * by_site[2]},
                                {other.last_month, other.last_month * other.last_month,
                                 1.0 * other.n_screened, 1.0 * other.by_site[2]}};
    for (int which = 0; which < 2; ++which)
      for (int fact = 0; fact < 4; ++fact) {
        sums[which][fact] += facts[which][fact];
        squares[which][fact] += facts[which][fact] * facts[which][fact];
      }
  }
  for (int fact = 0; fact < 4; ++fact) {
    double variance = 0, mean[2];
    for (int which = 0; which < 2; ++which) {
      mean[which] = sums[which][fact] / n_trials;
      variance += (squares[which][fact] / n_trials - mean[which] * mean[which]) / n_trials;
    }
    EXPECT_NEAR(mean[0], mean[1], 3.9 * std::sqrt(variance)) << fact;  // two-sided 1e-4
  }
}

std::string two_regions(const std::string& korea, const std::string& rest) {
  return "{regions: {korea: {sites: 6, screened_per_site_month: {mean: 4}" + korea +
         "}, rest: {sites: 3, startup_months: {mean: 3, sd: 1}, screened_per_site_month: {mean: 1}" +
         rest + "}}}";
}

TEST(RegionShares, TellTheLargestTrialThatTheyFill) {
  const auto capacity = [](const std::string& korea, const std::string& rest) {
    return read_recruitment(two_regions(korea, rest)).capacity();
  };
  constexpr auto k_unlimited = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(capacity(", maximum_share: 0.4", ", maximum_share: 0.6"), k_unlimited);
  EXPECT_EQ(capacity(", maximum_share: 0.4", ""), k_unlimited);
  EXPECT_EQ(capacity(", maximum_share: 0.4", ", maximum_patients: 60"), 100);
  EXPECT_EQ(capacity(", maximum_share: 0.4", ", maximum_share: 0.8, maximum_patients_per_site: 25"),
            125);
  EXPECT_EQ(capacity(", maximum_patients_per_site: 3", ", maximum_patients: 10"), 28);
}

// 412 patients at 40% are 165 at most, 60% of them 248: a share is the number that it rounds up to.
TEST(RegionShares, AreTheNumbersTheyRoundUpTo) {
  const auto by_share = read_recruitment(two_regions(", maximum_share: 0.4", ", maximum_share: 0.6"));
  const auto by_number =
      read_recruitment(two_regions(", maximum_patients: 165", ", maximum_patients: 248"));
  auto one = cohort_of(by_share, 412), other = cohort_of(by_number, 412);
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    by_share.enrol(k_key, trial, one);
    by_number.enrol(k_key, trial, other);
    ASSERT_EQ(one.site, other.site);
    ASSERT_EQ(one.randomised_months, other.randomised_months);
    ASSERT_EQ(std::count(one.region.begin(), one.region.end(), 0), 165);
  }
  // 0.07 * 100 is a little above 7 in binary numbers, and means 7.
  const auto exact = read_recruitment(two_regions(", maximum_share: 0.07", ""));
  auto hundred = cohort_of(exact, 100);
  exact.enrol(k_key, 0, hundred);
  EXPECT_EQ(std::count(hundred.region.begin(), hundred.region.end(), 0), 7);
}

TEST(RegionShares, AreOfThoseEnrolledBeyondThePatientsPlanned) {
  const auto recruitment =
      read_recruitment(two_regions(", maximum_share: 0.4", ", maximum_share: 0.6"));
  constexpr int n = 301, n_planned = 150;
  Cohort cohort;
  cohort.n_patients = n;
  recruitment.prepare(n, n_planned, cohort);
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    recruitment.enrol(k_key, trial, cohort);
    int in_korea = 0;
    for (int i = 0; i < n; ++i) {
      in_korea += cohort.region[static_cast<std::size_t>(i)] == 0 ? 1 : 0;
      const int enrolled = i + 1;
      // Korea is fast: in the first months it takes the whole of its share.
      if (enrolled == 75) ASSERT_GE(in_korea, 50);
      if (enrolled <= n_planned) ASSERT_LE(in_korea, 60);
      if (enrolled < n_planned) continue;
      ASSERT_LE(in_korea, (4 * enrolled + 9) / 10);
      ASSERT_LE(enrolled - in_korea, (6 * enrolled + 9) / 10);
    }
  }
}

TEST(Recruitment, APatientHangsOnNoLaterOnesAndTheCalendarOnNoSites) {
  const auto recruitment = read_recruitment(
      "{screen_failure: 0.22, regions: {a: {sites: 15, startup_months: {mean: 2.5, sd: 1}, "
      "screened_per_site_month: {mean: 0.46, shape: 1.5}}}}");
  auto many = cohort_of(recruitment, 301), few = cohort_of(recruitment, 70);
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    recruitment.enrol(k_key, trial, many);
    recruitment.enrol(k_key, trial, few);
    for (std::size_t i = 0; i < 70; ++i) {
      ASSERT_EQ(few.randomised_months[i], many.randomised_months[i]);
      ASSERT_EQ(few.site[i], many.site[i]);
    }
    for (std::size_t i = 1; i < 301; ++i)
      ASSERT_GE(many.randomised_months[i], many.randomised_months[i - 1]);
    const auto months = many.randomised_months;
    const int n_screened = many.n_screened;
    recruitment.enrol(k_key, trial, many, Recruitment::Extent::calendar);
    ASSERT_EQ(months, many.randomised_months);
    ASSERT_EQ(n_screened, many.n_screened);
  }
}

TEST(RecruitmentKernels, EveryTargetGivesTheTwinsBits) {
  std::mt19937 random(5);
  for (const std::size_t n : {1, 3, 4, 15, 16, 17, 64, 301}) {
    std::vector<std::uint32_t> words(n);
    for (auto& word : words) word = static_cast<std::uint32_t>(random());
    words[0] = 0;
    words[n - 1] = 0xFFFFFFFF;
    for (const std::size_t n_sites : {1, 2, 15, 64, 65, 500}) {
      std::vector<float> sums;
      // Every third site adds nothing.
      for (std::size_t site = 0; site < n_sites; ++site)
        sums.push_back((sums.empty() ? 0 : sums.back()) +
                       (site % 3 == 1 ? 0 : 1 + static_cast<float>(random() % 1000) / 7));
      std::vector<float> rates(n);
      for (float& rate : rates) rate = sums[random() % n_sites];
      test::for_each_target([&] {
        std::vector<float> waitings(n);
        std::vector<int> sites(n);
        waitings_of_words(words, waitings);
        site_places_of_words(words, rates, sums, sites);
        for (std::size_t i = 0; i < n; ++i) {
          ASSERT_EQ(waitings[i], waiting_of_word(words[i]));
          ASSERT_EQ(sites[i], site_place_of_word(words[i], rates[i], sums));
          ASSERT_GE(waitings[i], 0);
          const auto site = static_cast<std::size_t>(sites[i]);
          ASSERT_LE(sums[site], rates[i]);
          ASSERT_TRUE(site == 0 || sums[site] > sums[site - 1]);
        }
      });
    }
  }
}

TEST(Recruitment, KnowsTheFirstPossibleMonth) {
  EXPECT_EQ(read_recruitment(k_two_regions).first_possible_month(), 1);
  // Where openings vary, a site may open at once.
  const auto varying = read_recruitment(
      "{screening_weeks: 2, regions: {a: {sites: 2, startup_months: {mean: 3, sd: 1}, "
      "screened_per_site_month: {mean: 1}}}}");
  EXPECT_EQ(varying.first_possible_month(), 2 / base::k_weeks_per_month);
}

}  // namespace
}  // namespace trialwright::patient::testing
