#include "shard/cut.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/contract.hpp"
#include "engine/point_engine.hpp"
#include "shard/point_cost.hpp"
#include "trialwright/error.hpp"

namespace trialwright::shard {
namespace {

using scenario::PointSpec;

__extension__ typedef unsigned __int128 Wide;

// Values of one axis that are planned; those between are interpolated.
constexpr std::size_t k_most_values = 16;
// Kinds of points that are planned; others are taken for the nearest of these.
constexpr std::size_t k_most_kinds = 48;

// Values that switch something on, off or over are of different classes: which engine a point has,
// and what it reads, hangs on the classes of all its axes together. Of one class, numbers.
std::string class_of(const std::string& value) {
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size()) return value;
  return number == 0 ? "0" : "number";
}

// Estimates the costs of points from a few of them.
class Estimator {
 public:
  Estimator(const scenario::Study& study, const std::vector<PointSpec>& points, std::uint64_t n_trials)
      : study_(study), points_(points), n_trials_(n_trials) {
    find_axes();
  }

  std::uint64_t operator()(const PointSpec& point) {
    const Kind& kind = kind_of(point);
    double cost = kind.cost.by_counts.value_or(kind.cost.by_patients);
    for (const auto& [path, value] : point.sweep) {
      const auto& effects = axes_.at(path).effects;
      const auto representative = kind.values.find(path);
      if (representative == kind.values.end()) continue;
      const Effect& here = effects.at(value.text);
      const Effect& there = effects.at(representative->second);
      cost *=
          kind.cost.by_counts ? here.on_counts / there.on_counts : here.on_patients / there.on_patients;
    }
    constexpr double k_most = 4e18;
    return static_cast<std::uint64_t>(std::clamp(cost, 1.0, k_most));
  }

 private:
  // By what a value multiplies the costs, against the axis's first.
  struct Effect {
    double on_patients = 1;
    double on_counts = 1;
  };
  struct Axis {
    const PointSpec* base = nullptr;  // the first point that it bears on
    std::size_t i_setting = 0;        // among the settings of that
    std::vector<input::Node> values;
    std::map<std::string, Effect> effects;
  };
  // Points alike in all but numbers.
  struct Kind {
    PointCost cost;                             // of the first of them
    std::map<std::string, std::string> values;  // its settings
  };

  void find_axes() {
    for (const auto& point : points_)
      for (std::size_t i = 0; i < point.sweep.size(); ++i) {
        const auto& [path, value] = point.sweep[i];
        auto& axis = axes_[path];
        if (!axis.base) axis = {&point, i, {}, {}};
        if (axis.effects.try_emplace(value.text).second) axis.values.push_back(value);
      }
    for (auto& [path, axis] : axes_) find_effects(axis);
  }

  void find_effects(Axis& axis) {
    const std::size_t n = axis.values.size(), n_knots = std::min(n, k_most_values);
    if (n < 2) return;
    std::vector<std::pair<std::size_t, PointCost>> knots;
    for (std::size_t k = 0; k < n_knots; ++k) {
      PointSpec point = *axis.base;
      const std::size_t i = k * (n - 1) / (n_knots - 1);
      point.sweep[axis.i_setting].second = axis.values[i];
      knots.emplace_back(i, planned_cost(point));
    }
    const PointCost first = knots.front().second;
    const auto effect = [&](const PointCost& cost) {
      return Effect{cost.by_patients / first.by_patients,
                    cost.by_counts && first.by_counts ? *cost.by_counts / *first.by_counts : 1.0};
    };
    for (std::size_t k = 0; k + 1 < knots.size(); ++k) {
      const auto& [i, from] = knots[k];
      const auto& [j, to] = knots[k + 1];
      for (std::size_t v = i; v <= j; ++v) {
        const double weight = static_cast<double>(v - i) / static_cast<double>(j - i);
        const Effect a = effect(from), b = effect(to);
        axis.effects[axis.values[v].text] = {a.on_patients + weight * (b.on_patients - a.on_patients),
                                             a.on_counts + weight * (b.on_counts - a.on_counts)};
      }
    }
  }

