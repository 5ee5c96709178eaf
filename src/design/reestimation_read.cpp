#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string_view>
#include <variant>

#include "design/boundary_reader.hpp"
#include "design/design_spec.hpp"
#include "design/reestimation.hpp"

namespace trialwright::design {

namespace {

// A planned size that is a fault itself is read as the least possible; nothing is compared with it.
bool is_known(int patients) {
  return patients > k_minimum_patients;
}

// Looks before the end, of a plan that may be a fault itself.
int n_interim(const DesignSpec& spec) {
  const std::size_t n = spec.looks ? spec.looks->interim.size() : 1;
  return static_cast<int>(std::clamp<std::size_t>(n, 1, k_most_looks - 1));
}

// One number for all, or a list of so many.
std::vector<double> one_or_each(input::Reader& reader, std::string_view key,
                                const input::Bounds& bounds, std::size_t n) {
  const input::Node* written = reader.has(key) ? reader.raw(key) : nullptr;
  if (written != nullptr && written->kind == input::Node::Kind::sequence)
    return reader.numbers(key, bounds, n);
  return std::vector<double>(n, reader.number(key, bounds));
}

std::vector<int> patients_of_stages(input::Reader& reader, std::string_view key, std::size_t n) {
  const std::size_t faults_before = reader.faults().size();
  const auto written = one_or_each(reader, key, {1, k_maximum_patients, false, false, "patients"}, n);
  if (reader.faults().size() != faults_before) return std::vector<int>(n, 1);
  std::vector<int> patients;
  for (const double value : written) {
    if (value != std::floor(value)) {
      reader.fault(key, fmt::format("{} patients (a whole number is needed)", value));
      return std::vector<int>(n, 1);
    }
    patients.push_back(static_cast<int>(value));
  }
  return patients;
}

void read_cap(input::Reader& reader, const DesignSpec& spec, ReestimationSpec& rules) {
  const std::size_t faults_before = reader.faults().size();
  rules.most_patients =
      static_cast<int>(reader.integer("most_patients", k_minimum_patients, k_maximum_patients));
  const bool is_cap_known = reader.faults().size() == faults_before && is_known(spec.patients);
  if (is_cap_known && rules.most_patients < spec.patients)
    reader.fault("most_patients",
                 fmt::format("the cap of {} patients is below the planned size of {}",
                             rules.most_patients, spec.patients),
                 fmt::format("at least {}", spec.patients));
}

void read_fewest(input::Reader& reader, const DesignSpec& spec, ReestimationSpec& rules) {
  rules.fewest_patients = static_cast<int>(
      reader.integer("fewest_patients", k_minimum_patients, k_maximum_patients, spec.patients));
  if (is_known(spec.patients) && rules.fewest_patients > spec.patients)
    reader.fault("fewest_patients",
                 fmt::format("at least {} patients is more than the planned size of {}",
                             rules.fewest_patients, spec.patients),
                 fmt::format("at most {}", spec.patients));
}

// The outcomes that a look waits for as planned; 0 where something else triggers it.
int outcomes_at(const ReestimationSpec& rules, const DesignSpec& spec, std::size_t i_look) {
  const auto& awaited = rules.awaited[i_look];
  return awaited ? awaited->of(spec.patients) : 0;
}

// Does every look wait for a number of outcomes, in order and before the end?
bool has_planned_stages(const ReestimationSpec& rules, const DesignSpec& spec) {
  int last = 0;
  for (std::size_t i = 0; i < rules.awaited.size(); ++i) {
    const int outcomes = outcomes_at(rules, spec, i);
    if (outcomes <= last) return false;
    last = outcomes;
  }
  return last < spec.patients;
}

// Tells what is wrong with a stage's caps, if anything is.
bool check_stage(input::Reader& reader, const ReestimationSpec::Stage& stage, std::size_t i_stage) {
  if (stage.fewest > stage.planned) {
    reader.fault("fewest_patients_per_stage",
                 fmt::format("at least {} patients is more than the {} planned for stage {}",
                             stage.fewest, stage.planned, i_stage + 2),
                 fmt::format("at most {}", stage.planned));
  } else if (stage.most < stage.planned) {
    reader.fault("most_patients_per_stage",
                 fmt::format("the cap of {} patients is below the {} planned for stage {}", stage.most,
                             stage.planned, i_stage + 2),
                 fmt::format("at least {}", stage.planned));
  } else {
    return true;
  }
  return false;
}

void read_stages(input::Reader& reader, const DesignSpec& spec, ReestimationSpec& rules) {
  const auto n = static_cast<std::size_t>(n_interim(spec));
  const std::size_t faults_before = reader.faults().size();
  const bool has_fewest = reader.has("fewest_patients_per_stage"),
             has_most = reader.has("most_patients_per_stage");
  const auto fewest =
      has_fewest ? patients_of_stages(reader, "fewest_patients_per_stage", n) : std::vector<int>();
  const auto most =
      has_most ? patients_of_stages(reader, "most_patients_per_stage", n) : std::vector<int>();
  const bool all_wait = std::all_of(rules.awaited.begin(), rules.awaited.end(),
                                    [](const auto& awaited) { return awaited.has_value(); });
  if (!all_wait)
    reader.fault("resizes",
                 "next_stage sets the patients of one stage (a look that waits for something else than "
                 "outcomes would not follow)",
                 "looks: [{outcomes: ...}], or resizes: end");
  if (rules.rule->is_blinded())
    reader.fault("resizes", "a blinded rule sizes the whole trial", "resizes: end");
  if (reader.faults().size() > faults_before || !has_planned_stages(rules, spec)) return;
  for (std::size_t i = 0; i < n; ++i) {
    ReestimationSpec::Stage stage;
    const int next = i + 1 < n ? outcomes_at(rules, spec, i + 1) : spec.patients;
    stage.planned = next - outcomes_at(rules, spec, i);
    stage.fewest = has_fewest ? fewest[i] : stage.planned;
    stage.most = has_most ? most[i] : rules.most_patients;
    if (!check_stage(reader, stage, i)) return;
    rules.stages.push_back(stage);
  }
}

// The looks that re-estimate, counted from 1.
void read_at(input::Reader& reader, const DesignSpec& spec, ReestimationSpec& rules) {
  const int n = n_interim(spec);
  std::vector<double> usual;
  for (int look = rules.resizes == Resizes::next_stage ? 1 : n; look <= n; ++look)
    usual.push_back(look);
  const input::Bounds bounds{1, static_cast<double>(n), false, false,
                             "the number of a look before the end"};
  const std::size_t faults_before = reader.faults().size();
  const auto looks = reader.numbers("at", bounds, usual);
  if (reader.faults().size() > faults_before) return;
  if (looks.empty()) {
    reader.fault("at", "\"at\" is an empty list (at one look at least the size is re-estimated)");
    return;
  }
  rules.at = 0;
  for (const double look : looks) {
    const Bits bit = Bits{1} << (static_cast<int>(look) - 1);
    if (look != std::floor(look)) {
      reader.fault("at", fmt::format("{} (looks are counted 1, 2, ...)", look));
    } else if ((rules.at & bit) != 0) {
      reader.fault("at", fmt::format("look {} is listed twice", look));
    }
    rules.at |= bit;
  }
}

void read_change(input::Reader& reader, const DesignSpec& spec, ReestimationSpec& rules) {
  const bool has_several = n_interim(spec) > 1;
  if (has_several || reader.has("resizes"))
    rules.resizes = reader.choice<Resizes>("resizes", std::span(k_resizes), Resizes::end);
  if (has_several || reader.has("at")) read_at(reader, spec, rules);
  read_cap(reader, spec, rules);
  if (rules.resizes == Resizes::end)
    read_fewest(reader, spec, rules);
  else
    read_stages(reader, spec, rules);
}

void read_awaited(const DesignSpec& spec, ReestimationSpec& rules) {
  if (!spec.looks) return;
  for (const auto& look : spec.looks->interim) {
    const auto* known = std::get_if<OutcomesKnown>(&look.rule);
    rules.awaited.push_back(known == nullptr ? std::nullopt : std::optional(known->patients));
  }
}

// Looks at the end, and sizes below that of a look that sets them.
void check_looks(input::Reader& reader, const DesignSpec& spec, const ReestimationSpec& rules) {
  for (std::size_t i = 0; i < rules.awaited.size(); ++i) {
    const int outcomes = outcomes_at(rules, spec, i);
    if (outcomes >= spec.patients) {
      reader.fault("looks",
                   fmt::format("a look at all {} outcomes (that is the last one)", spec.patients),
                   "only looks before the end are listed");
      return;
    }
    const bool sets_the_end = rules.resizes == Resizes::end && (rules.at >> i & 1) != 0;
    if (sets_the_end && outcomes > 0 && rules.fewest_patients < outcomes) {
      reader.fault("reestimation",
                   fmt::format("fewest_patients is {}, below the {} patients of the look",
                               rules.fewest_patients, outcomes),
                   fmt::format("at least {}", outcomes));
      return;
    }
  }
}

void read_information(input::Reader& reader, const DesignSpec& spec, ReestimationSpec& rules) {
  const bool all_wait = std::all_of(rules.awaited.begin(), rules.awaited.end(),
                                    [](const auto& awaited) { return awaited.has_value(); });
  const std::size_t faults_before = reader.faults().size();
  std::vector<double> information;
  if (rules.awaited.empty()) return;
  if (!all_wait) {
    information =
        reader.numbers("planned_information", input::k_open_probability, rules.awaited.size());
  } else {
    for (std::size_t i = 0; i < rules.awaited.size(); ++i)
      information.push_back(static_cast<double>(outcomes_at(rules, spec, i)) / spec.patients);
  }
  if (is_known(spec.patients)) check_looks(reader, spec, rules);
  information.push_back(1);
  // Looks that do not increase have been told of.
  const bool ascends = std::adjacent_find(information.begin(), information.end(),
                                          std::greater_equal<>()) == information.end();
  const bool is_sound = is_known(spec.patients) && reader.faults().size() == faults_before &&
                        rules.awaited.size() < k_most_looks;
  if (is_sound && (ascends || !all_wait))
    if (auto problem = sequential::check_information(information))
      reader.fault(all_wait ? "looks" : "planned_information", *problem);
  if (ascends && rules.awaited.size() < k_most_looks) rules.information = information;
}

std::optional<ReestimationSpec::Futility> read_futility(input::Reader& design, int n_looks) {
  auto reader = design.optional_map("futility");
  if (!reader) return std::nullopt;
  ReestimationSpec::Futility futility;
  futility.rule = reader->choice<StopRule>("rule", k_reestimation_stops, StopRule::conditional_power);
  futility.below = one_or_each(
      *reader, "below", futility.rule == StopRule::z ? input::k_any_number : input::k_open_probability,
      static_cast<std::size_t>(n_looks - 1));
  return futility;
}

void check_unweighted(input::Reader& reader, const DesignSpec& spec, const ReestimationSpec& rules) {
  if (rules.combination != sequential::Combination::unweighted) return;
  if (n_interim(spec) > 1) {
    reader.fault(
        "combination",
        fmt::format("the unweighted statistic with {} looks before the end (that it keeps alpha "
                    "is known of one: Chen, DeMets & Lan 2004)",
                    n_interim(spec)),
        "inverse_normal, fisher or conditional_error");
    return;
  }
  if (rules.rule->is_blinded()) return;
  const int fewest = rules.resizes == Resizes::end ? rules.fewest_patients
                     : rules.stages.empty()
                         ? spec.patients
                         : spec.patients - rules.stages[0].planned + rules.stages[0].fewest;
  if (rules.rule->enlarges_above_even_chance() && fewest == spec.patients) return;
  reader.fault(
      "combination",
      "the unweighted statistic does not keep alpha under this rule (it does where a trial is only "
      "enlarged, and at a conditional power of 0.5 or more: Chen, DeMets & Lan 2004)",
      "promising_zone from 0.5 by the observed effect, or inverse_normal, beside which "
      "naive_familywise_error shows what the unweighted statistic would do");
}

}  // namespace

ReestimationSpec read_reestimation(input::Reader& reader, const DesignSpec& spec,
                                   const StudyNames& names) {
  ReestimationSpec rules;
  rules.control_arm = names.control_arm;
  const analysis::TestSpec test = names.test_of(spec.primary);
  if (spec.looks && spec.looks->interim.empty() && reader.has("looks"))
    reader.fault("looks", "no interim look (the size is re-estimated at one)", "[{outcomes: 0.5}]");
  if (spec.arms.size() > 2)
    reader.fault("arms",
                 fmt::format("{} arms (re-estimation compares one with the control)", spec.arms.size()),
                 "one active arm and the control");
  const int n_looks = n_interim(spec) + 1;
  read_awaited(spec, rules);
  {
    auto map = reader.map("reestimation");
    const auto read_rule = map.choice<ReadRule>("rule", k_reestimation_rules);
    rules.rule = read_rule(map, {spec.arms, &names, test.direction, test.margin});
    read_change(map, spec, rules);
  }
  read_information(reader, spec, rules);
  rules.combination = reader.choice<sequential::Combination>(
      "combination", sequential::k_combinations,
      rules.rule->is_blinded() && n_looks == 2 ? sequential::Combination::unweighted
                                               : sequential::Combination::inverse_normal);
  check_unweighted(reader, spec, rules);
  if (auto efficacy = reader.optional_map("efficacy"))
    rules.efficacy = read_boundary(*efficacy, test.one_sided_alpha(), n_looks);
  rules.futility = read_futility(reader, n_looks);
  return rules;
}

}  // namespace trialwright::design
