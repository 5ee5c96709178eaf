#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "base/contract.hpp"
#include "trial/staged_counts_impl.hpp"

namespace trialwright::trial {
namespace {

// Tables decided beforehand, of all looks together.
constexpr std::size_t k_most_entries = std::size_t{1} << 22;
constexpr std::size_t k_most_first_entries = std::size_t{1} << 17;
constexpr std::size_t k_most_codes = 127;

std::size_t n_entries(const CountRange& events_1, const CountRange& events_0) {
  return static_cast<std::size_t>(events_1.width()) * static_cast<std::size_t>(events_0.width());
}

bool have_same_next(const design::TrialState& a, const design::TrialState& b) {
  return a.n_planned == b.n_planned && a.arms == b.arms && a.open == b.open &&
         a.outcomes_at_next_look == b.outcomes_at_next_look;
}

// Calls f(x_1, x_0, place) for every pair of counts.
template <class F>
void for_each_pair(const CountRange& events_1, const CountRange& events_0, F&& f) {
  std::size_t place = 0;
  for (int x_1 = events_1.lowest; x_1 <= events_1.highest; ++x_1)
    for (int x_0 = events_0.lowest; x_0 <= events_0.highest; ++x_0, ++place) f(x_1, x_0, place);
}

template <class Inside>
bool decides_by_one_table(const Inside& impl) {
  return impl.n_hypotheses == 1 && impl.n_strata == 1 && impl.n_arms == 2 && impl.merit_estimand < 0 &&
         impl.safety_estimand < 0;
}

}  // namespace

// Makes the inside, or finds a reason why there is none.
class StagedCountPlan::Maker {
 public:
  Maker(const TrialPlan& plan, const PlanLaw& law)
      : plan_(plan), law_(law), made_(std::make_unique<Impl>(plan, law)), impl_(*made_) {}

  std::string run();
  std::unique_ptr<const Impl> take() { return std::move(made_); }

 private:
  std::string why_not_looks() const;
  std::string why_not_patients() const;
  std::string compile(bool has_fixed_sizes);
  bool may_have_fixed_sizes();
  bool make_tables();
  bool make_table(const design::TrialState& before, LookTable& table, design::TrialState& after);
  std::uint8_t code_of(const TrialEnd& end);
  std::string make_first();
  void make_outlooks();

  const TrialPlan& plan_;
  const PlanLaw& law_;
  std::unique_ptr<Impl> made_;
  Impl& impl_;
  std::vector<LookSize> looks_;  // where all are as planned
};

StagedCountPlan::Impl::Impl(const TrialPlan& plan, const PlanLaw& law) : design(plan.staged) {
  n_arms = plan.arms.size();
  n_hypotheses = static_cast<std::size_t>(plan.n_hypotheses);
  n_columns = law.law.n_columns;
  arms = law.arms;
  const auto place = [&](int arm) {
    return static_cast<std::size_t>(std::find(plan.arms.begin(), plan.arms.end(), arm) -
                                    plan.arms.begin());
  };
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    const auto& analysis = plan.analyses[i];
    auto strata = law.strata[i];
    const std::size_t row = static_cast<std::size_t>(analysis.i_estimand) * n_arms;
    if (strata.empty())
      strata.push_back({law.arms[row + place(analysis.arm_1)], law.arms[row + place(analysis.arm_0)]});
    if (i < n_hypotheses) {
      hypotheses.push_back(strata);
      pairs.push_back({place(analysis.arm_1), place(analysis.arm_0)});
    }
    analyses.push_back(std::move(strata));
  }
  n_strata = hypotheses.front().size();
  const std::size_t row = static_cast<std::size_t>(plan.analyses.front().i_estimand) * n_arms;
  for (std::size_t arm = 0; arm < n_arms; ++arm) {
    double& rate = event_rates.emplace_back();
    for (const auto& cell : law.law.stages.front().arms[arm].cells)
      if (std::binary_search(cell.columns.begin(), cell.columns.end(), law.arms[row + arm].events))
        rate += cell.probability;
  }
  merit_estimand = plan.merit_estimand;
  safety_estimand = plan.safety_estimand;
  if (merit_estimand >= 0 &&
      !plan.estimands[static_cast<std::size_t>(merit_estimand)].higher_is_better())
    merit_sign = -1;
  design->start(start);
}

std::string StagedCountPlan::Maker::why_not_looks() const {
  for (const auto& trigger : plan_.looks.interim)
    if (!std::holds_alternative<design::OutcomesKnown>(trigger.rule))
      return "a look waits for something else than a number of outcomes";
  if (plan_.looks.overrun == design::Overrun::analysed)
    return "patients in the pipeline of a look enter the analysis";
  const auto* block = std::get_if<design::PermutedBlock>(&plan_.allocation->randomisation());
  if (block == nullptr || !block->factors.empty())
    return "the arms' sizes at a look are left to chance but for permuted blocks without strata";
  return {};
}

