// Exact probabilities of how trials with looks end, from the tables of their looks.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/contract.hpp"
#include "rng/count_table.hpp"
#include "trial/staged_counts_impl.hpp"

namespace trialwright::trial {
namespace {

// Probabilities of pairs of counts in a box of them.
struct Masses {
  CountRange events_1;
  CountRange events_0;
  std::vector<double> values;  // [(x1 - lowest) * events_0.width() + x0 - lowest]

  static Masses none(const CountRange& events_1, const CountRange& events_0) {
    return {events_1, events_0,
            std::vector<double>(static_cast<std::size_t>(events_1.width()) *
                                static_cast<std::size_t>(events_0.width()))};
  }
  double* row(int x_1) {
    return values.data() +
           static_cast<std::size_t>(x_1 - events_1.lowest) * static_cast<std::size_t>(events_0.width());
  }
  const double* row(int x_1) const { return const_cast<Masses*>(this)->row(x_1); }
};

struct Law {
  explicit Law(const rng::CountTable& table) : first(table.first()) {
    for (int x = table.first(); x <= table.last(); ++x) probabilities.push_back(table.probability(x));
  }
  int first;
  std::vector<double> probabilities;
};

// The control's count grows by a draw of `law`.
Masses plus_control(const Masses& before, const Law& law, const CountRange& events_0) {
  Masses after = Masses::none(before.events_1, events_0);
  for (int x_1 = before.events_1.lowest; x_1 <= before.events_1.highest; ++x_1) {
    const double* from = before.row(x_1);
    double* to = after.row(x_1);
    for (int x_0 = before.events_0.lowest; x_0 <= before.events_0.highest; ++x_0) {
      const double mass = from[x_0 - before.events_0.lowest];
      if (mass == 0) continue;
      double* out = to + (x_0 + law.first - events_0.lowest);
      for (std::size_t k = 0; k < law.probabilities.size(); ++k) out[k] += mass * law.probabilities[k];
    }
  }
  return after;
}

Masses plus_active(const Masses& before, const Law& law, const CountRange& events_1) {
  Masses after = Masses::none(events_1, before.events_0);
  const int width = before.events_0.width();
  for (int x_1 = before.events_1.lowest; x_1 <= before.events_1.highest; ++x_1) {
    const double* from = before.row(x_1);
    for (std::size_t k = 0; k < law.probabilities.size(); ++k) {
      double* out = after.row(x_1 + law.first + static_cast<int>(k));
      for (int i = 0; i < width; ++i) out[i] += from[i] * law.probabilities[k];
    }
  }
  return after;
}

}  // namespace

std::vector<StagedCountPlan::EndProbability> StagedCountPlan::end_probabilities() const {
  TRIALWRIGHT_EXPECT(decides_by_tables());
  const Impl& impl = *impl_;
  std::vector<EndProbability> result;
  for (const TrialEnd& end : impl.ends) result.push_back({end, 0});
  const auto [arm_1, arm_0] = impl.pairs.front();
  const int block = impl.blocks.size(impl.start.arms);
  Masses masses = Masses::none({0, 0}, {0, 0});
  masses.values.front() = 1;
  int n_known = 0;
  for (const LookTable& table : impl.tables) {
    const int n_blocks = (table.size.n_known - n_known) / block;
    n_known = table.size.n_known;
    const auto law = [&](std::size_t arm) {
      return Law(rng::CountTable::binomial(n_blocks * impl.blocks.balls[arm], impl.event_rates[arm]));
    };
    masses = plus_active(plus_control(masses, law(arm_0), table.events_0), law(arm_1), table.events_1);
    for (std::size_t place = 0; place < table.entries.size(); ++place) {
      const std::size_t code = table.entries[place] / 2;
      if (code == 0) continue;
      result[code].probability += masses.values[place];
      masses.values[place] = 0;
    }
  }
  result.erase(result.begin());  // code 0 is no end
  return result;
}

}  // namespace trialwright::trial
