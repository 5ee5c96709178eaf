#include "patient/adverse_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "rng/batch.hpp"
#include "rng/draws.hpp"

namespace trialwright::patient {

namespace {

constexpr input::Bounds k_incidence{0, 1, false, true, "a probability"};
constexpr std::uint32_t k_draws_per_infusion = 8;

double hazard_of(double probability) {
  return -math::log1p(-probability);
}

std::vector<double> by_arm(input::Reader& reader, const char* key, const std::vector<Arm>& arms) {
  std::vector<double> result(arms.size(), 0.0);
  const std::size_t n_faults = reader.faults().size();
  const auto values = reader.number_by_name(key, names_of(arms), "arm", k_incidence);
  const bool is_sound = reader.faults().size() == n_faults;
  for (std::size_t arm = 0; arm < values.size() && arm < arms.size(); ++arm) {
    if (is_sound && !values[arm])
      reader.fault(key, "arm \"" + arms[arm].name + "\" has no probability here");
    result[arm] = values[arm].value_or(0);
  }
  return result;
}

std::size_t pick(const double* ends, std::size_t n, double u) {
  std::size_t i = 0;
  while (i + 1 < n && u >= ends[i]) ++i;
  return i;
}

// The week of the last infusion; 0 where there is none.
double last_infusion(const std::vector<double>& weeks) {
  return weeks.empty() ? 0 : weeks.back();
}

int given_before(const std::vector<double>& weeks, double stop) {
  return static_cast<int>(
      std::count_if(weeks.begin(), weeks.end(), [&](double week) { return week < stop; }));
}

}  // namespace

AdverseEvents AdverseEvents::read(input::Reader& study, const std::vector<Arm>& arms) {
  AdverseEvents result;
  auto section = study.optional_map("safety");
  if (!section || arms.empty()) return result;
  const std::size_t n_faults = section->faults().size();
  result.follow_up_weeks_ = section->number("follow_up_weeks", input::k_positive);
  const bool follow_up_is_known = section->faults().size() == n_faults;
  const auto any_event = by_arm(*section, "any_event", arms);
  std::vector<double> reaction(arms.size(), 0.0);
  const bool has_reactions = section->has("infusion_reaction");
  if (has_reactions)
    reaction = by_arm(*section, "infusion_reaction", arms);
  else
    section->raw("infusion_reaction");
  std::vector<double> rest;
  for (std::size_t arm = 0; arm < arms.size(); ++arm) {
    const auto& weeks = arms[arm].infusion_weeks;
    if (follow_up_is_known && last_infusion(weeks) + k_reaction_weeks > result.follow_up_weeks_ &&
        !weeks.empty())
      section->fault("follow_up_weeks",
                     "the follow-up ends before the infusions of arm \"" + arms[arm].name + "\" do");
    ArmRates rates;
    rates.infusion_reaction = reaction[arm];
    rates.infusion_weeks = weeks;
    rest.push_back(hazard_of(any_event[arm]) -
                   static_cast<double>(weeks.size()) * hazard_of(reaction[arm]));
    result.arms_.push_back(std::move(rates));
  }
  result.read_categories(*section, arms, rest, n_faults);
  if (has_reactions) {
    result.reaction_category_ = static_cast<int>(result.categories_.size());
    result.categories_.push_back("infusion_reaction");
  }
  result.read_course_of_events(*section);
  return result;
}

// `total` is each arm's hazard of everything but infusion reactions.
void AdverseEvents::read_categories(input::Reader& section, const std::vector<Arm>& arms,
                                    const std::vector<double>& total, std::size_t faults_before) {
  std::vector<double> shares, rest = total;
  std::vector<std::vector<double>> own;  // [category][arm] hazards
  double share_sum = 0;
  for (auto& [name, reader] : section.named("categories")) {
    categories_.push_back(name);
    if (reader.has("share") == reader.has("incidence"))
      reader.fault("", "category \"" + name + "\" needs either a share or an incidence of its own");
    const bool has_incidence = reader.has("incidence");
    std::vector<double> hazards(arms.size(), 0.0);
    if (has_incidence) {
      const auto incidence = by_arm(reader, "incidence", arms);
      for (std::size_t arm = 0; arm < arms.size(); ++arm)
        rest[arm] -= hazards[arm] = hazard_of(incidence[arm]);
    }
    shares.push_back(reader.has("share") ? reader.number("share", input::k_probability) : 0);
    share_sum += shares.back();
    own.push_back(std::move(hazards));
  }
  // What follows from a fault told before is no news.
  const bool is_sound = section.faults().size() == faults_before;
  if (is_sound && share_sum > 0 && std::abs(share_sum - 1) > 1e-9)
    section.fault("categories",
                  fmt::format("the shares sum to {:.6g} (they must sum to 1)", share_sum));
  for (std::size_t arm = 0; arm < arms.size(); ++arm) {
    if (is_sound && rest[arm] < -1e-9)
      section.fault(
          "any_event",
          "infusion reactions and the categories with their own incidence already give arm \"" +
              arms[arm].name + "\" more events than any_event says",
          "raise any_event or lower infusion_reaction or the incidences");
    else if (is_sound && rest[arm] > 1e-9 && share_sum == 0)
      section.fault("categories",
                    "events of arm \"" + arms[arm].name +
                        "\" are left that belong to no category (give a category a share)");
    auto& rates = arms_[arm];
    for (std::size_t category = 0; category < own.size(); ++category) {
      rates.hazard += own[category][arm] + shares[category] * std::max(rest[arm], 0.0);
      rates.category_ends.push_back(rates.hazard);
    }
    for (double& end : rates.category_ends) end = rates.hazard > 0 ? end / rates.hazard : 1;
  }
}

void AdverseEvents::read_course_of_events(input::Reader& section) {
  const std::size_t n_faults = section.faults().size();
  const auto grades = section.numbers("grades", input::k_probability, std::size_t{4});
  double sum = 0;
  for (std::size_t grade = 0; grade < grade_ends_.size() && grade < grades.size(); ++grade)
    grade_ends_[grade] = sum += grades[grade];
  if (section.faults().size() == n_faults && std::abs(sum - 1) > 1e-9)
    section.fault("grades",
                  fmt::format("the shares of grades 1 to 4 sum to {:.6g} (they must sum to 1)", sum));
  serious_given_grade_3_ = section.number("serious_given_grade_3", input::k_probability, 0.0);
  recovery_weeks_ = section.number("recovery_weeks", input::k_positive);
}

bool AdverseEvents::has_infusion_reactions() const {
  return std::any_of(arms_.begin(), arms_.end(), [](const ArmRates& rates) {
    return rates.infusion_reaction > 0 && !rates.infusion_weeks.empty();
  });
}

bool AdverseEvents::are_same(std::size_t arm, std::size_t other) const {
  if (!any()) return true;
  const ArmRates &a = arms_[arm], &b = arms_[other];
  const bool same_reactions =
      a.infusion_reaction == b.infusion_reaction && a.infusion_weeks == b.infusion_weeks;
  return a.hazard == b.hazard && a.category_ends == b.category_ends && same_reactions;
}

double AdverseEvents::probability(std::size_t arm, double weeks) const {
  const ArmRates& rates = arms_[arm];
  double none = math::exp(-rates.hazard * std::min(weeks / follow_up_weeks_, 1.0));
  for (const double infusion : rates.infusion_weeks) {
    const double begun = std::min(std::max((weeks - infusion) / k_reaction_weeks, 0.0), 1.0);
    none *= 1 - rates.infusion_reaction * begun;
  }
  return 1 - none;
}

void AdverseEvents::prepare(int n_patients, Cohort& cohort) const {
  double most = 0;
  std::size_t n_infusions = 0;
  for (const auto& rates : arms_) {
    most = std::max(most, rates.hazard + rates.infusion_reaction *
                                             static_cast<double>(rates.infusion_weeks.size()));
    n_infusions = std::max(n_infusions, rates.infusion_weeks.size());
  }
  const double expected = most * n_patients;
  cohort.adverse_events.reserve(static_cast<std::size_t>(expected + 6 * std::sqrt(expected) + 64));
  auto& words = cohort.scratch.words;
  words.resize(static_cast<std::size_t>(n_patients), std::max(words.n_columns(), 1 + n_infusions));
}

AdverseEvent AdverseEvents::make_event(std::size_t patient, double week, int category, double u_grade,
                                       double u_serious, double u_duration) const {
  AdverseEvent event;
  event.patient = static_cast<int>(patient);
  event.week = week;
  event.category = static_cast<std::int16_t>(category);
  event.grade = static_cast<std::int8_t>(1 + pick(grade_ends_.data(), grade_ends_.size(), u_grade));
  event.serious = event.grade >= 3 && rng::bernoulli(u_serious, serious_given_grade_3_);
  event.recovered_week = week + recovery_weeks_ * rng::exponential(u_duration);
  return event;
}

void AdverseEvents::draw_timed(rng::Stream& stream, const ArmRates& rates, std::size_t patient,
                               Cohort& cohort) const {
  double share = 0;
  while ((share += rng::exponential(stream.next_uniform()) / rates.hazard) < 1) {
    const auto category =
        pick(rates.category_ends.data(), rates.category_ends.size(), stream.next_uniform());
    const double u_grade = stream.next_uniform(), u_serious = stream.next_uniform();
    cohort.adverse_events.push_back(make_event(patient, share * follow_up_weeks_,
                                               static_cast<int>(category), u_grade, u_serious,
                                               stream.next_uniform()));
  }
}

void AdverseEvents::draw_reactions(rng::Stream& stream, const ArmRates& rates, std::size_t patient,
                                   Cohort& cohort) const {
  for (std::size_t k = 0; k < rates.infusion_weeks.size(); ++k) {
    const auto first = k_draws_per_infusion * static_cast<std::uint32_t>(k);
    if (!rng::bernoulli(stream.uniform(first), rates.infusion_reaction)) continue;
    const double week = rates.infusion_weeks[k] + k_reaction_weeks * stream.uniform(first + 1);
    cohort.adverse_events.push_back(make_event(patient, week, reaction_category_,
                                               stream.uniform(first + 2), stream.uniform(first + 3),
                                               stream.uniform(first + 4)));
  }
}

// The week after which the patient has no infusion; takes out reactions to infusions not given.
double AdverseEvents::stop_infusions(rng::Key key, std::uint64_t trial, const Discontinuation& stop,
                                     const ArmRates& rates, std::size_t patient,
                                     std::size_t first_event, Cohort& cohort) const {
  rng::Stream stream({key, rng::Purpose::discontinuation, trial, static_cast<std::uint32_t>(patient)});
  double week =
      stop.rate_per_week > 0 ? rng::exponential(stream.uniform(0)) / stop.rate_per_week : k_never;
  std::uint32_t n_grave = 0;
  auto& events = cohort.adverse_events;
  std::size_t kept = first_event;
  for (std::size_t i = first_event; i < events.size(); ++i) {
    const AdverseEvent event = events[i];
    if (event.category == reaction_category_) {
      const auto after =
          std::upper_bound(rates.infusion_weeks.begin(), rates.infusion_weeks.end(), event.week);
      if (*(after - 1) >= week) continue;
    }
    events[kept++] = event;
    if (event.grade >= 3 && rng::bernoulli(stream.uniform(++n_grave), stop.after_grade_3_event))
      week = std::min(week, event.week);
  }
  events.resize(kept);
  return week;
}

void AdverseEvents::draw(rng::Key key, std::uint64_t trial, const std::optional<Discontinuation>& stop,
                         Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  auto& events = cohort.adverse_events;
  events.clear();
  auto& words = cohort.scratch.words;
  const auto fill = [&](rng::Purpose purpose, std::uint32_t draw, std::size_t column) {
    rng::WordColumns columns{};
    columns[draw % 4] = words[column].data();
    rng::fill_words({key, purpose, trial, 0}, draw / 4, n, columns);
  };
  fill(rng::Purpose::adverse_event, 0, 0);
  const auto waiting = words[0].first(n);
  std::array<double, k_most_arms> none{};
  std::size_t n_infusions = 0;
  for (std::size_t arm = 0; arm < arms_.size(); ++arm) {
    none[arm] = math::exp(-arms_[arm].hazard);
    if (arms_[arm].infusion_reaction > 0)
      n_infusions = std::max(n_infusions, arms_[arm].infusion_weeks.size());
  }
  for (std::size_t k = 0; k < n_infusions; ++k)
    fill(rng::Purpose::infusion_reaction, k_draws_per_infusion * static_cast<std::uint32_t>(k), 1 + k);
  for (std::size_t patient = 0; patient < n; ++patient) {
    const auto arm = static_cast<std::size_t>(cohort.arm[patient]);
    const ArmRates& rates = arms_[arm];
    const std::size_t first_event = events.size();
    const auto unit = static_cast<std::uint32_t>(patient);
    if (rng::to_uniform(waiting[patient]) > none[arm]) {
      rng::Stream stream({key, rng::Purpose::adverse_event, trial, unit});
      draw_timed(stream, rates, patient, cohort);
    }
    bool reacts = false;
    for (std::size_t k = 0; k < rates.infusion_weeks.size() && k < n_infusions; ++k)
      reacts =
          reacts || rng::bernoulli(rng::to_uniform(words[1 + k][patient]), rates.infusion_reaction);
    if (reacts) {
      rng::Stream stream({key, rng::Purpose::infusion_reaction, trial, unit});
      draw_reactions(stream, rates, patient, cohort);
    }
    if (events.size() > first_event + 1)
      std::sort(events.begin() + static_cast<std::ptrdiff_t>(first_event), events.end(),
                [](const AdverseEvent& a, const AdverseEvent& b) { return a.week < b.week; });
    if (!stop) continue;
    const double week = stop_infusions(key, trial, *stop, rates, patient, first_event, cohort);
    cohort.discontinuation_weeks[patient] = week < last_infusion(rates.infusion_weeks) ? week : k_never;
    cohort.scratch.infusions[patient] = given_before(rates.infusion_weeks, week);
  }
}

void AdverseEvents::hide_after_dropout(Cohort& cohort) {
  std::erase_if(cohort.adverse_events, [&](const AdverseEvent& event) {
    return event.week > cohort.dropout_weeks[static_cast<std::size_t>(event.patient)];
  });
}

void draw_discontinuation(rng::Key key, std::uint64_t trial, const Discontinuation& stop,
                          const std::vector<Arm>& arms, Cohort& cohort) {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const auto words = cohort.scratch.words[0].first(n);
  rng::fill_words({key, rng::Purpose::discontinuation, trial, 0}, 0, n,
                  {words.data(), nullptr, nullptr, nullptr});
  for (std::size_t patient = 0; patient < n; ++patient) {
    const auto& weeks = arms[static_cast<std::size_t>(cohort.arm[patient])].infusion_weeks;
    const double week = stop.rate_per_week > 0
                            ? rng::exponential(rng::to_uniform(words[patient])) / stop.rate_per_week
                            : k_never;
    cohort.discontinuation_weeks[patient] = week < last_infusion(weeks) ? week : k_never;
    cohort.scratch.infusions[patient] = given_before(weeks, week);
  }
}

}  // namespace trialwright::patient
