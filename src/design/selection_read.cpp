// What a study file says of a treatment selection.
#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "design/boundary_reader.hpp"
#include "design/design_spec.hpp"
#include "design/selection.hpp"

namespace trialwright::design {

namespace {

constexpr input::Bounds k_excess_risk{-1.0, 1.0, false, false, "a difference of rates"};

struct Option {
  std::string_view key;
  RuleNeeds need;
};
constexpr std::array<Option, 2> k_options{{{"count", RuleNeeds::count}, {"within", RuleNeeds::within}}};

// The rule that has an option of its own.
std::string_view user_of(RuleNeeds need) {
  for (const auto& row : k_selection_rules)
    if (row.value.needs == need) return row.name;
  return "?";
}

void refuse_unused_options(input::Reader& reader, const SelectionRule& rule) {
  for (const Option& option : k_options) {
    if (option.need == rule.needs || !reader.has(option.key)) continue;
    reader.raw(option.key);
    reader.fault(option.key,
                 fmt::format("\"{}\" means nothing to {} (no option is read and ignored)", option.key,
                             base::name_of<SelectionRule>(k_selection_rules, rule)),
                 fmt::format("take the key out, or choose {}", user_of(option.need)));
  }
}

// What merits are differences of: rates of events, or means.
input::Bounds merit_bounds(const std::optional<MeanScale>& scale) {
  if (!scale) return {-1.0, 1.0, false, false, "a difference of rates"};
  return {-scale->largest, scale->largest, false, false, scale->unit};
}

// Which estimand, other than the primary analysis's.
void read_on(input::Reader& reader, const DesignSpec& spec, const StudyNames& names,
             SelectionSpec& rules) {
  const auto on = reader.optional_reference("on", names.estimands.names, "estimand");
  const auto i_primary = static_cast<std::size_t>(spec.primary);
  const int usual =
      spec.primary >= 0 && i_primary < names.estimand_of.size() ? names.estimand_of[i_primary] : -1;
  if (on && *on != usual) rules.on = *on;
}

void read_rule(input::Reader& reader, int n_active, const input::Bounds& merit, SelectionSpec& rules) {
  rules.rule = reader.choice<SelectionRule>("rule", k_selection_rules);
  refuse_unused_options(reader, rules.rule);
  if (rules.rule.needs == RuleNeeds::count)
    rules.count = static_cast<int>(reader.integer("count", 1, n_active));
  if (rules.rule.needs == RuleNeeds::within)
    rules.within = reader.number("within", {0.0, merit.maximum, false, false, merit.meaning});
  if (rules.rule.needs == RuleNeeds::at_least)
    rules.at_least = reader.number("at_least", merit);
  else if (const auto at_least = reader.optional_number("at_least", merit))
    rules.at_least = *at_least;
  rules.ties = reader.choice<Ties>("ties", k_ties, Ties::first);
}

// The look is planned at so many outcomes; 0 where it is not triggered by them.
int outcomes_at_look(const DesignSpec& spec) {
  if (!spec.looks || spec.looks->interim.size() != 1) return 0;
  const auto* known = std::get_if<OutcomesKnown>(&spec.looks->interim.front().rule);
  return known ? known->patients.of(spec.patients) : 0;
}

void read_second_stage(input::Reader& reader, SelectionSpec& rules) {
  input::Reader stage = reader.map("stage_2");
  if (stage.has("patients_per_arm") && stage.has("patients"))
    stage.fault("patients", "\"patients\" and \"patients_per_arm\" are both given (one says how many)",
                "take one out");
  const auto in_all = stage.optional_integer("patients", 2, k_maximum_patients);
  if (in_all) {
    stage.optional_integer("patients_per_arm", 1, k_maximum_patients);
    rules.second_stage = PatientsInAll{static_cast<int>(*in_all)};
  } else {
    rules.second_stage =
        PatientsPerArm{static_cast<int>(stage.integer("patients_per_arm", 1, k_maximum_patients))};
  }
}

// The share of a comparison's information at the look: patients known there of those at the end.
void read_information(input::Reader& reader, const DesignSpec& spec, int n_look, SelectionSpec& rules) {
  const bool is_open = rules.rule.needs == RuleNeeds::at_least || rules.rule.needs == RuleNeeds::within;
  const auto* in_all = std::get_if<PatientsInAll>(&rules.second_stage);
  if (in_all && is_open) {
    // How many arms share them is not known before the look.
    rules.information = reader.number("interim_information", input::k_open_probability);
    return;
  }
  const std::vector<int> ratio = reduced_ratio(spec.arms);
  const double parts = std::accumulate(ratio.begin(), ratio.end(), 0);
  const double control = ratio.empty() ? 1 : ratio[static_cast<std::size_t>(rules.i_control)];
  const double active =
      ratio.size() < 2 ? 1 : (parts - control) / static_cast<double>(ratio.size() - 1);
  const double later = in_all ? in_all->patients / (control + rules.count * active)
                              : std::get<PatientsPerArm>(rules.second_stage).patients;
  const double first = spec.patients / parts;
  const double known = n_look > 0 ? n_look / parts : first;
  rules.information =
      reader.number("interim_information", input::k_open_probability, known / (first + later));
}

void check_looks(input::Reader& reader, const DesignSpec& spec) {
  if (!spec.looks || spec.looks->interim.size() == 1) return;
  if (spec.looks->interim.size() > 1)
    reader.fault("looks",
                 fmt::format("{} interim looks (arms are selected at one)", spec.looks->interim.size()),
                 "take one, or choose multi_arm_multi_stage");
  else if (reader.has("looks"))
    reader.fault("looks", "there is no interim look (arms are selected at one)",
                 fmt::format("looks: [{{outcomes: {}}}]", spec.patients));
}

void read_closed_test(input::Reader& reader, double alpha, SelectionSpec& rules) {
  auto& test = rules.closed_test;
  test.intersection =
      reader.choice<Intersection>("intersection", k_intersections, Intersection::dunnett);
  test.combination = reader.choice<sequential::Combination>("combination", sequential::k_combinations,
                                                            sequential::Combination::inverse_normal);
  if (test.combination != sequential::Combination::inverse_normal &&
      test.combination != sequential::Combination::fisher)
    reader.fault("combination",
                 fmt::format("\"{}\" does not combine the stages of a closed test",
                             base::name_of<sequential::Combination>(sequential::k_combinations,
                                                                    test.combination)),
                 "inverse_normal or fisher");
  if (auto efficacy = reader.optional_map("efficacy")) {
    test.efficacy = read_boundary(*efficacy, alpha, 2);
    rules.stop_when = reader.choice<StopWhen>("stop_when", k_stop_when, StopWhen::any);
  } else if (reader.has("stop_when")) {
    reader.raw("stop_when");
    reader.fault("stop_when", "\"stop_when\" means nothing where no look may reject",
                 "take it out, or add efficacy: {boundary: lan_demets_obrien_fleming}");
  }
}

int position_of_control(const DesignSpec& spec, const StudyNames& names) {
  for (std::size_t a = 0; a < spec.arms.size(); ++a)
    if (spec.arms[a].arm == names.control_arm) return static_cast<int>(a);
  return 0;
}

}  // namespace

SelectionSpec read_selection(input::Reader& reader, const DesignSpec& spec, const StudyNames& names) {
  SelectionSpec rules;
  rules.i_control = position_of_control(spec, names);
  const int n_active = std::max(1, static_cast<int>(spec.arms.size()) - 1);
  if (!spec.arms.empty() && (n_active < 2 || n_active > k_most_closed))
    reader.fault("arms",
                 fmt::format("the number of active arms is {} (2 to {} are there to choose from)",
                             n_active, k_most_closed));
  check_looks(reader, spec);
  {
    input::Reader selection = reader.map("selection");
    read_on(selection, spec, names, rules);
    read_rule(selection, n_active, merit_bounds(names.estimands.mean_scale(rules.on)), rules);
    if (auto safety = selection.optional_map("safety"))
      rules.safety = {names.estimands.read_events(*safety, "estimand"),
                      safety->number("at_most", k_excess_risk)};
  }
  read_second_stage(reader, rules);
  const int n_look = outcomes_at_look(spec);
  rules.stages_by = (rules.on >= 0 || rules.safety) && n_look < spec.patients ? StageBy::randomisation
                                                                              : StageBy::outcome;
  read_information(reader, spec, rules.stages_by == StageBy::outcome ? n_look : 0, rules);
  read_closed_test(reader, names.test_of(spec.primary).one_sided_alpha(), rules);
  if (rules.closed_test.efficacy && rules.stages_by == StageBy::randomisation)
    reader.fault(
        "efficacy",
        "a look that selects by what is known of patients without a primary outcome cannot "
        "reject (the first stage then ends after the look)",
        fmt::format("look when all {} outcomes are known, or take efficacy out", spec.patients));
  return rules;
}

}  // namespace trialwright::design
