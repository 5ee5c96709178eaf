#include "patient/intercurrent_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "math/elementary.hpp"
#include "patient/course_kernels.hpp"
#include "patient/visit_correlation.hpp"
#include "rng/batch.hpp"

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

namespace {

// The highest word whose uniform lies below a probability: an event that does not happen with this
// probability does not happen at words up to it.
std::uint32_t highest_word(double probability) {
  const double words = std::ceil(probability * 0x1p32) - 1;
  return static_cast<std::uint32_t>(std::min(std::max(words, 0.0), 0x1p32 - 1));
}

// How many of the arms' numbers need be told apart.
std::size_t n_distinct(const std::vector<double>& by_arm) {
  return std::adjacent_find(by_arm.begin(), by_arm.end(), std::not_equal_to<>()) == by_arm.end()
             ? 1
             : by_arm.size();
}

enum Float : std::size_t { k_rescue_limit, k_rescue_grown, k_dropout_left };
enum Integer : std::size_t { k_rescued, k_gone, k_tier };

}  // namespace

IntercurrentProcess::IntercurrentProcess(const IntercurrentEvents& events,
                                         const std::vector<double>& visit_weeks)
    : events_(events), weeks_(visit_weeks) {
  for (std::size_t visit = 0; visit < weeks_.size(); ++visit)
    intervals_.push_back(weeks_[visit] - (visit == 0 ? 0 : weeks_[visit - 1]));
  if (events_.rescue) compile_rescue();
  if (events_.dropout) compile_dropout();
}

void IntercurrentProcess::compile_rescue() {
  const Rescue& rescue = *events_.rescue;
  n_arms_rescue_ = n_distinct(rescue.arm_log_odds);
  for (std::size_t arm = 0; arm < n_arms_rescue_; ++arm) {
    const double eta =
        rescue.log_odds - rescue.slope * rescue.ratio_reference + rescue.arm_log_odds[arm];
    rescue_intercepts_.push_back(static_cast<float>(eta));
    double periods = 0;
    for (std::size_t visit = 0; visit < weeks_.size(); ++visit) {
      if (weeks_[visit] - rescue.weeks_before_visit >= rescue.first_week)
        periods += intervals_[visit] / 2;
      // P(no rescue) = (1 - h)^periods = (1 + e^eta)^-periods.
      rescue_bounds_.push_back(highest_word(math::exp(-periods * math::log1p(math::exp(eta)))));
    }
  }
  double later = 1;
  for (const auto& tier : rescue.tiers) {
    multipliers_.push_back(static_cast<float>(tier.ratio_multiplier));
    later -= tier.probability;
    if (multipliers_.size() < rescue.tiers.size()) tier_bounds_.push_back(highest_word(later));
  }
  for (const double weeks : intervals_)
    stay_bounds_.push_back(highest_word(math::pow(1 - rescue.escalation, weeks / 2)));
}

void IntercurrentProcess::compile_dropout() {
  const Dropout& dropout = *events_.dropout;
  n_arms_dropout_ = n_distinct(dropout.arm_log_hazard);
  const auto log_hazard = [&](std::size_t arm) {
    return dropout.arm_log_hazard[arm] - dropout.slope * dropout.ratio_reference;
  };
  for (std::size_t arm = 0; arm < n_arms_dropout_; ++arm)
    for (const double week : weeks_)
      dropout_bounds_.push_back(
          highest_word(math::exp(-dropout.rate_per_week * week * math::exp(log_hazard(arm)))));
  for (const double weeks : intervals_) {
    auto& intercepts = dropout_intercepts_.emplace_back();
    // The logarithm of what is nothing: exp_float knows no less.
    const double log_rate =
        dropout.rate_per_week > 0 ? math::log(dropout.rate_per_week * weeks) : -1000;
    for (std::size_t arm = 0; arm < n_arms_dropout_; ++arm)
      intercepts.push_back(static_cast<float>(log_rate + log_hazard(arm)));
  }
}

void IntercurrentProcess::start_kind(Kind kind, const Run& run,
                                     std::span<const std::uint32_t> words) const {
  const bool is_rescue = kind == Kind::rescue;
  const auto interval = run.integers(is_rescue ? k_rescued : k_gone);
  if (!reads_ratios_of(kind)) {
    survive({is_rescue ? rescue_bounds_ : dropout_bounds_, weeks_.size(), run.n_intervals}, words,
            run.arm(), interval);
    return;
  }
  std::fill(interval.begin(), interval.end(), static_cast<int>(run.n_intervals));
  if (!is_rescue) return exponentials(words, run.floats(k_dropout_left));
  odds_limits(words, run.floats(k_rescue_limit));
  const auto grown = run.floats(k_rescue_grown);
  std::fill(grown.begin(), grown.end(), 0.0f);
}

