#include "trial/look_record.hpp"

#include <array>
#include <limits>

namespace trialwright::trial {

LookRecord record_of(const design::LookData& data, const design::TrialState& state,
                     const design::Decision& decision, const design::Statistics& told) {
  LookRecord look;
  look.cut_months = look.decision_months = std::numeric_limits<double>::quiet_NaN();
  look.n_enrolled = look.n_known = data.n_enrolled;
  look.decision = decision;
  look.n_planned = state.n_planned;
  look.arms = state.arms;
  look.population = state.population;
  look.statistics = told;
  for (int h = 0; h < data.n_hypotheses; ++h) {
    analysis::TwoByTwo all;
    for (int stage = 0; stage <= data.i_look; ++stage)
      all = analysis::collapsed(std::array{all, analysis::collapsed(data.stage(stage, h))});
    look.tables.push_back(all);
  }
  return look;
}

}  // namespace trialwright::trial