std::string StagedCountPlan::Maker::why_not_patients() const {
  if (const int most = plan_.staged->most_patients(); most > plan_.n_patients)
    return fmt::format("the sites may enrol only {} of the {} patients that a look may ask for",
                       plan_.n_patients, most);
  for (const auto& analysis : plan_.analyses)
    if (analysis.subgroup) return "a hypothesis is about a subgroup, whose numbers are left to chance";
  std::set<double> weeks;
  for (const auto& estimand : plan_.estimands) weeks.insert(estimand.endpoint().week());
  if (weeks.size() > 1)
    return "outcomes of several weeks are read, so that a look knows some of them alone";
  // Each patient of an arm is counted in each estimand.
  const auto& arms = law_.law.stages.front().arms;
  for (std::size_t i = 0; i < law_.arms.size(); ++i)
    for (const auto& cell : arms[i % plan_.arms.size()].cells)
      if (!std::binary_search(cell.columns.begin(), cell.columns.end(), law_.arms[i].patients))
        return "outcomes may be missing, which leaves each look an information of its own";
  return {};
}

// The block holds the ratio some times over.
std::string StagedCountPlan::Maker::run() {
  if (auto reason = why_not_looks(); !reason.empty()) return reason;
  if (auto reason = why_not_patients(); !reason.empty()) return reason;
  for (const auto& trigger : plan_.looks.interim)
    impl_.interim.push_back(std::get<design::OutcomesKnown>(trigger.rule).patients);
  const auto& shares = plan_.allocation->arms();
  const auto ratio = design::reduced_ratio(shares);
  const int block_size = std::get<design::PermutedBlock>(plan_.allocation->randomisation()).block_size;
  const int n_ratios = block_size / std::accumulate(ratio.begin(), ratio.end(), 0);
  for (const int r : ratio) impl_.blocks.balls.push_back(r * n_ratios);
  impl_.first_size = impl_.next_look(0, impl_.start, 0);
  impl_.begins_given = impl_.first_size.n_known % block_size != 0;

  if (may_have_fixed_sizes()) {
    if (auto reason = compile(true); !reason.empty()) return reason;
    if (make_tables()) return {};
    impl_.tables.clear();
    impl_.ends.clear();
  }
  if (auto reason = compile(false); !reason.empty()) return reason;
  return make_first();
}

// Are all looks' numbers as planned, of whole blocks, if no decision changes them?
bool StagedCountPlan::Maker::may_have_fixed_sizes() {
  if (!impl_.design->decides_by_totals() || !decides_by_one_table(impl_)) return false;
  const int block = impl_.blocks.size(impl_.start.arms);
  int n_known = 0;
  for (int i = 0; looks_.empty() || !looks_.back().is_final; ++i) {
    looks_.push_back(impl_.next_look(i, impl_.start, n_known));
    n_known = looks_.back().n_known;
    if (n_known % block != 0) return false;
  }
  return true;
}

std::string StagedCountPlan::Maker::compile(bool has_fixed_sizes) {
  CountLaw law;
  const std::size_t n_stages = has_fixed_sizes ? looks_.size() : impl_.n_stages();
  law.n_columns = n_stages * law_.law.n_columns;
  const int block = impl_.blocks.size(impl_.start.arms);
  const int most = std::max(impl_.design->most_patients(), impl_.first_size.n_known);
  int n_known = 0;
  for (std::size_t i_stage = 0; i_stage < n_stages; ++i_stage) {
    CountLaw::Stage stage;
    stage.arms = law_.law.stages.front().arms;
    for (auto& arm : stage.arms)
      for (auto& cell : arm.cells)
        for (auto& column : cell.columns) column += i_stage * law_.law.n_columns;
    const bool is_fixed = has_fixed_sizes || (i_stage == 0 && !impl_.begins_given);
    const int end = has_fixed_sizes ? looks_[i_stage].n_known
                    : i_stage == 0  ? impl_.first_size.n_known
                                    : most;
    // Of later stages: whatever the looks before left to come.
    const int n_before = i_stage == 0 ? 0 : impl_.first_size.n_known;
    for (std::size_t a = 0; a < impl_.n_arms; ++a) {
      const int balls = impl_.blocks.balls[a];
      if (is_fixed) {
        stage.arms[a].n_patients = (end - n_known) / block * balls;
        continue;
      }
      // At worst all that may come are of this arm and one other.
      int other = block;
      for (std::size_t b = 0; b < impl_.n_arms; ++b)
        if (b != a) other = std::min(other, impl_.blocks.balls[b]);
      const int of_all = impl_.n_hypotheses == 1 ? block : balls + other;
      stage.given.push_back({0, (most - n_before) / of_all * balls + 2 * balls});
    }
    n_known = end;
    law.stages.push_back(std::move(stage));
  }
  impl_.sampler = CountSampler::compile(law);
  return impl_.sampler ? "" : "the tables of so many patients' counts would take more than 32 MB";
}

