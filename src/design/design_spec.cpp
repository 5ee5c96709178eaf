#include "design/design_spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace trialwright::design {

namespace {

constexpr double k_largest_ratio = 1000;

// Tells of an allocation that is no whole number; the ratio as an int.
int whole_ratio(input::Reader& reader, const input::Node& written, const std::string& arm,
                double ratio) {
  if (ratio != std::floor(ratio)) {
    const input::Node* value = written.find(arm);
    reader.faults().add(
        value == nullptr ? written.at : value->at,
        fmt::format("the allocation of \"{}\" is {} (a whole number is needed)", arm, ratio),
        "write 1 : 1.5 as 2 : 3");
  }
  return static_cast<int>(ratio);
}

// Empty where there are no two arms to compare, after telling so.
std::vector<ArmShare> read_arms(input::Reader& reader, const StudyNames& names) {
  const auto ratios = reader.number_by_name("arms", names.arms, "arm",
                                            {1, k_largest_ratio, false, false, "a whole number"});
  const input::Node* written = reader.raw("arms");
  if (written == nullptr || written->kind != input::Node::Kind::map) return {};
  std::vector<ArmShare> arms;
  for (std::size_t a = 0; a < ratios.size(); ++a)
    if (ratios[a])
      arms.push_back({static_cast<int>(a), whole_ratio(reader, *written, names.arms[a], *ratios[a])});
  if (arms.size() < written->entries.size()) return {};  // an entry was a fault already

  const bool has_control = std::any_of(
      arms.begin(), arms.end(), [&](const ArmShare& arm) { return arm.arm == names.control_arm; });
  if (!has_control) {
    reader.fault("arms", "the design has no control arm (every comparison is with the control)",
                 fmt::format("add {}: 1", names.arms[names.control_arm]));
    return {};
  }
  if (arms.size() < 2) {
    reader.fault("arms", "the design has no active arm (there is nothing to compare with the control)",
                 fmt::format("the study's arms: {}", fmt::join(names.arms, ", ")));
    return {};
  }
  return arms;
}

void check_every_arm_has_patients(input::Reader& reader, const DesignSpec& spec,
                                  const StudyNames& names) {
  const std::vector<int> totals = arm_totals(spec.patients, spec.arms),
                         ratio = reduced_ratio(spec.arms);
  for (std::size_t a = 0; a < totals.size(); ++a) {
    if (totals[a] > 0) continue;
    reader.fault("patients",
                 fmt::format("{} patients in this ratio leave arm \"{}\" without a patient",
                             spec.patients, names.arms[spec.arms[a].arm]),
                 fmt::format("{} patients hold the ratio exactly",
                             std::accumulate(ratio.begin(), ratio.end(), 0)));
  }
}

std::vector<int> read_secondary(input::Reader& reader, int primary, const StudyNames& names) {
  std::vector<int> secondary = reader.references("secondary", names.analyses, "analysis");
  if (std::find(secondary.begin(), secondary.end(), primary) != secondary.end())
    reader.fault("secondary",
                 fmt::format("\"{}\" is the primary analysis already", names.analyses[primary]),
                 "take it out of the list");
  return secondary;
}

void read_rules(DesignKind kind, input::Reader& reader, const StudyNames& names, DesignSpec& spec) {
  if (kind != DesignKind::fixed && kind != DesignKind::randomised_withdrawal)
    spec.looks = read_looks(reader, spec.patients);
  switch (kind) {
    case DesignKind::fixed:
      spec.rules = FixedRules{read_subgroup(reader, names.factors)};
      return;
    case DesignKind::group_sequential:
      spec.rules = read_group_sequential(reader, spec, names);
      return;
    case DesignKind::sample_size_reestimation:
      spec.rules = read_reestimation(reader, spec, names);
      return;
    case DesignKind::treatment_selection:
      spec.rules = read_selection(reader, spec, names);
      return;
    case DesignKind::multi_arm_multi_stage:
      spec.rules = read_multi_stage(reader, spec, names);
      return;
    case DesignKind::enrichment:
      spec.rules = read_enrichment(reader, spec, names);
      return;
    case DesignKind::randomised_withdrawal:
      spec.rules = read_withdrawal(reader, spec, names);
      return;
  }
}

}  // namespace

bool DesignSpec::has_arm(int arm) const {
  return std::any_of(arms.begin(), arms.end(), [&](const ArmShare& share) { return share.arm == arm; });
}

std::optional<Subgroup> DesignSpec::subgroup() const {
  if (const auto* fixed = std::get_if<FixedRules>(&rules)) return fixed->subgroup;
  if (const auto* enrichment = std::get_if<EnrichmentSpec>(&rules)) return enrichment->subgroup;
  return std::nullopt;
}

DesignSpec read_design(std::string name, input::Reader& reader, const StudyNames& names) {
  DesignSpec spec;
  spec.name = std::move(name);
  const auto kind = reader.choice<DesignKind>("kind", k_design_kinds);
  spec.arms = read_arms(reader, names);
  const std::size_t faults_before = reader.faults().size();
  spec.patients = static_cast<int>(reader.integer("patients", k_minimum_patients, k_maximum_patients));
  // A number that is a fault itself should not be told to be too small for a block as well.
  const bool patients_are_known = reader.faults().size() == faults_before;
  spec.primary = reader.reference("primary", names.analyses, "analysis");
  spec.secondary = read_secondary(reader, spec.primary, names);
  // Blocks keep the arms in their ratio at every look.
  const bool is_fixed = kind == DesignKind::fixed && !reader.has("subgroup");
  const auto usual =
      is_fixed ? RandomisationMethod::random_allocation : RandomisationMethod::permuted_block;
  spec.randomisation = read_randomisation(
      reader, spec.arms, patients_are_known ? spec.patients : k_maximum_patients, names.factors, usual);
  const bool is_random_allocation = std::holds_alternative<RandomAllocation>(spec.randomisation);
  if (is_random_allocation && !is_fixed && kind != DesignKind::randomised_withdrawal)
    reader.fault(
        "randomisation",
        "random_allocation fixes the arms' sizes at the end alone (looks would meet them by chance)",
        "method: permuted_block");
  if (patients_are_known && !spec.arms.empty() && is_random_allocation)
    check_every_arm_has_patients(reader, spec, names);
  read_rules(kind, reader, names, spec);
  return spec;
}

std::shared_ptr<const StagedDesign> make_staged_design(const DesignSpec& spec,
                                                       const DesignContext& context) {
  struct Make {
    const DesignSpec& spec;
    const DesignContext& context;
    using Made = std::shared_ptr<const StagedDesign>;
    Made operator()(const FixedRules& rules) const { return make_fixed_subgroup(spec, rules, context); }
    Made operator()(const GroupSequentialSpec& rules) const {
      return make_group_sequential(spec, rules, context);
    }
    Made operator()(const ReestimationSpec& rules) const {
      return make_reestimation(spec, rules, context);
    }
    Made operator()(const SelectionSpec& rules) const { return make_selection(spec, rules, context); }
    Made operator()(const MultiStageSpec& rules) const {
      return make_multi_stage(spec, rules, context);
    }
    Made operator()(const EnrichmentSpec& rules) const { return make_enrichment(spec, rules, context); }
    Made operator()(const WithdrawalSpec&) const { return nullptr; }
  };
  return std::visit(Make{spec, context}, spec.rules);
}

}  // namespace trialwright::design