void IntercurrentProcess::start(const Run& run) const {
  auto& words = run.cohort.scratch.words;
  const bool has_tiers = events_.rescue && multipliers_.size() > 1;
  rng::fill_words(run.patients, 0, run.n,
                  {events_.rescue ? words[0].data() : nullptr, has_tiers ? words[1].data() : nullptr,
                   events_.dropout ? words[2].data() : nullptr, nullptr});
  if (events_.rescue) start_kind(Kind::rescue, run, words[0].first(run.n));
  if (events_.dropout) start_kind(Kind::dropout, run, words[2].first(run.n));
  if (has_tiers)
    survive({tier_bounds_, tier_bounds_.size(), tier_bounds_.size()}, words[1].first(run.n), run.arm(),
            run.integers(k_tier));
}

void IntercurrentProcess::step(const Run& run, std::size_t visit,
                               std::span<const float> previous_ratio) const {
  Interval interval{static_cast<int>(visit), static_cast<float>(intervals_[visit] / 2), previous_ratio,
                    run.arm()};
  if (reads_ratios_of(Kind::rescue) &&
      weeks_[visit] - events_.rescue->weeks_before_visit >= events_.rescue->first_week)
    step_odds({rescue_intercepts_, static_cast<float>(events_.rescue->slope)}, interval,
              run.floats(k_rescue_limit), run.floats(k_rescue_grown), run.integers(k_rescued));
  if (escalates()) escalate(run, visit);
  if (reads_ratios_of(Kind::dropout))
    step_hazard({dropout_intercepts_[visit], static_cast<float>(events_.dropout->slope)}, interval,
                run.floats(k_dropout_left), run.integers(k_gone));
}

// Who was rescued in an earlier interval and is still there may move to the next tier.
void IntercurrentProcess::escalate(const Run& run, std::size_t visit) const {
  if (multipliers_.size() == 1) return;
  const auto word = static_cast<std::uint32_t>(visit % 4);
  const auto words = run.cohort.scratch.words[0].first(run.n);
  rng::WordColumns columns{};
  columns[word] = words.data();
  rng::fill_words(run.patients, 1 + static_cast<std::uint32_t>(visit / 4), run.n, columns);
  const auto rescued = run.integers(k_rescued), tier = run.integers(k_tier);
  const int now = static_cast<int>(visit), last = static_cast<int>(multipliers_.size()) - 1;
  const std::uint32_t stays = stay_bounds_[visit];
  const int* const gone = events_.dropout ? run.integers(k_gone).data() : nullptr;
  for (std::size_t i = 0; i < run.n; ++i) {
    const bool is_here = gone == nullptr || gone[i] >= now;
    tier[i] += (rescued[i] < now) & is_here & (tier[i] < last) & (words[i] > stays);
  }
}

void IntercurrentProcess::observe(const Run& run, std::size_t visit, std::span<const float> unrescued,
                                  std::span<float> observed) const {
  RescueState state;
  state.rescued = run.integers(k_rescued).data();
  if (events_.dropout) state.gone = run.integers(k_gone).data();
  if (multipliers_.size() > 1) state.tier = run.integers(k_tier).data();
  state.multiplier = multipliers_;
  patient::observe(state, static_cast<int>(visit), unrescued, observed);
}

void IntercurrentProcess::finish(const Run& run) const {
  std::array<double, VisitMask().size() + 1> weeks{};
  const auto fill_weeks = [&](double before_visit) {
    for (std::size_t j = 0; j < run.n_intervals; ++j) weeks[j] = weeks_[j] - before_visit;
    weeks[run.n_intervals] = k_never;
  };
  const int none = static_cast<int>(run.n_intervals);
  const auto gone = run.integers(k_gone);
  if (events_.dropout) {
    fill_weeks(events_.dropout->weeks_before_visit);
    double* const dropout_weeks = run.cohort.dropout_weeks.data() + run.first();
    for (std::size_t i = 0; i < run.n; ++i) dropout_weeks[i] = weeks[static_cast<std::size_t>(gone[i])];
  }
  if (!events_.rescue) return;
  fill_weeks(events_.rescue->weeks_before_visit);
  const int* const rescued = run.integers(k_rescued).data();
  const int* const left = events_.dropout ? gone.data() : nullptr;
  const int* const tier = multipliers_.size() > 1 ? run.integers(k_tier).data() : nullptr;
  double* const rescue_weeks = run.cohort.rescue_weeks.data() + run.first();
  int* const rescue_tier = run.cohort.rescue_tier.data() + run.first();
  for (std::size_t i = 0; i < run.n; ++i) {
    const int at = left == nullptr || rescued[i] <= left[i] ? rescued[i] : none;
    rescue_weeks[i] = weeks[static_cast<std::size_t>(at)];
    // All bits of -1 where nobody was rescued: a choice would be a branch that nothing foretells.
    rescue_tier[i] = (tier != nullptr ? tier[i] : 0) | -static_cast<int>(at >= none);
  }
}

void IntercurrentProcess::clear(Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  if (events_.rescue) std::fill_n(cohort.rescue_weeks.begin(), n, k_never);
  if (events_.rescue) std::fill_n(cohort.rescue_tier.begin(), n, -1);
  if (events_.dropout) std::fill_n(cohort.dropout_weeks.begin(), n, k_never);
}

}  // namespace trialwright::patient
