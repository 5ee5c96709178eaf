// A study: the file, its grid of points, and the trial plan of any of them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/exact_z.hpp"
#include "input/document.hpp"
#include "scenario/study_spec.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::scenario {

// One design under one scenario at one setting of the sweep.
struct PointSpec {
  std::string design;
  std::string scenario;
  SweepSettings sweep;
};

// A study file that has been read and found without fault. Not for use by two threads at once.
class Study {
 public:
  // Reads a file, applies `path=value` assignments in order, and checks everything; throws bad_input
  // with all faults, io_error where the file cannot be read.
  static Study load(const std::filesystem::path& file, const std::vector<std::string>& assignments);
  // The same from text; `extends` is relative to `base`.
  static Study parse(std::string_view text, const std::string& name, const std::filesystem::path& base,
                     const std::vector<std::string>& assignments);

  const StudySpec& spec() const { return spec_; }
  // The study as written: the files merged, assignments applied, no defaults.
  const input::Node& root() const { return document_.root; }
  // The title, or the file's name without its ending.
  const std::string& name() const { return name_; }
  // The study with every default written out, as YAML that gives the same results.
  std::string resolved_yaml() const;
  // Of the resolved study but for what moves no trial (the number of trials, the precision asked for,
  // the outputs), so that more trials are more of the same.
  std::uint64_t hash() const;
  // The number of trials and the precision asked for too.
  std::uint64_t hash_with_trials() const;

  // Every design × scenario × sweep point, in that order, the last axis varying fastest.
  std::vector<PointSpec> points() const;

  // The plan of one point. Sweep settings may be any paths of the study. Throws bad_input where the
  // settings make the study faulty.
  std::shared_ptr<const trial::TrialPlan> plan(const PointSpec& point);
  // All of them; faults of every point come in one message.
  std::vector<std::shared_ptr<const trial::TrialPlan>> plans(const std::vector<PointSpec>& points);
  // The same of a range of them, with the faults told to `faults`; a plan with faults is null. For
  // threads that each plan their own range with their own copy of the study, which starts with all that
  // the original has read.
  std::vector<std::shared_ptr<const trial::TrialPlan>> plans(std::span<const PointSpec> points,
                                                             input::Diagnostics& faults);
  // Throws bad_input with these faults, shown in the study's text.
  [[noreturn]] void refuse(const input::Diagnostics& faults) const;
  // A plan without analyses: every arm of the study with `patients_per_arm` patients, as calibrated
  // (effect 1), for the counts of the given estimands (indices into spec().estimands, each once).
  // Settings as above.
  std::shared_ptr<const trial::TrialPlan> estimand_plan(const std::vector<int>& estimands,
                                                        int patients_per_arm,
                                                        const SweepSettings& settings);

 private:
  Study(input::Document document, std::string name, input::Diagnostics faults,
        const std::vector<std::string>& assignments);
  std::shared_ptr<const trial::TrialPlan> plan(const PointSpec& point, input::Diagnostics& faults);
  std::shared_ptr<const patient::PatientModel> model(const StudySpec& spec,
                                                     const ScenarioSpec& scenario,
                                                     const input::Node& root,
                                                     input::Diagnostics& faults);

  std::optional<double> exact_rate(const trial::TrialPlan& plan, const trial::PlannedAnalysis& analysis,
                                   std::uint64_t definition, int arm);
  void add_exact_rates(const input::Node& root, trial::TrialPlan& plan);

  input::Document document_;
  std::string name_;
  StudySpec spec_;
  input::Node resolved_;
  PatientCache cache_;
  struct CachedModel {
    std::weak_ptr<const patient::PatientSpec> spec;
    std::array<std::uint64_t, 4> truth{};
    std::weak_ptr<const patient::PatientModel> model;
  };
  std::vector<CachedModel> models_;
  // A quadrature each; points that differ in the design alone share them.
  struct CachedRate {
    std::weak_ptr<const patient::PatientModel> model;
    std::uint64_t definition = 0;  // of the estimand
    int arm = 0;
    std::optional<trial::Subgroup> subgroup;
    std::optional<double> rate;
  };
  std::vector<CachedRate> rates_;
  // A search each; copies of the study share them too.
  std::shared_ptr<const analysis::ExactZ> exact_z_ = std::make_shared<const analysis::ExactZ>();
  // Those of the study as it stands, which its points are likely to need.
  std::vector<std::shared_ptr<const patient::PatientModel>> checked_;
};

}  // namespace trialwright::scenario
