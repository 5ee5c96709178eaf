#include "shard/found_work.hpp"

#include <map>
#include <system_error>
#include <utility>

#include "engine/precision.hpp"
#include "engine/row_files.hpp"
#include "engine/row_layout.hpp"
#include "shard/coverage.hpp"

namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;
using engine::Piece;
using engine::Track;

// What a piece of a point must be to be of use.
struct PointRule {
  const trial::TrialPlan* plan = nullptr;
  const trial::CountPlan* counts = nullptr;
  engine::TrackShape trials;
  engine::TrackShape calendars;
  std::uint64_t round_trials = 0;  // 0: one round of all trials
};

PointRule rule_of(const trial::TrialPlan& plan, const trial::CountPlan* counts,
                  const scenario::SimulationSpec& simulation) {
  PointRule rule{&plan, counts, engine::track_shape(plan, counts, Track::trials, simulation.trials),
                 engine::track_shape(plan, counts, Track::calendars, simulation.trials)};
  if (simulation.precision) rule.round_trials = engine::Rounds(simulation, rule.trials).round_trials();
  return rule;
}

bool is_within_a_round(const PointRule& rule, const engine::TrialRange& range) {
  return rule.round_trials == 0 || range.from / rule.round_trials == (range.to - 1) / rule.round_trials;
}

bool fits(const PointRule& rule, const Piece& piece) {
  if (piece.range.empty()) return false;
  return piece.track == Track::calendars
             ? rule.calendars.fits(piece.range)
             : rule.trials.fits(piece.range) && is_within_a_round(rule, piece.range);
}

bool is_of_plan(const engine::PointValues& values, const trial::TrialPlan& plan) {
  const std::size_t n = plan.analyses.size();
  return values.truths.size() == n && (values.calculated.empty() || values.calculated.size() == n);
}

// Into the ledger those that cover the most; the others are left out.
void enter_cover(std::vector<Piece> pieces, engine::Ledger& ledger, std::vector<Piece>& left_out) {
  std::vector<engine::TrialRange> ranges;
  for (const auto& piece : pieces) ranges.push_back(piece.range);
  std::vector<char> is_chosen(pieces.size(), 0);
  for (const std::size_t i : cover(ranges)) is_chosen[i] = 1;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (is_chosen[i])
      ledger.add(std::move(pieces[i]));
    else
      left_out.push_back(std::move(pieces[i]));
  }
}

// [i_point] of the planned points; tells the ledger of them.
std::map<std::size_t, PointRule> rules_of(const engine::StudyPlan& plan,
                                          const scenario::SimulationSpec& simulation,
                                          engine::Ledger& ledger) {
  std::map<std::size_t, PointRule> rules;
  for (std::size_t i = 0; i < plan.plans.size(); ++i) {
    const auto& rule = rules[plan.i_points[i]] =
        rule_of(*plan.plans[i], plan.engines[i].counts.get(), simulation);
    ledger.keep_fitting(plan.i_points[i], rule.trials, rule.calendars, rule.round_trials);
  }
  return rules;
}

}  // namespace

std::vector<Piece> enter(std::vector<Content> contents, const engine::StudyPlan& plan,
                         const scenario::SimulationSpec& simulation, engine::Ledger& ledger,
                         const std::function<bool(const Piece&)>& is_usable) {
  const auto rules = rules_of(plan, simulation, ledger);
  for (auto& content : contents)
    for (auto& values : content.values) {
      if (values.i_point >= content.header.n_points) continue;
      const auto rule = rules.find(values.i_point);
      if (rule == rules.end() || is_of_plan(values, *rule->second.plan)) ledger.add(std::move(values));
    }

  std::vector<Piece> left_out;
  const auto is_fitting = [&](const Piece& piece) {
    const auto rule = rules.find(piece.i_point);
    const auto* values = ledger.values(piece.i_point);
    return rule != rules.end() && values && fits(rule->second, piece) &&
           engine::belongs(piece, *rule->second.plan, rule->second.counts,
                           engine::values_alone(values->truths)) &&
           (!is_usable || is_usable(piece));
  };
  std::map<std::pair<std::size_t, Track>, std::vector<Piece>> fitting;
  for (auto& content : contents)
    for (auto& piece : content.pieces) {
      if (piece.i_point >= content.header.n_points) continue;
      auto& place = is_fitting(piece) ? fitting[{piece.i_point, piece.track}] : left_out;
      place.push_back(std::move(piece));
    }
  for (auto& [place, pieces] : fitting) enter_cover(std::move(pieces), ledger, left_out);
  return left_out;
}

bool has_rows(const Piece& piece, const scenario::OutputsSpec& outputs, const fs::path& directory) {
  if (engine::lacking_rows(piece, outputs)) return false;
  for (const auto kind : {engine::RowKind::trials, engine::RowKind::patients}) {
    if (!engine::asks_for(outputs, kind)) continue;
    for (const auto& segment : piece.rows[static_cast<std::size_t>(kind)]) {
      std::error_code error;
      const auto size = fs::file_size(directory / segment.file, error);
      if (error || size < segment.to) return false;
    }
  }
  return true;
}

Content content_of(const Header& header, const engine::Ledger& ledger,
                   const std::vector<Piece>& left_out) {
  Content content;
  content.header = header;
  for (std::size_t i = 0; i < header.n_points; ++i) {
    if (const auto* values = ledger.values(i)) content.values.push_back(*values);
    const auto pieces = ledger.pieces(i);
    content.pieces.insert(content.pieces.end(), pieces.begin(), pieces.end());
  }
  for (const auto& piece : left_out)
    if (!ledger.gaps(piece.i_point, piece.track, piece.range).empty()) content.pieces.push_back(piece);
  content.is_whole = true;
  return content;
}

}  // namespace trialwright::shard