  const Kind& kind_of(const PointSpec& point) {
    std::string classes = point.design;
    for (const auto& [path, value] : point.sweep) classes += '\n' + path + '\n' + class_of(value.text);
    const std::pair name{classes, point.scenario};
    if (const auto found = kinds_.find(name); found != kinds_.end()) return found->second;
    if (kinds_.size() >= k_most_kinds) {
      // Another scenario's, or any.
      const auto near = kinds_.lower_bound({classes, ""});
      return near == kinds_.end() ? kinds_.begin()->second : near->second;
    }
    Kind kind{planned_cost(point), {}};
    for (const auto& [path, value] : point.sweep) kind.values[path] = value.text;
    return kinds_.emplace(name, std::move(kind)).first->second;
  }

  // A point that cannot be planned is told by whoever runs it.
  PointCost planned_cost(const PointSpec& point) {
    try {
      const auto plan = study_.plan(point);
      const auto engine = engine::engine_of(study_, *plan);
      return cost_of(*plan, engine.counts.get(), study_.spec().simulation, n_trials_);
    } catch (const Error&) {
      return {1, std::nullopt};
    }
  }

  scenario::Study study_;
  const std::vector<PointSpec>& points_;
  std::uint64_t n_trials_;
  std::map<std::string, Axis> axes_;                           // by path
  std::map<std::pair<std::string, std::string>, Kind> kinds_;  // by design and classes, scenario
};

}  // namespace

std::vector<std::uint64_t> estimated_costs(const scenario::Study& study,
                                           const std::vector<PointSpec>& points,
                                           std::uint64_t n_trials) {
  Estimator estimate(study, points, n_trials);
  std::vector<std::uint64_t> costs;
  costs.reserve(points.size());
  for (const auto& point : points) costs.push_back(estimate(point));
  return costs;
}

std::vector<std::uint64_t> costs_of_round(const scenario::Study& study,
                                          const std::vector<PointSpec>& points,
                                          std::span<const std::vector<std::size_t>> open) {
  const auto& simulation = study.spec().simulation;
  const std::uint64_t n_trials = simulation.precision
                                     ? std::min(simulation.trials, simulation.precision->round_trials)
                                     : simulation.trials;
  const auto all = estimated_costs(study, points, n_trials);
  if (open.empty()) return all;
  std::vector<std::uint64_t> costs(points.size(), 0);
  for (const std::size_t i : open.back()) costs.at(i) = all[i];
  return costs;
}

std::vector<PointShare> share_of(std::span<const std::uint64_t> costs, const ShardId& shard) {
  TRIALWRIGHT_EXPECT(shard.i >= 1 && shard.i <= shard.n);
  // Products of a cost, a shard's number and k_whole are to fit into 128 bits.
  constexpr Wide k_most = Wide{1} << 62;
  int shift = 0;
  const auto scaled = [&](std::uint64_t cost) {
    return cost == 0 ? Wide{0} : std::max<Wide>(1, cost >> shift);
  };
  const auto sum = [&] {
    return std::accumulate(costs.begin(), costs.end(), Wide{0},
                           [&](Wide all, std::uint64_t cost) { return all + scaled(cost); });
  };
  while (sum() > k_most) ++shift;

  const Wide whole = sum();
  std::vector<PointShare> shares;
  Wide before = 0;
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const Wide cost = scaled(costs[i]);
    if (cost == 0) continue;
    // Where the slices' end k of n lies in this point: a function of k / n alone.
    const auto place = [&](std::uint32_t k) -> std::uint64_t {
      const Wide at = whole * k, first = before * shard.n, length = cost * shard.n;
      if (at <= first) return 0;
      if (at - first >= length) return PointShare::k_whole;
      return static_cast<std::uint64_t>((at - first) * PointShare::k_whole / length);
    };
    const PointShare share{i, place(shard.i - 1), place(shard.i)};
    if (share.from < share.to) shares.push_back(share);
    before += cost;
  }
  return shares;
}

engine::TrialRange range_of(const PointShare& share, engine::Track track,
                            const engine::TrackShape& shape, const engine::TrialRange& range) {
  if (track == engine::Track::calendars)
    return share.from == 0 ? range : engine::TrialRange{range.from, range.from};
  const std::uint64_t n_blocks = (range.size() + shape.block_trials - 1) / shape.block_trials;
  const auto place = [&](std::uint64_t part) {
    const auto block = static_cast<std::uint64_t>((Wide{n_blocks} * part + PointShare::k_whole / 2) /
                                                  PointShare::k_whole);
    return std::min(range.to, range.from + block * shape.block_trials);
  };
  return {place(share.from), place(share.to)};
}

}  // namespace trialwright::shard
