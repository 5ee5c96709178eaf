#include "patient/intercurrent_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "math/elementary.hpp"

namespace trialwright::patient {

namespace {

constexpr input::Bounds k_before_visit{0, 1000, false, false, "weeks"};
// Far beyond any trial's.
constexpr input::Bounds k_log_odds{-20, 20, false, false, "a log odds"};
constexpr input::Bounds k_log_hazard_ratio{-20, 20, false, false, "a log hazard ratio"};
constexpr input::Bounds k_slope{-50, 50, false, false, "a slope"};
constexpr input::Bounds k_ratio_reference{0, 10, false, false, "a ratio to baseline"};
constexpr input::Bounds k_ratio_multiplier{0, 1, false, false, "a multiplier of the ratio"};
constexpr input::Bounds k_weekly_rate{0, 10, false, false, "a rate per week"};

std::vector<double> by_arm(input::Reader& reader, const char* key, const std::vector<Arm>& arms,
                           const input::Bounds& bounds) {
  std::vector<double> result(arms.size(), 0.0);
  const auto values = reader.number_by_name(key, names_of(arms), "arm", bounds, false);
  for (std::size_t arm = 0; arm < values.size(); ++arm) result[arm] = values[arm].value_or(0);
  return result;
}

double read_weeks_before(input::Reader& reader, const std::vector<double>& visit_weeks) {
  const double weeks = reader.number("weeks_before_visit", k_before_visit, 0.5);
  double previous = 0;
  for (const double visit : visit_weeks) {
    if (visit - weeks <= previous) {
      reader.fault(
          "weeks_before_visit",
          fmt::format("the event must fall between two visits (visits are as near as {:g} weeks)",
                      visit - previous));
      break;
    }
    previous = visit;
  }
  return weeks;
}

Rescue read_rescue(input::Reader& reader, const std::vector<Arm>& arms,
                   const std::vector<double>& visit_weeks) {
  Rescue rescue;
  rescue.log_odds = reader.number("log_odds_per_2_weeks", k_log_odds);
  rescue.slope = reader.number("log_odds_slope", k_slope, 0.0);
  rescue.ratio_reference = reader.number("ratio_reference", k_ratio_reference, 0.8);
  rescue.weeks_before_visit = read_weeks_before(reader, visit_weeks);
  rescue.first_week = reader.number("first_week", input::k_non_negative, 0.0);
  rescue.escalation = reader.number("escalation_per_2_weeks", input::k_probability, 0.0);
  rescue.arm_log_odds = by_arm(reader, "arm_log_odds", arms, k_log_odds);
  const std::size_t n_faults = reader.faults().size();
  double total = 0;
  for (auto& [name, tier] : reader.named("tiers")) {
    const double probability = tier.number("probability", input::k_probability);
    rescue.tiers.push_back({name, probability, tier.number("ratio_multiplier", k_ratio_multiplier)});
    total += probability;
  }
  if (reader.faults().size() == n_faults && std::abs(total - 1) > 1e-9)
    reader.fault("tiers",
                 fmt::format("the tiers' probabilities sum to {:.12g} (they must sum to 1)", total));
  return rescue;
}

}  // namespace

IntercurrentEvents IntercurrentEvents::read(input::Reader& study, const std::vector<Arm>& arms,
                                            const std::vector<double>& visit_weeks) {
  IntercurrentEvents events;
  auto section = study.optional_map("intercurrent_events");
  if (!section) return events;
  if (auto reader = section->optional_map("rescue"))
    events.rescue = read_rescue(*reader, arms, visit_weeks);
  if (auto reader = section->optional_map("dropout")) {
    Dropout dropout;
    dropout.rate_per_week = reader->number("rate_per_week", k_weekly_rate);
    dropout.slope = reader->number("log_slope", k_slope, 0.0);
    dropout.ratio_reference = reader->number("ratio_reference", k_ratio_reference, 0.8);
    dropout.weeks_before_visit = read_weeks_before(*reader, visit_weeks);
    dropout.arm_log_hazard = by_arm(*reader, "arm_log_hazard", arms, k_log_hazard_ratio);
    events.dropout = dropout;
  }
  if (auto reader = section->optional_map("discontinuation")) {
    Discontinuation stop;
    stop.rate_per_week = reader->number("rate_per_week", k_weekly_rate);
    stop.after_grade_3_event = reader->number("after_grade_3_event", input::k_probability, 0.0);
    events.discontinuation = stop;
  }
  return events;
}

bool IntercurrentEvents::are_same_in_all_arms() const {
  const auto constant = [](const std::vector<double>& x) {
    return std::adjacent_find(x.begin(), x.end(), std::not_equal_to<>()) == x.end();
  };
  return (!rescue || constant(rescue->arm_log_odds)) && (!dropout || constant(dropout->arm_log_hazard));
}

IntercurrentProcess::IntercurrentProcess(const IntercurrentEvents& events,
                                         const std::vector<double>& visit_weeks)
    : events_(events), weeks_(visit_weeks) {
  for (std::size_t visit = 0; visit < weeks_.size(); ++visit)
    intervals_.push_back(weeks_[visit] - (visit == 0 ? 0 : weeks_[visit - 1]));
}

void IntercurrentProcess::start(Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  std::fill_n(cohort.rescue_weeks.begin(), n, k_never);
  std::fill_n(cohort.rescue_tier.begin(), n, -1);
  std::fill_n(cohort.dropout_weeks.begin(), n, k_never);
}

int IntercurrentProcess::first_tier(double u) const {
  const auto& tiers = events_.rescue->tiers;
  double below = 0;
  for (std::size_t tier = 0; tier + 1 < tiers.size(); ++tier) {
    below += tiers[tier].probability;
    if (u < below) return static_cast<int>(tier);
  }
  return static_cast<int>(tiers.size()) - 1;
}

void IntercurrentProcess::rescue_step(rng::Key key, std::uint64_t trial, std::size_t visit,
                                      std::span<const double> previous_ratio, Cohort& cohort) const {
  const Rescue& rescue = *events_.rescue;
  const double week = weeks_[visit] - rescue.weeks_before_visit;
  if (week < rescue.first_week) return;
  const double periods = intervals_[visit] / 2;
  // P(no rescue) = (1 - h)^periods = (1 + e^eta)^-periods.
  const double stays = math::pow(1 - rescue.escalation, periods);
  const int last_tier = static_cast<int>(rescue.tiers.size()) - 1;
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const auto draw = static_cast<std::uint32_t>(2 * visit);
  const auto uniform = cohort.scratch.columns[0].first(n);
  rng::fill_uniform({key, rng::Purpose::rescue, trial, 0}, draw, uniform);
  for (std::size_t i = 0; i < n; ++i) {
    if (cohort.dropout_weeks[i] < week) continue;
    if (cohort.rescue_tier[i] >= 0) {
      if (uniform[i] >= stays && cohort.rescue_tier[i] < last_tier) ++cohort.rescue_tier[i];
      continue;
    }
    const double ratio = previous_ratio.empty() ? 1 : previous_ratio[i];
    const double eta = rescue.log_odds + rescue.slope * (ratio - rescue.ratio_reference) +
                       rescue.arm_log_odds[static_cast<std::size_t>(cohort.arm[i])];
    const double odds = math::exp(eta);
    const double stays_2_weeks = 1 / (1 + odds);
    const double none = periods == 1   ? stays_2_weeks
                        : periods == 2 ? stays_2_weeks * stays_2_weeks
                                       : math::pow(stays_2_weeks, periods);
    if (uniform[i] >= 1 - none) continue;
    rng::Stream stream({key, rng::Purpose::rescue, trial, static_cast<std::uint32_t>(i)});
    cohort.rescue_weeks[i] = week;
    cohort.rescue_tier[i] = first_tier(stream.uniform(draw + 1));
  }
}

void IntercurrentProcess::dropout_step(rng::Key key, std::uint64_t trial, std::size_t visit,
                                       std::span<const double> previous_ratio, Cohort& cohort) const {
  const Dropout& dropout = *events_.dropout;
  const double week = weeks_[visit] - dropout.weeks_before_visit;
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const auto uniform = cohort.scratch.columns[0].first(n);
  rng::fill_uniform({key, rng::Purpose::dropout, trial, 0}, static_cast<std::uint32_t>(visit), uniform);
  for (std::size_t i = 0; i < n; ++i) {
    if (cohort.dropout_weeks[i] < k_never) continue;
    const double ratio = previous_ratio.empty() ? 1 : previous_ratio[i];
    const double hazard = dropout.rate_per_week * intervals_[visit] *
                          math::exp(dropout.slope * (ratio - dropout.ratio_reference) +
                                    dropout.arm_log_hazard[static_cast<std::size_t>(cohort.arm[i])]);
    // u < 1 - e^-hazard.
    if (uniform[i] < -math::expm1(-hazard)) cohort.dropout_weeks[i] = week;
  }
}

void IntercurrentProcess::step(rng::Key key, std::uint64_t trial, std::size_t visit,
                               std::span<const double> previous_ratio, Cohort& cohort) const {
  // Rescue first: who leaves in this interval may have been rescued in it.
  if (events_.rescue) rescue_step(key, trial, visit, previous_ratio, cohort);
  if (events_.dropout) dropout_step(key, trial, visit, previous_ratio, cohort);
}

void IntercurrentProcess::observe(std::span<const double> unrescued, Cohort& cohort,
                                  std::span<double> observed) const {
  if (!events_.rescue) {
    std::copy(unrescued.begin(), unrescued.end(), observed.begin());
    return;
  }
  for (std::size_t i = 0; i < unrescued.size(); ++i) {
    const int tier = cohort.rescue_tier[i];
    const double multiplier =
        tier < 0 ? 1 : events_.rescue->tiers[static_cast<std::size_t>(tier)].ratio_multiplier;
    observed[i] = unrescued[i] * multiplier;
  }
}

}  // namespace trialwright::patient
