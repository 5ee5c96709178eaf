#include "search/simulated_size.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "analysis/binary_test.hpp"
#include "math/normal.hpp"
#include "search/crossing.hpp"
#include "stats/binomial_interval.hpp"

namespace trialwright::search {
namespace {

constexpr std::uint64_t k_pilot_trials = 1000;
constexpr std::uint64_t k_first_trials = 2000;
constexpr double k_first_spread = 0.08;  // of the outer sizes of a round about the middle one
constexpr double k_widest_spread = 0.6;
constexpr double k_clear_slope = 5;  // standard errors
constexpr double k_relative_precision = 0.01;
constexpr int k_patients_an_arm = 2;
constexpr int k_max_rounds = 40;
constexpr int k_max_checks = 6;
// A size at the grid's end is decided where this interval leaves the target out.
constexpr double k_end_level = 0.999;

class Search {
 public:
  Search(PowerSampler& sampler, const SizeGrid& grid, const SizeQuestion& question)
      : sampler_(sampler), grid_(grid), question_(question) {}

  void run(int first_guess, SizeAnswer& answer) {
    const auto bracket = pilot(grid_.nearest(first_guess));
    if (bracket.lower >= grid_.maximum || bracket.upper <= grid_.minimum) {
      const bool at_maximum = bracket.lower >= grid_.maximum;
      answer.outcome = at_maximum ? SizeOutcome::not_reached : SizeOutcome::minimum_suffices;
      answer.smallest = power_at(at_maximum ? grid_.maximum : grid_.minimum);
      if (at_maximum) answer.highest = highest();
      return;
    }
    refine(grid_.nearest(0.5 * (bracket.lower + bracket.upper)));
    check(answer);
  }

 private:
  // The target lies above the power at `lower` and not above that at `upper`; the grid's ends stand in
  // for sizes not met.
  struct Bracket {
    int lower;
    int upper;
  };

  std::uint64_t at_most(std::uint64_t n_trials) const {
    return std::min(n_trials, question_.max_trials);
  }

  double rate(int size, std::uint64_t n_trials) const {
    return static_cast<double>(sampler_.n_rejected(size, n_trials)) / static_cast<double>(n_trials);
  }

  // Does the power at an end of the grid reach the target? More trials until that is clear.
  bool end_reaches(int size) {
    for (std::uint64_t n = at_most(k_pilot_trials);; n = at_most(4 * n)) {
      sampler_.extend(std::array{size}, n);
      const auto interval = stats::wilson_interval(sampler_.n_rejected(size, n), n, k_end_level);
      if (n == question_.max_trials || interval.upper < question_.target ||
          interval.lower > question_.target)
        return rate(size, n) >= question_.target;
    }
  }

  bool reaches(int size) {
    if (size == grid_.minimum || size == grid_.maximum) return end_reaches(size);
    const std::uint64_t n = at_most(k_pilot_trials);
    sampler_.extend(std::array{size}, n);
    return rate(size, n) >= question_.target;
  }

  // Where the normal approximation through this size's power puts the target: its probit is
  // c sqrt(N) - critical z.
  double secant(int size) {
    const std::uint64_t n = at_most(k_pilot_trials);
    const double critical = analysis::critical_z(sampler_.plan(size)->analyses.front().test.spec());
    const double smoothed =
        (static_cast<double>(sampler_.n_rejected(size, n)) + 0.5) / (static_cast<double>(n) + 1);
    const double wanted = math::normal_quantile(question_.target) + critical;
    const double here = math::normal_quantile(smoothed) + critical;
    if (here <= 0) return std::numeric_limits<double>::infinity();
    return size * (wanted / here) * (wanted / here);
  }

  Bracket pilot(int size) {
    Bracket bracket{0, std::numeric_limits<int>::max()};
    while (true) {
      const bool reached = reaches(size);
      (reached ? bracket.upper : bracket.lower) = size;
      if (bracket.lower >= grid_.maximum || bracket.upper <= grid_.minimum) return bracket;
      const bool closed = bracket.lower > 0 && bracket.upper < std::numeric_limits<int>::max();
      if (closed &&
          (bracket.upper <= 1.3 * bracket.lower || bracket.upper - bracket.lower <= grid_.unit))
        return bracket;
      // A little beyond the estimate, so that the other side of the target is met soon.
      double next = secant(size) * (reached ? 0.9 : 1.1);
      if (closed) {
        const double width = bracket.upper - bracket.lower;
        next = std::clamp(next, bracket.lower + 0.1 * width, bracket.upper - 0.1 * width);
      } else {
        next = reached ? std::clamp(next, size / 8.0, 0.9 * size)
                       : std::clamp(next, 1.1 * size, 8.0 * size);
      }
      int proposal = grid_.nearest(next);
      if (proposal == size) proposal = grid_.nearest(size + (reached ? -grid_.unit : grid_.unit));
      if (closed)
        proposal = std::clamp(proposal, bracket.lower + grid_.unit, bracket.upper - grid_.unit);
      size = proposal;
    }
  }

