#include "scenario/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "scenario/make_plan.hpp"
#include "scenario/study_path.hpp"
#include "trialwright/error.hpp"

namespace trialwright::scenario {
namespace {

// Distinct models and patient sections kept for points to share.
constexpr std::size_t k_max_cached = 64;

template <class Container>
void keep_recent(Container& entries) {
  if (entries.size() > k_max_cached) entries.erase(entries.begin());
}

// Where a path is written as an axis of the sweep, so that a fault of the path itself is told once and
// not at each of its values.
input::Position place_in_sweep(const input::Node& root, const std::string& path) {
  if (const input::Node* sweep = root.find("sweep"))
    for (const auto& axis : sweep->entries)
      if (axis.key == path) return axis.key_at;
  return {};
}

void set_all(input::Node& root, const std::vector<std::pair<std::string, input::Node>>& settings,
             input::Diagnostics& faults) {
  for (const auto& [path, value] : settings)
    if (!input::set_path(root, path, value, place_in_sweep(root, path)))
      faults.add(
          value.at, fmt::format("there is no \"{}\" in this study to set", path),
          "a path is written with dots from the top of the file, such as designs.fixed.patients");
}

// Of all that a scenario's truth is read from.
std::array<std::uint64_t, 4> truth_sections(const input::Node& root, const std::string& scenario) {
  // Posteriors take the published responses' definitions from the endpoints behind the calibration.
  const std::array<std::string, 4> paths{"scenarios." + scenario, "calibration", "estimands",
                                         "endpoints"};
  std::array<std::uint64_t, 4> hashes{};
  for (std::size_t i = 0; i < paths.size(); ++i)
    if (const input::Node* section = input::find_path(root, paths[i]))
      hashes[i] = input::quick_hash(*section);
  return hashes;
}

constexpr int k_most_points = 100'000;

double n_points(const StudySpec& spec) {
  double all = 0;
  for (const auto& design : spec.designs) {
    for (const auto& scenario : spec.scenarios) {
      double n = 1;
      for (const auto& axis : axes_for(spec.sweep, design.name, scenario.name))
        n *= static_cast<double>(axis.values.size());
      all += n;
    }
  }
  return all;
}

bool holds(const input::Node& value, const input::Position& at) {
  if (value.at.source == at.source && value.at.line == at.line && value.at.column == at.column)
    return true;
  return std::any_of(value.items.begin(), value.items.end(),
                     [&](const auto& item) { return holds(item, at); }) ||
         std::any_of(value.entries.begin(), value.entries.end(), [&](const auto& entry) {
           return holds(entry.value, at) || holds(input::Node::scalar("", entry.key_at), at);
         });
}

// Reads the study with some values in place of its own; the faults that stand in those values.
void add_faults_with(const std::vector<std::pair<std::string, input::Node>>& settings, input::Node root,
                     input::Diagnostics& faults, PatientCache& cache) {
  input::Diagnostics found;
  set_all(root, settings, found);
  input::Node echo = input::Node::map();
  const auto check_truth = [&](const StudySpec& spec, const ScenarioSpec& scenario) {
    patient::PatientModel(spec.patient, scenario.truth, found, scenario.at, &cache.course_tables);
  };
  if (found.empty()) read_study(root, found, echo, &cache, check_truth);
  for (const auto& fault : found.faults())
    for (const auto& [path, value] : settings)
      if (holds(value, fault.at)) faults.add(fault.at, fault.problem, fault.hint);
}

// A study with faults has no points; what its swept values and overrides would add
// is told in the same go.
void add_faults_of_values(const input::Node& root, input::Diagnostics& faults, PatientCache& cache) {
  constexpr std::size_t k_most_values = 50;
  if (const input::Node* scenarios = root.find("scenarios"))
    for (const auto& scenario : scenarios->entries) {
      auto overrides = overrides_of(scenario.value);
      std::erase_if(overrides, [&](const auto& setting) { return !can_be_set(root, setting.first); });
      if (!overrides.empty()) add_faults_with(overrides, root, faults, cache);
    }
  const input::Node* sweep = root.find("sweep");
  if (!sweep) return;
  for (const auto& axis : sweep->entries) {
    const input::Node* swept = input::find_path(root, axis.key);
    if (!swept || swept->kind != input::Node::Kind::scalar) continue;
    for (std::size_t i = 0; i < axis.value.items.size() && i < k_most_values; ++i)
      if (axis.value.items[i].kind == input::Node::Kind::scalar)
        add_faults_with({{axis.key, axis.value.items[i]}}, root, faults, cache);
  }
}

bool is_absent(const input::Node& root, const char* section) {
  const input::Node* written = root.find(section);
  return !written || written->kind == input::Node::Kind::null ||
         (written->kind == input::Node::Kind::map && written->entries.empty());
}

}  // namespace

Study::Study(input::Document document, std::string name, input::Diagnostics faults,
             const std::vector<std::string>& assignments)
    : document_(std::move(document)), name_(std::move(name)), resolved_(input::Node::map()) {
  // --trials, --seed and --set outputs.trials=true set values of sections that a study may leave to its
  // defaults.
  for (const auto* section : {"simulation", "outputs"})
    if (!document_.root.find(section))
      document_.root.entries.push_back({section, {}, input::Node::map()});
  if (faults.empty())
    for (const auto& assignment : assignments) input::apply_set(document_, assignment, faults);
  std::optional<StudySpec> spec;
  const bool is_well_formed = faults.empty();
  const auto check_truth = [&](const StudySpec& read, const ScenarioSpec& scenario) {
    auto made = model(read, scenario, document_.root, faults);
    if (made && checked_.size() < k_max_cached) checked_.push_back(std::move(made));
  };
  if (is_well_formed) spec = read_study(document_.root, faults, resolved_, &cache_, check_truth);
  if (is_well_formed && !spec) add_faults_of_values(document_.root, faults, cache_);
  for (const auto& [section, why] : {std::pair{"designs", "nothing could be simulated"},
                                     std::pair{"scenarios", "no truth to simulate under"}})
    if (is_well_formed && is_absent(document_.root, section))
      faults.add(document_.root.at, fmt::format("the study has no {} ({})", section, why));
  if (spec && faults.empty() && n_points(*spec) > k_most_points)
    faults.add(input::find_path(document_.root, "sweep")->at,
               fmt::format("designs, scenarios and sweep make {:.0f} points (at most {} are possible)",
                           n_points(*spec), k_most_points),
               "sweep fewer values, or make several studies");
  if (!faults.empty()) throw bad_input(faults.text(document_.sources));
  spec_ = std::move(*spec);
  if (!spec_.title.empty()) name_ = spec_.title;
}

Study Study::load(const std::filesystem::path& file, const std::vector<std::string>& assignments) {
  input::Diagnostics faults;
  auto document = input::read_document(file, faults);
  return {std::move(document), file.stem().string(), std::move(faults), assignments};
}

Study Study::parse(std::string_view text, const std::string& name, const std::filesystem::path& base,
                   const std::vector<std::string>& assignments) {
  input::Diagnostics faults;
  auto document = input::parse_document(text, name, base, faults);
  return {std::move(document), name, std::move(faults), assignments};
}

std::string Study::resolved_yaml() const {
  return input::to_yaml(resolved_);
}

std::uint64_t Study::hash() const {
  input::Node root = resolved_;
  if (input::Node* simulation = root.find("simulation"))
    std::erase_if(simulation->entries,
                  [](const auto& entry) { return entry.key == "trials" || entry.key == "precision"; });
  std::erase_if(root.entries, [](const auto& entry) { return entry.key == "outputs"; });
  return input::fingerprint(root);
}

std::uint64_t Study::hash_with_trials() const {
  input::Node root = resolved_;
  std::erase_if(root.entries, [](const auto& entry) { return entry.key == "outputs"; });
  return input::fingerprint(root);
}

std::vector<PointSpec> Study::points() const {
  std::vector<PointSpec> points;
  for (const auto& design : spec_.designs)
    for (const auto& scenario : spec_.scenarios)
      for (auto& settings : cross(axes_for(spec_.sweep, design.name, scenario.name)))
        points.push_back({design.name, scenario.name, std::move(settings)});
  return points;
}

std::shared_ptr<const patient::PatientModel> Study::model(const StudySpec& spec,
                                                          const ScenarioSpec& scenario,
                                                          const input::Node& root,
                                                          input::Diagnostics& faults) {
  const auto* effect = std::get_if<patient::EffectMultiplier>(&scenario.truth);
  if (effect && effect->value == 1) return spec.calibrated;
  const auto truth = truth_sections(root, scenario.name);
  for (const auto& cached : models_)
    if (cached.spec.lock() == spec.patient && cached.truth == truth)
      if (auto model = cached.model.lock()) return model;
  const std::size_t n_faults = faults.size();
  auto model = std::make_shared<patient::PatientModel>(spec.patient, scenario.truth, faults,
                                                       scenario.at, &cache_.course_tables);
  if (faults.size() > n_faults) return nullptr;
  models_.push_back({spec.patient, truth, model});
  keep_recent(models_);
  return model;
}

std::optional<double> Study::exact_rate(const trial::TrialPlan& plan,
                                        const trial::PlannedAnalysis& analysis,
                                        std::uint64_t definition, int arm) {
  const auto& subgroup = analysis.subgroup;
  for (const auto& cached : rates_)
    if (cached.definition == definition && cached.arm == arm && cached.subgroup == subgroup &&
        cached.model.lock() == plan.model)
      return cached.rate;
  const auto& estimand = plan.estimands[static_cast<std::size_t>(analysis.i_estimand)];
  const auto rate = subgroup ? estimand.exact_rate(*plan.model, arm, subgroup->factor, subgroup->level)
                             : estimand.exact_rate(*plan.model, arm);
  rates_.push_back({plan.model, definition, arm, subgroup, rate});
  keep_recent(rates_);
  return rate;
}

void Study::add_exact_rates(const input::Node& root, trial::TrialPlan& plan) {
  std::uint64_t definitions = 0;
  for (const auto* section : {"endpoints", "estimands"})
    if (const input::Node* written = root.find(section))
      definitions = 31 * definitions + input::quick_hash(*written);
  for (auto& analysis : plan.analyses) {
    const auto& estimand = plan.estimands[static_cast<std::size_t>(analysis.i_estimand)];
    const std::uint64_t definition = definitions ^ std::hash<std::string>{}(estimand.name());
    const auto rate_1 = exact_rate(plan, analysis, definition, analysis.arm_1);
    const auto rate_0 = exact_rate(plan, analysis, definition, analysis.arm_0);
    if (rate_1 && rate_0) analysis.exact_rates = trial::ExactRates{*rate_1, *rate_0};
  }
}

std::shared_ptr<const trial::TrialPlan> Study::plan(const PointSpec& point,
                                                    input::Diagnostics& faults) {
  input::Node root = document_.root;
  set_all(root, point.sweep, faults);
  const input::Node* written = input::find_path(root, "scenarios." + point.scenario);
  if (written) set_all(root, overrides_of(input::Node(*written)), faults);
  if (!faults.empty()) return nullptr;

  input::Node echo = input::Node::map();
  // Its own truth is checked when its model is made; others are points of their own.
  const auto spec = read_study(root, faults, echo, &cache_, {});
  keep_recent(cache_.entries);
  if (!spec) return nullptr;
  const auto* design = spec->design(point.design);
  const auto* scenario = spec->scenario(point.scenario);
  if (!design || !scenario) {
    faults.add({}, fmt::format("the study has no {} \"{}\"", design ? "scenario" : "design",
                               design ? point.scenario : point.design));
    return nullptr;
  }
  auto patient_model = model(*spec, *scenario, root, faults);
  if (!patient_model) return nullptr;
  auto plan = make_plan(*spec, *design, point.scenario, std::move(patient_model), exact_z_);
  add_exact_rates(root, *plan);
  return plan;
}

std::shared_ptr<const trial::TrialPlan> Study::plan(const PointSpec& point) {
  input::Diagnostics faults;
  auto resolved = plan(point, faults);
  if (!faults.empty()) throw bad_input(faults.text(document_.sources));
  return resolved;
}

std::vector<std::shared_ptr<const trial::TrialPlan>> Study::plans(
    const std::vector<PointSpec>& points) {
  input::Diagnostics faults;
  auto plans = this->plans(points, faults);
  if (!faults.empty()) refuse(faults);
  return plans;
}

std::vector<std::shared_ptr<const trial::TrialPlan>> Study::plans(std::span<const PointSpec> points,
                                                                  input::Diagnostics& faults) {
  std::vector<std::shared_ptr<const trial::TrialPlan>> plans;
  plans.reserve(points.size());
  for (const auto& point : points) {
    input::Diagnostics of_point;
    plans.push_back(plan(point, of_point));
    for (const auto& fault : of_point.faults()) faults.add(fault.at, fault.problem, fault.hint);
  }
  return plans;
}

void Study::refuse(const input::Diagnostics& faults) const {
  throw bad_input(faults.text(document_.sources));
}

std::shared_ptr<const trial::TrialPlan> Study::estimand_plan(const std::vector<int>& estimands,
                                                             int patients_per_arm,
                                                             const SweepSettings& settings) {
  input::Diagnostics faults;
  input::Node root = document_.root;
  set_all(root, settings, faults);
  // Neither truths nor designs bear on the calibrated patients, and a scenario may be one that these
  // settings do not allow.
  std::erase_if(root.entries, [](const auto& entry) {
    return entry.key == "designs" || entry.key == "scenarios" || entry.key == "sweep";
  });
  input::Node echo = input::Node::map();
  std::optional<StudySpec> spec;
  if (faults.empty()) spec = read_study(root, faults, echo, &cache_, {});
  keep_recent(cache_.entries);
  if (!spec) throw bad_input(faults.text(document_.sources));

  return make_estimand_plan(*spec, estimands, patients_per_arm);
}

}  // namespace trialwright::scenario