std::uint8_t StagedCountPlan::Maker::code_of(const TrialEnd& end) {
  if (impl_.ends.empty()) impl_.ends.emplace_back();
  const auto found = std::find(impl_.ends.begin() + 1, impl_.ends.end(), end);
  const auto code = found - impl_.ends.begin();
  if (found == impl_.ends.end()) impl_.ends.push_back(end);
  return static_cast<std::uint8_t>(code);
}

bool StagedCountPlan::Maker::make_tables() {
  const auto& [active, control] = impl_.hypotheses.front().front();
  const auto& ranges = impl_.sampler->ranges();
  design::TrialState state = impl_.start;
  CountRange events_1, events_0;
  std::size_t n = 0;
  for (std::size_t look = 0; look < looks_.size(); ++look) {
    const auto add = [&](CountRange& sum, std::size_t of_stage) {
      const auto& more = ranges[impl_.column(look, of_stage)];
      sum = {sum.lowest + more.lowest, sum.highest + more.highest};
    };
    add(events_1, active.events);
    add(events_0, control.events);
    n += n_entries(events_1, events_0);
    if (n > k_most_entries) return false;
    LookTable& table = impl_.tables.emplace_back();
    table.size = looks_[look];
    table.events_1 = events_1;
    table.events_0 = events_0;
    design::TrialState after = state;
    if (!make_table(state, table, after) || impl_.ends.size() > k_most_codes) return false;
    // Where no trial goes on, no later look is needed.
    if (after.n_looks == state.n_looks) return true;
    state = after;
  }
  return true;
}

// False where trials that go on differ in what comes. `after`: theirs, or `before` where none goes on.
bool StagedCountPlan::Maker::make_table(const design::TrialState& before, LookTable& table,
                                        design::TrialState& after) {
  const std::size_t look = impl_.tables.size() - 1;
  const int n_blocks = table.size.n_known / impl_.blocks.size(impl_.start.arms);
  const auto [arm_1, arm_0] = impl_.pairs.front();
  analysis::TwoByTwo total{0, n_blocks * impl_.blocks.balls[arm_1], 0,
                           n_blocks * impl_.blocks.balls[arm_0]};
  Workspace workspace;
  workspace.stages.resize(look + 1);
  const auto data = impl_.look_data(look, table.size, workspace);
  table.entries.resize(n_entries(table.events_1, table.events_0));
  bool are_alike = true, goes_any_on = false;
  for_each_pair(table.events_1, table.events_0, [&](int x_1, int x_0, std::size_t place) {
    total.responders_1 = std::min(x_1, total.n_1);
    total.responders_0 = std::min(x_0, total.n_0);
    workspace.stages.back() = total;
    design::TrialState state = before;
    const auto stop = impl_.design->decide(data, state, nullptr).stop;
    const design::Bits naive = impl_.design->naive_rejections(data, state) & 1;
    const bool goes_on = stop == design::StopReason::none && !table.size.is_final;
    std::uint8_t code = 0;
    if (goes_on) {
      if (!std::exchange(goes_any_on, true)) after = state;
      are_alike = are_alike && have_same_next(after, state);
    } else if (impl_.ends.size() <= k_most_codes) {
      code = code_of(end_of(state, stop, 0, table.size.n_known));
    }
    table.entries[place] = static_cast<std::uint8_t>(2 * code + naive);
  });
  // The looks to come must be those that were laid out.
  if (goes_any_on && (after.n_planned != impl_.start.n_planned || after.arms != impl_.start.arms ||
                      after.outcomes_at_next_look != 0))
    return false;
  return are_alike;
}

