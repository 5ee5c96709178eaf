#include "scenario/study_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "patient/patient_spec.hpp"

namespace trialwright::scenario {
namespace {

constexpr std::array<std::string_view, 6> k_patient_sections{
    "population", "recruitment", "arms", "measures", "intercurrent_events", "safety"};

template <class Things>
std::vector<std::string> names_of(const Things& things) {
  std::vector<std::string> names;
  for (const auto& thing : things) names.push_back(thing.name);
  return names;
}

PatientCache::Sections patient_sections(const input::Node& root) {
  PatientCache::Sections hashes{};
  for (std::size_t i = 0; i < hashes.size(); ++i)
    if (const input::Node* section = root.find(k_patient_sections[i]))
      hashes[i] = input::quick_hash(*section);
  return hashes;
}

// What later sections refer to by name, whether or not the patients are without fault.
struct PatientNames {
  std::vector<std::string> arms;
  int control_arm = 0;
  std::vector<design::FactorLevels> factors;
  endpoint::StudyNames endpoint;
  std::int64_t capacity = std::numeric_limits<std::int64_t>::max();
};

PatientNames patient_names(const patient::PatientModel& model) {
  PatientNames names;
  names.arms = names_of(model.arms());
  names.control_arm = model.control_arm();
  for (const auto& factor : model.factors())
    names.factors.push_back({factor.name, static_cast<int>(factor.levels.size()), factor.levels});
  names.endpoint = {model.measures(), model.visit_weeks(), model.adverse_event_categories(),
                    model.follow_up_weeks()};
  names.capacity = model.capacity();
  return names;
}

// The same of patients with faults, so that later sections are checked too; nullopt where too little of
// them is known to tell a fault from what follows from another.
std::optional<PatientNames> names_despite_faults(const patient::PatientSpec& spec,
                                                 const input::Node& root) {
  for (const auto* section : {"population", "arms", "measures"}) {
    const input::Node* written = root.find(section);
    if (!written || written->kind != input::Node::Kind::map) return std::nullopt;
  }
  const auto n_controls =
      std::count_if(spec.arms.begin(), spec.arms.end(), [](const auto& arm) { return arm.is_control; });
  const input::Node* safety = root.find("safety");
  const bool knows_events = !safety || !spec.adverse_events.categories().empty();
  if (n_controls != 1 || spec.population->covariates().empty() || spec.course.name.empty() ||
      !knows_events)
    return std::nullopt;
  PatientNames names;
  names.arms = names_of(spec.arms);
  names.control_arm = static_cast<int>(patient::control_of(spec.arms));
  for (const auto& stratum : spec.population->strata())
    names.factors.push_back({stratum.name, static_cast<int>(stratum.levels.size()), stratum.levels});
  for (const auto& [name, levels] : {std::pair{"region", spec.recruitment->region_names()},
                                     std::pair{"site", spec.recruitment->site_names()}})
    names.factors.push_back({name, static_cast<int>(levels.size()), levels});
  constexpr double k_infinity = std::numeric_limits<double>::infinity();
  names.endpoint.measures.push_back({spec.course.name, 0, -k_infinity, k_infinity, 0});
  for (const auto& entry : root.find("measures")->entries)
    if (entry.key != spec.course.name)
      names.endpoint.measures.push_back({entry.key, 0, -k_infinity, k_infinity, 0});
  names.endpoint.adverse_event_categories = spec.adverse_events.categories();
  return names;
}

// The patient sections and the calibrated model, from the cache where they have been read before.
std::optional<PatientNames> read_patients(input::Reader& study, const input::Node& root,
                                          PatientCache* cache, StudySpec& spec) {
  const PatientCache::Sections sections = patient_sections(root);
  patient::KnownParts known;
  if (cache) {
    for (const auto& entry : cache->entries) {
      if (entry.sections[0] == sections[0]) known.population = entry.spec.get();
      if (entry.sections[1] == sections[1]) known.recruitment = entry.spec.get();
      if (entry.sections != sections) continue;
      for (const auto name : k_patient_sections) study.raw(name);
      spec.patient = entry.spec;
      spec.calibrated = entry.calibrated;
      return patient_names(*spec.calibrated);
    }
  }
  const std::size_t n_faults = study.faults().size();
  spec.patient = patient::read_patient(study, known);
  if (study.faults().size() > n_faults) {
    const auto faulty = std::exchange(spec.patient, nullptr);
    return names_despite_faults(*faulty, root);
  }
  auto model = std::make_shared<patient::PatientModel>(spec.patient, patient::EffectMultiplier{1},
                                                       study.faults(), study.at("measures"),
                                                       cache ? &cache->course_tables : nullptr);
  if (study.faults().size() > n_faults) return patient_names(*model);
  spec.calibrated = std::move(model);
  if (cache) cache->entries.push_back({sections, spec.patient, spec.calibrated});
  return patient_names(*spec.calibrated);
}

// `published: {events: [19, 11], patients: [33, 34]}`, the active arm first.
std::optional<analysis::TwoByTwo> read_published(input::Reader& reader) {
  auto published = reader.optional_map("published");
  if (!published) return std::nullopt;
  const std::size_t n_faults = reader.faults().size();
  constexpr double k_most_patients = 1e6;
  const auto events =
      published->numbers("events", {0, k_most_patients, false, false, "events"}, std::size_t{2});
  const auto patients =
      published->numbers("patients", {1, k_most_patients, false, false, "patients"}, std::size_t{2});
  for (std::size_t i = 0; i < 2 && reader.faults().size() == n_faults; ++i)
    if (events[i] > patients[i] || events[i] != std::floor(events[i]) ||
        patients[i] != std::floor(patients[i]))
      published->fault("events",
                       fmt::format("{} events of {} patients were published (whole numbers are "
                                   "needed, and no more events than patients)",
                                   events[i], patients[i]));
  return analysis::TwoByTwo{static_cast<int>(events[0]), static_cast<int>(patients[0]),
                            static_cast<int>(events[1]), static_cast<int>(patients[1])};
}

// A published ratio is placed among the simulated ones by its logarithm.
void check_published_ratio(const AnalysisEntry& entry, input::Reader& reader) {
  if (entry.spec.effect == analysis::EffectMeasure::risk_difference) return;
  const auto& table = *entry.published;
  const bool is_odds = entry.spec.effect == analysis::EffectMeasure::odds_ratio;
  const bool has_none = table.responders_1 == 0 || table.responders_0 == 0;
  const bool has_all = table.responders_1 == table.n_1 || table.responders_0 == table.n_0;
  if (!has_none && !(is_odds && has_all)) return;
  reader.fault(
      "published",
      fmt::format("an arm published with {} events has a ratio of zero or infinity (which has no "
                  "logarithm to be placed among the simulated ones)",
                  has_none ? "no" : "only"),
      "effect: risk_difference");
}

// `consistency: {with: all_patients, fraction: 0.5}`.
std::optional<AnalysisEntry::Consistency> read_consistency(input::Reader& reader,
                                                           const std::vector<std::string>& analyses) {
  auto consistency = reader.optional_map("consistency");
  if (!consistency) return std::nullopt;
  AnalysisEntry::Consistency read;
  read.with = consistency->reference("with", analyses, "analysis");
  read.fraction = consistency->number("fraction", {0, 1, true, false, "a fraction"}, read.fraction);
  if (read.with < 0) return std::nullopt;
  return read;
}

// An estimate is compared with one of the same thing.
void check_consistency(const StudySpec& spec, std::size_t i_analysis, input::Reader& reader) {
  const auto& entry = spec.analyses[i_analysis];
  if (!entry.consistency || entry.spec.borrowing) return;
  const auto& with = spec.analyses[static_cast<std::size_t>(entry.consistency->with)];
  const std::string pair = fmt::format("\"{}\" and \"{}\"", entry.name, with.name);
  if (&with == &entry)
    reader.fault("consistency", "\"with\" is the analysis itself (it is consistent with another)");
  else if (with.spec.borrowing)
    reader.fault("consistency",
                 fmt::format("\"{}\" borrows (an estimate is held against one of a table)", with.name));
  else if (entry.spec.effect != with.spec.effect || entry.estimand != with.estimand)
    reader.fault(
        "consistency",
        fmt::format("{} estimate different things (their estimand and effect must be the same)", pair));
  else if (entry.arm != with.arm || entry.against != with.against)
    reader.fault("consistency", fmt::format("{} compare different arms", pair));
}

constexpr double k_largest_percentage = 100;

// On what scale arms differ in an estimand of numbers; null of events.
std::optional<design::MeanScale> mean_scale(const StudySpec& spec,
                                            const estimand::EstimandSpec& estimand) {
  if (estimand.endpoint < 0) return std::nullopt;
  const auto* change = spec.endpoints[static_cast<std::size_t>(estimand.endpoint)].change();
  if (!change) return std::nullopt;
  switch (change->unit) {
    case endpoint::ChangeUnit::points:
      return design::MeanScale{change->range, "a difference in points of the measure"};
    case endpoint::ChangeUnit::percent:
      return design::MeanScale{k_largest_percentage, "a difference in percentage points"};
  }
  return std::nullopt;
}

design::EstimandNames estimand_names(const StudySpec& spec) {
  design::EstimandNames names{names_of(spec.estimands)};
  for (const auto& estimand : spec.estimands) names.means.push_back(mean_scale(spec, estimand));
  return names;
}

// A subgroup borrows from the patients outside it, and its estimate is not that of its own table.
void check_borrowing(const AnalysisEntry& entry, input::Reader& reader) {
  if (!entry.spec.borrowing) return;
  if (!reader.has("subgroup"))
    reader.fault("method",
                 "the method commensurate has no subgroup (it lets one borrow from the other patients)",
                 "subgroup: {factor: region, level: korea}");
  if (entry.consistency)
    reader.fault("consistency",
                 "an analysis that borrows is not held against another (what it borrows is from there)",
                 "hold an analysis of the same subgroup against it that does not borrow");
  if (entry.published)
    reader.fault("published",
                 "an analysis that borrows has no published estimate (one table does not tell it)",
                 "leave out \"published\"");
}

AnalysisEntry read_analysis(const std::string& name, input::Reader& reader, const StudySpec& spec,
                            const PatientNames& names, const std::vector<std::string>& analyses) {
  AnalysisEntry entry;
  entry.name = name;
  entry.estimand = estimand_names(spec).read_events(reader, "estimand");
  const bool higher = entry.estimand < 0 || spec.higher_is_better(entry.estimand);
  entry.spec = analysis::read_test(
      reader, higher ? analysis::Direction::higher_is_better : analysis::Direction::lower_is_better);
  entry.strata = reader.references("strata", names_of(names.factors), "stratification factor");
  entry.subgroup = design::read_subgroup(reader, names.factors);
  entry.consistency = read_consistency(reader, analyses);
  entry.arm = reader.optional_reference("arm", names.arms, "arm");
  entry.against = reader.optional_reference("against", names.arms, "arm");
  const std::size_t n_faults = reader.faults().size();
  entry.published = read_published(reader);
  if (entry.published && reader.faults().size() == n_faults) check_published_ratio(entry, reader);
  const bool is_cmh = entry.spec.test.method == analysis::Method::cmh;
  if (is_cmh && !reader.has("strata"))
    reader.fault("method", "the method cmh has no strata (it tests over strata)", "strata: [severity]");
  if (!is_cmh && !entry.strata.empty())
    reader.fault("strata", "\"strata\" is given for a method that has none (only cmh is stratified)",
                 "method: cmh");
  if (is_cmh) {
    if (const auto problem =
            analysis::check(entry.spec.effect, entry.spec.interval, analysis::Stratification::strata))
      reader.fault("interval", *problem);
  }
  check_borrowing(entry, reader);
  if (entry.arm && entry.arm == entry.against)
    reader.fault("against", "\"against\" is the arm itself (an arm is compared with another)");
  return entry;
}

std::optional<double> response_ratio(const StudySpec& spec, const estimand::EstimandSpec& estimand) {
  if (estimand.endpoint < 0) return std::nullopt;
  const auto& definition = spec.endpoints[static_cast<std::size_t>(estimand.endpoint)].definition;
  const auto* responder = std::get_if<endpoint::ResponderSpec>(&definition);
  if (!responder || responder->measure != 0 || !responder->reduction || responder->at_most ||
      responder->improvement)
    return std::nullopt;
  // Before that week the law is another.
  if (spec.patient && responder->week < spec.patient->course.reached_week) return std::nullopt;
  return 1 - *responder->reduction;
}

void read_endpoints_to_analyses(input::Reader& study, const PatientNames& names, StudySpec& spec) {
  for (auto& [name, reader] : study.named("endpoints"))
    spec.endpoints.push_back(endpoint::read_endpoint(name, reader, names.endpoint));
  for (auto& [name, reader] : study.named("estimands"))
    spec.estimands.push_back(estimand::read_estimand(name, reader, spec.endpoints));
  auto analyses = study.named("analyses");
  std::vector<std::string> analysis_names;
  for (const auto& entry : analyses) analysis_names.push_back(entry.first);
  for (auto& [name, reader] : analyses)
    spec.analyses.push_back(read_analysis(name, reader, spec, names, analysis_names));
  for (std::size_t i = 0; i < analyses.size(); ++i) check_consistency(spec, i, analyses[i].second);
}

int active_arm(const design::DesignSpec& design, int control_arm) {
  for (const auto& share : design.arms)
    if (share.arm != control_arm) return share.arm;
  return control_arm;
}

// What an analysis of a design is held against is analysed there too.
void check_has_what_is_compared(input::Reader& reader, const design::DesignSpec& design,
                                const StudySpec& spec) {
  for (const int i_analysis : design.secondary) {
    const auto& consistency = spec.analyses[static_cast<std::size_t>(i_analysis)].consistency;
    if (!consistency || consistency->with == design.primary) continue;
    if (std::find(design.secondary.begin(), design.secondary.end(), consistency->with) ==
        design.secondary.end())
      reader.fault(
          "secondary",
          fmt::format("analysis \"{}\" is held against \"{}\", which this design does not have",
                      spec.analyses[static_cast<std::size_t>(i_analysis)].name,
                      spec.analyses[static_cast<std::size_t>(consistency->with)].name));
  }
  if (design.primary >= 0 && spec.analyses[static_cast<std::size_t>(design.primary)].consistency)
    reader.fault("primary", "an analysis that is held against another cannot be the primary one",
                 "list it under secondary");
}

// Recruitment is restricted to patients, wherever they enrol; the populations make the hypotheses.
void check_population(input::Reader& reader, const design::DesignSpec& design, const StudySpec& spec) {
  const auto subgroup = design.subgroup();
  if (!subgroup || !spec.patient) return;
  const auto& strata = spec.patient->population->strata();
  const auto factor = static_cast<std::size_t>(subgroup->factor);
  if (factor >= strata.size() || strata[factor].covariate < 0)
    reader.fault("subgroup",
                 "a subgroup by region or site (recruitment is restricted to a level of a covariate)",
                 "name a factor of population.strata");
  if (design.primary >= 0 && spec.analyses[static_cast<std::size_t>(design.primary)].subgroup)
    reader.fault("primary",
                 "the primary analysis is of a subgroup (the design makes it one of each population)",
                 "leave out its subgroup");
}

// Looks and hypotheses of several arms or populations decide by z statistics of tables.
void check_borrower_decides(input::Reader& reader, const design::DesignSpec& design,
                            const StudySpec& spec) {
  if (design.primary < 0 || !spec.analyses[static_cast<std::size_t>(design.primary)].spec.borrowing)
    return;
  if (design.kind() == design::DesignKind::fixed && !design.subgroup()) return;
  reader.fault("primary",
               "an analysis that borrows cannot be the primary one of this design (its looks and "
               "populations are decided by statistics of one table)",
               "list it under secondary, or make it the primary analysis of a design of kind: fixed");
}

// An analysis of a design compares two of its arms.
void check_arms(input::Reader& reader, const design::DesignSpec& design, const StudySpec& spec,
                const PatientNames& names) {
  auto check = [&](int i_analysis) {
    if (i_analysis < 0) return;
    const auto& entry = spec.analyses[static_cast<std::size_t>(i_analysis)];
    for (const auto& arm : {entry.arm, entry.against})
      if (arm && *arm >= 0 && !design.arms.empty() && !design.has_arm(*arm))
        reader.fault("arms",
                     fmt::format("analysis \"{}\" compares arm \"{}\", which this design does not have",
                                 entry.name, names.arms[static_cast<std::size_t>(*arm)]));
    const bool is_of_every_arm =
        i_analysis == design.primary && (design.kind() == design::DesignKind::treatment_selection ||
                                         design.kind() == design::DesignKind::multi_arm_multi_stage);
    if (!entry.arm && design.arms.size() > 2 && !is_of_every_arm)
      reader.fault(
          "arms",
          fmt::format("analysis \"{}\" does not say which active arm it is of (the design has {})",
                      entry.name, design.arms.size() - 1),
          fmt::format("write one analysis for each, with arm: {}",
                      names.arms[static_cast<std::size_t>(active_arm(design, names.control_arm))]));
  };
  check(design.primary);
  for (int i_analysis : design.secondary) check(i_analysis);
}

// Who is randomised again responds at a week, before the maintenance phase ends.
void check_responders(input::Reader& reader, const design::DesignSpec& design, const StudySpec& spec) {
  const auto* withdrawal = std::get_if<design::WithdrawalSpec>(&design.rules);
  if (!withdrawal || withdrawal->responders < 0) return;
  const auto& estimand = spec.estimands[static_cast<std::size_t>(withdrawal->responders)];
  if (estimand.endpoint < 0) return;
  const auto& definition = spec.endpoints[static_cast<std::size_t>(estimand.endpoint)].definition;
  const auto* responder = std::get_if<endpoint::ResponderSpec>(&definition);
  if (!responder)
    reader.fault("responders",
                 fmt::format("estimand \"{}\" is of adverse events (responders are randomised again)",
                             estimand.name),
                 "name an estimand of a response");
  else if (withdrawal->until_week <= responder->week)
    reader.fault(
        "maintenance",
        fmt::format("the maintenance phase ends in week {} (responders are randomised to it in week "
                    "{})",
                    withdrawal->until_week, responder->week),
        "raise until_week, or judge the response earlier");
}

void read_designs(input::Reader& study, const PatientNames& patients, StudySpec& spec) {
  design::StudyNames names{patients.arms, patients.control_arm, names_of(spec.analyses),
                           patients.factors, estimand_names(spec)};
  for (const auto& entry : spec.analyses) {
    names.tests.push_back(entry.spec.test);
    names.estimand_of.push_back(entry.estimand);
  }
  for (auto& [name, reader] : study.named("designs")) {
    auto design = design::read_design(name, reader, names);
    check_arms(reader, design, spec, patients);
    check_responders(reader, design, spec);
    check_has_what_is_compared(reader, design, spec);
    check_population(reader, design, spec);
    check_borrower_decides(reader, design, spec);
    if (design.patients > patients.capacity)
      reader.fault("patients",
                   fmt::format("\"patients\" is {} (the sites may enrol only {})", design.patients,
                               patients.capacity),
                   "raise the caps in recruitment.regions, or add sites");
    spec.designs.push_back(std::move(design));
  }
}

void read_scenarios(input::Reader& study, const PatientNames& patients, const input::Node& root,
                    const TruthCheck& check_truth, StudySpec& spec) {
  const TruthNames names{patients.arms, patients.control_arm,
                         spec.calibration ? &*spec.calibration : nullptr, root};
  for (auto& [name, reader] : study.named("scenarios")) {
    const std::size_t n_faults = study.faults().size();
    auto scenario = read_scenario(name, reader, names);
    if (check_truth && spec.calibrated && study.faults().size() == n_faults &&
        scenario.overrides.empty())
      check_truth(spec, scenario);
    spec.scenarios.push_back(std::move(scenario));
  }
}

// Marks the sections that cannot be checked yet as known, so that they are not called unknown.
void pass_over(input::Reader& study) {
  for (const auto* name : {"endpoints", "estimands", "analyses", "designs", "scenarios", "calibration"})
    study.raw(name);
}

}  // namespace

const design::DesignSpec* StudySpec::design(const std::string& name) const {
  const auto found =
      std::find_if(designs.begin(), designs.end(), [&](auto& d) { return d.name == name; });
  return found == designs.end() ? nullptr : &*found;
}

bool StudySpec::higher_is_better(int i_estimand) const {
  const auto& estimand = estimands[static_cast<std::size_t>(i_estimand)];
  if (estimand.endpoint < 0) return true;
  return endpoints[static_cast<std::size_t>(estimand.endpoint)].kind() ==
         endpoint::EndpointKind::responder;
}

const ScenarioSpec* StudySpec::scenario(const std::string& name) const {
  const auto found =
      std::find_if(scenarios.begin(), scenarios.end(), [&](auto& s) { return s.name == name; });
  return found == scenarios.end() ? nullptr : &*found;
}

std::optional<StudySpec> read_study(const input::Node& root, input::Diagnostics& faults,
                                    input::Node& resolved, PatientCache* cache,
                                    const TruthCheck& check_truth) {
  StudySpec spec;
  input::Reader study(root, "", faults, resolved);
  study.integer("schema", 1, 1);
  spec.title = study.text("title", "");
  if (const auto names = read_patients(study, root, cache, spec)) {
    read_endpoints_to_analyses(study, *names, spec);
    std::vector<std::optional<double>> ratios;
    for (const auto& estimand : spec.estimands) ratios.push_back(response_ratio(spec, estimand));
    spec.calibration = read_calibration(study, {estimand_names(spec), names->arms, ratios}, root);
    read_designs(study, *names, spec);
    read_scenarios(study, *names, root, check_truth, spec);
  } else {
    pass_over(study);
  }
  spec.sweep = read_sweep(study, root);
  spec.simulation = read_simulation(study, spec);
  spec.outputs = read_outputs(study);
  if (!faults.empty()) return std::nullopt;
  return spec;
}

}  // namespace trialwright::scenario