  std::vector<int> around(int centre, double spread) const {
    const double reach = std::max(spread * centre, 2.0 * grid_.unit);
    std::vector<int> sizes{grid_.nearest(centre - reach), centre, grid_.nearest(centre + reach)};
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    return sizes;
  }

  std::optional<Crossing> fit(const std::vector<int>& sizes, std::uint64_t n_trials) const {
    if (sizes.size() < 2) return std::nullopt;
    CommonPowers powers;
    powers.sizes = sizes;
    powers.n_trials = static_cast<double>(n_trials);
    for (int one : sizes) {
      powers.n_rejected.push_back(static_cast<double>(sampler_.n_rejected(one, n_trials)));
      auto& row = powers.n_both_rejected.emplace_back();
      for (int other : sizes)
        row.push_back(static_cast<double>(sampler_.n_both_rejected(one, other, n_trials)));
    }
    return fit_crossing(powers, question_.target);
  }

  double wanted_half_width(double root) {
    const auto n_arms = static_cast<double>(sampler_.plan(grid_.minimum)->arms.size());
    return std::max(k_patients_an_arm * n_arms, k_relative_precision * root);
  }

  void refine(int centre) {
    n_trials_ = at_most(k_first_trials);
    const std::uint64_t most = std::max<std::uint64_t>(n_trials_, question_.max_trials / 2);
    for (int round = 0; round < k_max_rounds; ++round) {
      outer_ = around(centre, spread_);
      sampler_.extend(outer_, n_trials_);
      crossing_ = fit(outer_, n_trials_);
      if (!crossing_ || crossing_->slope_z < k_clear_slope) {
        if (spread_ < k_widest_spread) {
          spread_ = std::min(2 * spread_, k_widest_spread);
        } else if (n_trials_ < most) {
          n_trials_ = std::min(4 * n_trials_, most);
        } else {
          return;
        }
        continue;
      }
      const int next = grid_.nearest(crossing_->root);
      const bool is_inside = outer_.front() <= next && next <= outer_.back();
      const double half_width = 0.5 * (crossing_->interval.upper - crossing_->interval.lower);
      const double ratio = half_width / wanted_half_width(crossing_->root);
      if (is_inside && (ratio <= 1 || n_trials_ >= most)) return;
      centre = next;
      if (!is_inside) continue;
      const double n = static_cast<double>(n_trials_);
      n_trials_ =
          std::min(most, static_cast<std::uint64_t>(n * std::clamp(1.1 * ratio * ratio, 2.0, 8.0)));
    }
  }

  // The size and its neighbours with twice the trials, again where that moves the size.
  void check(SizeAnswer& answer) {
    n_trials_ = at_most(2 * n_trials_);
    int size = grid_.up(crossing_ ? crossing_->root : outer_[outer_.size() / 2]);
    for (int i = 0; i < k_max_checks; ++i) {
      std::vector<int> sizes{grid_.nearest(size - grid_.unit), size, grid_.nearest(size + grid_.unit),
                             outer_.front(), outer_.back()};
      sampler_.extend(sizes, n_trials_);
      const auto better = fit(sampler_.sizes_with(n_trials_), n_trials_);
      if (!better) break;
      crossing_ = better;
      const int again = grid_.up(crossing_->root);
      if (again == size) break;
      size = again;
    }
    sampler_.extend(std::array{size}, n_trials_);
    answer.outcome = SizeOutcome::found;
    answer.smallest = power_at(size);
    for (int neighbour : sampler_.sizes_with(n_trials_))
      answer.neighbours.push_back(power_at(neighbour));
    answer.lower = crossing_ ? grid_.up(crossing_->interval.lower) : grid_.minimum;
    answer.upper = crossing_ ? grid_.up(crossing_->interval.upper) : grid_.maximum;
    answer.root = crossing_ ? crossing_->root : size;
    answer.root_standard_error =
        crossing_ ? crossing_->root_standard_error : std::numeric_limits<double>::infinity();
  }

  PowerAtSize power_at(int size) const {
    const std::uint64_t n = sampler_.n_trials(size);
    const std::uint64_t n_rejected = sampler_.n_rejected(size, n);
    return {size,
            {},
            rate(size, n),
            stats::mcse_of_proportion(n_rejected, n),
            stats::wilson_interval(n_rejected, n, 0.95),
            n};
  }

  PowerAtSize highest() const {
    std::vector<PowerAtSize> powers;
    for (int size : sampler_.sizes_with(1)) powers.push_back(power_at(size));
    return *std::max_element(powers.begin(), powers.end(),
                             [](const auto& a, const auto& b) { return a.power < b.power; });
  }

  PowerSampler& sampler_;
  const SizeGrid& grid_;
  const SizeQuestion& question_;
  std::uint64_t n_trials_ = 0;
  double spread_ = k_first_spread;
  std::vector<int> outer_;
  std::optional<Crossing> crossing_;
};

}  // namespace

void search_by_simulation(PowerSampler& sampler, const SizeGrid& grid, const SizeQuestion& question,
                          int first_guess, SizeAnswer& answer) {
  Search(sampler, grid, question).run(first_guess, answer);
}

}  // namespace trialwright::search
