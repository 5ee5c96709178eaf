// Designs that look before the end: what they are told at a look, what they answer, and what a trial
// remembers.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "analysis/binary_test.hpp"
#include "analysis/estimate.hpp"
#include "analysis/exact_z.hpp"
#include "base/named_table.hpp"
#include "sequential/recursion.hpp"

namespace trialwright::design {

using sequential::k_most_looks;
inline constexpr int k_most_hypotheses = 8;  // active arms, or populations
inline constexpr int k_most_statistics = 4 * k_most_hypotheses + 8;

// Sets of hypotheses, of arms: bit i is the i-th.
using Bits = std::uint32_t;

// Why a trial ended at a look. At the last look `efficacy` is a rejection and `completed` none.
enum class StopReason : std::uint8_t { none, efficacy, futility, harm, no_arm_left, completed };
inline constexpr int k_stop_reasons = 6;

inline constexpr std::array<base::Named<StopReason>, 6> k_stop_reason_names{{
    {"none", "the trial goes on", "", StopReason::none},
    {"efficacy", "a hypothesis was rejected", "", StopReason::efficacy},
    {"futility", "success had become unlikely", "", StopReason::futility},
    {"harm", "treatment was worse than the harm boundary allows", "", StopReason::harm},
    {"no_arm_left", "no arm or population met the rule for going on", "", StopReason::no_arm_left},
    {"completed", "the planned end, with nothing rejected", "", StopReason::completed},
}};

// Events and patients with a value.
struct Rate {
  int events = 0;
  int patients = 0;
};

// What was known when a look was decided. A stage is the patients who came to be known between two
// looks (or, where the design says so, who were randomised between two decisions). Hypothesis h
// compares an active arm with the control in a population; stages are independent of each other.
struct LookData {
  int i_look = 0;  // from 0
  bool is_final = false;
  int n_enrolled = 0;  // randomised by the decision
  int n_hypotheses = 1;
  int n_strata = 1;  // of a stratified analysis; else 1
  // [(i_stage * n_hypotheses + i_hypothesis) * n_strata + i_stratum], stages 0 .. i_look.
  std::span<const analysis::TwoByTwo> stages;
  // [i_hypothesis]: advantage over the control on the statistic that the design selects by (estimated
  // difference, positive is better), over all known; empty where the design does not ask.
  std::span<const double> merits;
  // [i_arm of the design]: the estimand that the design watches for safety; empty where it does not
  // ask.
  std::span<const Rate> safety;

  std::span<const analysis::TwoByTwo> stage(int i_stage, int i_hypothesis) const {
    return stages.subspan(static_cast<std::size_t>((i_stage * n_hypotheses + i_hypothesis) * n_strata),
                          static_cast<std::size_t>(n_strata));
  }
};

// What a look's decision rested on, by name: for replay and trials.csv.
struct Statistics {
  struct One {
    std::string_view name;  // "z", "efficacy_z", "conditional_power", ...
    int hypothesis = -1;    // -1: of the trial
    double value = 0;
  };
  std::array<One, k_most_statistics> list;
  int n = 0;
  // What finds no room any more is left out.
  void add(std::string_view name, double value, int hypothesis = -1) {
    if (n < static_cast<int>(list.size()))
      list[static_cast<std::size_t>(n++)] = {name, hypothesis, value};
  }
};

struct Decision {
  StopReason stop = StopReason::none;
  // What was done, by name: "go_on", "enlarge", "select_best", "drop_arms", "restrict_to_subgroup" ...
  std::string_view action;
};

// One trial's memory from look to look. start() makes it that of a new trial.
struct TrialState {
  int n_looks = 0;    // decided
  int n_planned = 0;  // patients at the end, as now planned
  // Of the design (bit i_arm of DesignSpec::arms) that go on recruiting, the control among them.
  Bits arms = 0;
  int population = -1;  // that goes on recruiting: -1 all, else a level of the design's factor
  Bits open = 0;        // hypotheses still tested
  Bits rejected = 0;
  StopReason stop = StopReason::none;
  // Where above 0, the outcomes that the next look waits for in place of its trigger's number of them.
  int outcomes_at_next_look = 0;
  std::array<double, k_most_looks> information{};  // fraction of the planned, at each look decided
  std::array<double, k_most_looks> efficacy_z{};   // critical values used
  std::array<double, k_most_looks> futility_z{};   // -infinity: none
  std::array<Bits, k_most_looks> open_at{};        // hypotheses tested at each look
};

// After the end, of one hypothesis.
struct Inference {
  double p_value = 1;   // one-sided, allowing for the design
  double estimate = 0;  // median unbiased, or the design's own adjustment; on the effect's scale
  double lower = 0;
  double upper = 0;
  bool defined = false;
  // The repeated interval at the last look: one of a series, one a look, which together hold the truth
  // at the level of the design's boundary, whatever made the trial end (Jennison & Turnbull 2000,
  // chapter 9). NaN of designs that have none, and where it is not defined.
  double repeated_lower = std::numeric_limits<double>::quiet_NaN();
  double repeated_upper = std::numeric_limits<double>::quiet_NaN();