// What a look decides hangs on one table: all of them beforehand. Refused where patients in a look's
// pipeline would matter.
std::string StagedCountPlan::Maker::make_first() {
  const bool has_no_pipeline = plan_.looks.pause == design::Pause::when_enrolled ||
                               impl_.first_size.n_known == impl_.start.n_planned ||
                               impl_.design->decides_by_totals() || !impl_.design->may_shrink();
  // What later looks do of this kind no table of the first one tells.
  const bool has_later_looks = impl_.n_stages() > 2;
  if (!decides_by_one_table(impl_) || impl_.begins_given || (has_later_looks && !has_no_pipeline))
    return has_no_pipeline ? "" : "what a look changes may hang on the patients in its pipeline";
  const auto& [active, control] = impl_.hypotheses.front().front();
  FirstLook first;
  first.events_1 = impl_.sampler->ranges()[active.events];
  first.events_0 = impl_.sampler->ranges()[control.events];
  const std::size_t n = n_entries(first.events_1, first.events_0);
  if (n > k_most_first_entries) return has_no_pipeline ? "" : "the first look has too many tables";
  first.entries.resize(n);
  Workspace workspace;
  const int n_blocks = impl_.first_size.n_known / impl_.blocks.size(impl_.start.arms);
  const auto [arm_1, arm_0] = impl_.pairs.front();
  analysis::TwoByTwo table{0, n_blocks * impl_.blocks.balls[arm_1], 0,
                           n_blocks * impl_.blocks.balls[arm_0]};
  workspace.stages.resize(1);
  const auto data = impl_.look_data(0, impl_.first_size, workspace);
  bool shrinks = false, is_whole = true;
  for_each_pair(first.events_1, first.events_0, [&](int x_1, int x_0, std::size_t place) {
    table.responders_1 = x_1;
    table.responders_0 = x_0;
    workspace.stages.front() = table;
    design::TrialState state = impl_.start;
    const auto stop = impl_.design->decide(data, state, nullptr).stop;
    auto& entry = first.entries[place];
    entry = FirstLook::saved(state);
    entry.is_end = stop != design::StopReason::none || impl_.first_size.is_final;
    if (entry.is_end) {
      entry.end =
          end_of(state, stop, impl_.design->naive_rejections(data, state), impl_.first_size.n_known);
      return;
    }
    shrinks = shrinks || state.n_planned < impl_.start.n_planned;
    design::TrialState again = impl_.start;
    FirstLook::restore(entry, again);
    is_whole = is_whole && again.n_looks == state.n_looks && again.information == state.information &&
               again.efficacy_z == state.efficacy_z && again.futility_z == state.futility_z &&
               again.open_at == state.open_at;
  });
  if (shrinks && !has_no_pipeline)
    return "a look may leave the trial smaller than the patients enrolled when it is decided";
  if (is_whole) {
    impl_.first = std::move(first);
    make_outlooks();
  }
  return {};
}

// None where the last look is one to be decided trial by trial.
void StagedCountPlan::Maker::make_outlooks() {
  const auto* last_looks = dynamic_cast<const design::BatchEnds*>(impl_.design.get());
  const FirstLook& first = *impl_.first;
  if (last_looks == nullptr || !last_looks->decides_ends() || impl_.n_stages() > 3 ||
      impl_.design->most_patients() > RecalledLooks::k_most_patients)
    return;
  const auto stays = [&](const auto& entry) { return entry.is_end || entry.arms == impl_.start.arms; };
  if (!std::all_of(first.entries.begin(), first.entries.end(), stays)) return;
  const int n_blocks = impl_.first_size.n_known / impl_.blocks.size(impl_.start.arms);
  const auto [arm_1, arm_0] = impl_.pairs.front();
  Workspace workspace;
  workspace.stages.resize(1);
  const auto data = impl_.look_data(0, impl_.first_size, workspace);
  std::vector<Outlook> outlooks(first.entries.size());
  for_each_pair(first.events_1, first.events_0, [&](int x_1, int x_0, std::size_t place) {
    if (first.entries[place].is_end) return;
    workspace.stages.front() = {x_1, n_blocks * impl_.blocks.balls[arm_1], x_0,
                                n_blocks * impl_.blocks.balls[arm_0]};
    design::TrialState state = impl_.start;
    FirstLook::restore(first.entries[place], state);
    outlooks[place] = {state.efficacy_z[1], state.futility_z[1],
                       impl_.next_look(1, state, impl_.first_size.n_known).n_known,
                       (impl_.design->naive_rejections(data, state) & 1) != 0};
  });
  impl_.outlooks = std::move(outlooks);
  impl_.last_looks = last_looks;
}

StagedCountPlan::Attempt StagedCountPlan::make(const TrialPlan& plan, const PlanLaw& law) {
  TRIALWRIGHT_EXPECT(plan.staged != nullptr);
  Maker maker(plan, law);
  if (auto reason = maker.run(); !reason.empty()) return {nullptr, std::move(reason)};
  return {std::shared_ptr<const StagedCountPlan>(new StagedCountPlan(maker.take())), {}};
}

}  // namespace trialwright::trial
