#include <fmt/format.h>

#include <variant>

#include "design/boundary_reader.hpp"
#include "design/design_spec.hpp"
#include "design/enrichment.hpp"

namespace trialwright::design {

namespace {

input::Bounds bounds_of(EnrichmentStatistic statistic) {
  switch (statistic) {
    case EnrichmentStatistic::conditional_power:
      return input::k_probability;
    case EnrichmentStatistic::z:
      return input::k_any_number;
    case EnrichmentStatistic::rate_difference:
      return {-1, 1, false, false, "a difference of rates"};
  }
  return {};
}

void read_rule(input::Reader& design, EnrichmentSpec& rules) {
  auto reader = design.map("enrichment");
  rules.rule = reader.choice<EnrichmentRule>("rule", k_enrichment_rules, EnrichmentRule::thresholds);
  rules.statistic = reader.choice<EnrichmentStatistic>("on", k_enrichment_statistics,
                                                       EnrichmentStatistic::conditional_power);
  const auto bounds = bounds_of(rules.statistic);
  if (rules.rule == EnrichmentRule::closeness) {
    rules.within = reader.number("within", input::k_non_negative);
    rules.at_least = reader.number("at_least", bounds);
    return;
  }
  rules.least_all = reader.number("all", bounds);
  rules.least_subgroup = reader.number("subgroup", bounds);
}

void read_look(input::Reader& reader, const DesignSpec& spec, EnrichmentSpec& rules) {
  if (!spec.looks || spec.looks->interim.size() != 1) {
    if (spec.looks && reader.has("looks"))
      reader.fault(
          "looks",
          fmt::format("{} interim looks (the population is chosen at one)", spec.looks->interim.size()),
          "[{outcomes: 0.5}]");
    return;
  }
  const auto* known = std::get_if<OutcomesKnown>(&spec.looks->interim.front().rule);
  if (!known) {
    rules.information = reader.number("interim_information", input::k_open_probability);
    return;
  }
  rules.n_interim = known->patients.of(spec.patients);
  if (rules.n_interim >= spec.patients)
    reader.fault("looks",
                 fmt::format("the look waits for {} of {} patients (none is left to recruit)",
                             rules.n_interim, spec.patients),
                 "[{outcomes: 0.5}]");
  else
    rules.information = static_cast<double>(rules.n_interim) / spec.patients;
}

void read_test(input::Reader& reader, double alpha, ClosedTestSpec& test) {
  test.intersection =
      reader.choice<Intersection>("intersection", k_population_intersections, Intersection::simes);
  using sequential::Combination;
  test.combination = reader.choice<Combination>("combination", sequential::k_combinations,
                                                Combination::inverse_normal);
  if (test.combination != Combination::inverse_normal && test.combination != Combination::fisher) {
    reader.fault("combination", "populations that change are combined by their stages' p-values",
                 "inverse_normal or fisher");
    test.combination = Combination::inverse_normal;
  }
  if (auto efficacy = reader.optional_map("efficacy"))
    test.efficacy = read_boundary(*efficacy, alpha, 2);
}

}  // namespace

EnrichmentSpec read_enrichment(input::Reader& reader, const DesignSpec& spec, const StudyNames& names) {
  EnrichmentSpec rules;
  if (!reader.has("subgroup"))
    reader.fault("subgroup", "the design does not say which patients it may be restricted to",
                 "subgroup: {factor: severity, level: \"iga >= 4\"}");
  rules.subgroup = read_subgroup(reader, names.factors).value_or(Subgroup{});
  if (spec.arms.size() > 2)
    reader.fault("arms",
                 fmt::format("{} arms (enrichment compares one with the control)", spec.arms.size()),
                 "one active arm and the control");
  read_look(reader, spec, rules);
  read_rule(reader, rules);
  if (auto stage_2 = reader.optional_map("stage_2"))
    rules.stage_2_patients =
        static_cast<int>(stage_2->integer("subgroup_patients", k_minimum_patients, k_maximum_patients));
  read_test(reader, names.test_of(spec.primary).one_sided_alpha(), rules.test);
  return rules;
}

}  // namespace trialwright::design