  bool has_repeated() const { return repeated_lower <= repeated_upper; }
};

// A stage's patients: those who came to be known between two looks, or those who were randomised
// between two decisions (all of them, also where their outcome came to be known later).
enum class StageBy { outcome, randomisation };

// A design's rules, resolved for one plan; immutable, safe to share between threads. decide() is a
// function of the data and the state alone, and keeps no memory elsewhere, so that trials drawn as
// counts and trials of patients are decided alike, and equal tables need it once.
class StagedDesign {
 public:
  virtual ~StagedDesign() = default;

  virtual int n_looks() const = 0;  // at most, the last one included
  virtual void start(TrialState& state) const = 0;
  // Decides look data.i_look = state.n_looks, updates the state (n_looks too), and tells what it read
  // where `told` is not null.
  virtual Decision decide(const LookData& data, TrialState& state, Statistics* told) const = 0;
  // Hypotheses that an analysis would reject which takes no account of the looks and changes: every
  // look tested at the full level (of group sequential designs), the ordinary statistic of all patients
  // of the arm, population or size that was chosen at the end (of adaptive ones). `data` as at the last
  // look decided, `state` after it.
  virtual Bits naive_rejections(const LookData& data, const TrialState& state) const = 0;
  // Of a hypothesis after the end; `data` and `state` as there. Where over-run is analysed the last
  // stage of `data` holds the pipeline too: inference is then as if the last look had been made on all
  // of them, its stop forgotten (the deletion method: Whitehead 1992; Hampson & Jennison 2013).
  virtual Inference infer(const LookData& data, const TrialState& state, int i_hypothesis) const = 0;

  // The largest number of patients that the design may come to.
  virtual int most_patients() const = 0;

  // How patients are told off to stages; by randomisation where a decision reads more of them than the
  // primary outcome, which must then not come to be known in a later stage (Jenkins, Stone & Jennison
  // 2011).
  virtual StageBy stages_by() const { return StageBy::outcome; }
  // The estimands that LookData::merits and ::safety are of, as indices into the study's; -1: not asked
  // for.
  virtual int merit_estimand() const { return -1; }
  virtual int safety_estimand() const { return -1; }

  // While the looks fall at the planned numbers of patients in the planned ratio: do a look's decision,
  // the state after it and naive_rejections hang on nothing but the look and the sum over the stages of
  // hypothesis 0's one table, and is the state alike in all trials that go on? Then a trial is decided
  // by one table a look, made once.
  virtual bool decides_by_totals() const { return false; }
  // May a look plan fewer patients than were planned before it? Then it matters who is in its pipeline.
  virtual bool may_shrink() const { return true; }
};

// What every design needs of its study to be resolved.
struct DesignContext {
  analysis::TestSpec test;  // of the primary analysis
  analysis::EffectMeasure effect = analysis::EffectMeasure::risk_difference;
  analysis::IntervalMethod interval = analysis::IntervalMethod::wald;
  double confidence_level = 0.95;
  int n_hypotheses = 1;
  double subgroup_share = 1;  // of the patients at the level that recruitment may be restricted to
  std::shared_ptr<const analysis::ExactZ> exact_z{};  // shared by plans; null: each has its own
};

}  // namespace trialwright::design
