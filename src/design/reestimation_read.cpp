#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "design/boundary_reader.hpp"
#include "design/design_spec.hpp"
#include "design/reestimation.hpp"

namespace trialwright::design {

namespace {

// The test of the primary analysis; where that is a fault itself, any will do.
analysis::TestSpec primary_test(const DesignSpec& spec, const StudyNames& names) {
  const auto i = static_cast<std::size_t>(spec.primary);
  return spec.primary >= 0 && i < names.tests.size() ? names.tests[i] : analysis::TestSpec{};
}

double one_sided_alpha(const analysis::TestSpec& test) {
  return test.sides == analysis::Sides::one ? test.alpha : 0.5 * test.alpha;
}

// A planned size that is a fault itself is read as the least possible; nothing is compared with it.
bool is_known(int patients) {
  return patients > k_minimum_patients;
}

void read_sizes(input::Reader& reader, const DesignSpec& spec, ReestimationSpec& rules) {
  const std::size_t faults_before = reader.faults().size();
  rules.most_patients =
      static_cast<int>(reader.integer("most_patients", k_minimum_patients, k_maximum_patients));
  const bool is_cap_known = reader.faults().size() == faults_before && is_known(spec.patients);
  if (is_cap_known && rules.most_patients < spec.patients)
    reader.fault("most_patients",
                 fmt::format("the cap of {} patients is below the planned size of {}",
                             rules.most_patients, spec.patients),
                 fmt::format("at least {}", spec.patients));
  rules.fewest_patients = static_cast<int>(
      reader.integer("fewest_patients", k_minimum_patients, k_maximum_patients, spec.patients));
  if (is_known(spec.patients) && rules.fewest_patients > spec.patients)
    reader.fault("fewest_patients",
                 fmt::format("at least {} patients is more than the planned size of {}",
                             rules.fewest_patients, spec.patients),
                 fmt::format("at most {}", spec.patients));
}

// The number of outcomes that the look waits for; 0 where something else triggers it.
int outcomes_at_look(const DesignSpec& spec) {
  if (!spec.looks || spec.looks->interim.size() != 1) return 0;
  const auto* known = std::get_if<OutcomesKnown>(&spec.looks->interim[0].rule);
  return known == nullptr ? 0 : known->patients.of(spec.patients);
}

void read_information(input::Reader& reader, const DesignSpec& spec, ReestimationSpec& rules) {
  rules.n_interim = outcomes_at_look(spec);
  if (rules.n_interim > 0 && rules.n_interim < spec.patients) {
    rules.information = static_cast<double>(rules.n_interim) / spec.patients;
  } else if (spec.looks && spec.looks->interim.size() == 1 && rules.n_interim == 0) {
    const auto written = reader.numbers("planned_information", input::k_open_probability, 1);
    if (written.size() == 1) rules.information = written[0];
  }
  if (!is_known(spec.patients)) return;
  if (rules.n_interim >= spec.patients) {
    reader.fault("looks",
                 fmt::format("a look at all {} outcomes (that is the last one)", spec.patients),
                 "only looks before the end are listed");
    return;
  }
  if (rules.n_interim > 0 && rules.fewest_patients < rules.n_interim)
    reader.fault("reestimation",
                 fmt::format("fewest_patients is {}, below the {} patients of the look",
                             rules.fewest_patients, rules.n_interim),
                 fmt::format("at least {}", rules.n_interim));
}

std::optional<ReestimationSpec::Futility> read_futility(input::Reader& design) {
  auto reader = design.optional_map("futility");
  if (!reader) return std::nullopt;
  ReestimationSpec::Futility futility;
  futility.rule = reader->choice<StopRule>("rule", k_reestimation_stops, StopRule::conditional_power);
  futility.below = reader->number(
      "below", futility.rule == StopRule::z ? input::k_any_number : input::k_open_probability);
  return futility;
}

void check_unweighted(input::Reader& reader, const DesignSpec& spec, const ReestimationSpec& rules) {
  if (rules.combination != sequential::Combination::unweighted || rules.rule->is_blinded()) return;
  if (rules.rule->enlarges_above_even_chance() && rules.fewest_patients == spec.patients) return;
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
  const analysis::TestSpec test = primary_test(spec, names);
  if (spec.looks && spec.looks->interim.size() > 1)
    reader.fault(
        "looks",
        fmt::format("{} interim looks (the size is re-estimated at one)", spec.looks->interim.size()),
        "one look");
  if (spec.looks && spec.looks->interim.empty() && reader.has("looks"))
    reader.fault("looks", "no interim look (the size is re-estimated at one)", "[{outcomes: 0.5}]");
  if (spec.arms.size() > 2)
    reader.fault("arms",
                 fmt::format("{} arms (re-estimation compares one with the control)", spec.arms.size()),
                 "one active arm and the control");
  {
    auto map = reader.map("reestimation");
    const auto read_rule = map.choice<ReadRule>("rule", k_reestimation_rules);
    rules.rule = read_rule(map, {spec.arms, &names, test.direction, test.margin});
    read_sizes(map, spec, rules);
  }
  read_information(reader, spec, rules);
  rules.combination = reader.choice<sequential::Combination>(
      "combination", sequential::k_combinations,
      rules.rule->is_blinded() ? sequential::Combination::unweighted
                               : sequential::Combination::inverse_normal);
  check_unweighted(reader, spec, rules);
  if (auto efficacy = reader.optional_map("efficacy"))
    rules.efficacy = read_boundary(*efficacy, one_sided_alpha(test), 2);
  rules.futility = read_futility(reader);
  return rules;
}

}  // namespace trialwright::design
