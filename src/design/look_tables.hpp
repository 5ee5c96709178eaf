// The tables of a look's stages put together.
#pragma once

#include <vector>

#include "analysis/z_statistic.hpp"
#include "design/staged_design.hpp"

namespace trialwright::design {

// The patients of hypothesis h and stratum s in stages first .. last.
inline analysis::TwoByTwo stratum_table(const LookData& data, int i_hypothesis, int i_stratum,
                                        int first, int last) {
  analysis::TwoByTwo sum;
  for (int stage = first; stage <= last; ++stage) {
    const auto& part = data.stage(stage, i_hypothesis)[static_cast<std::size_t>(i_stratum)];
    sum.responders_1 += part.responders_1;
    sum.n_1 += part.n_1;
    sum.responders_0 += part.responders_0;
    sum.n_0 += part.n_0;
  }
  return sum;
}

// Over all strata.
inline analysis::TwoByTwo table_of_stages(const LookData& data, int i_hypothesis, int first, int last) {
  analysis::TwoByTwo sum;
  for (int stage = first; stage <= last; ++stage) {
    const analysis::TwoByTwo parts[] = {sum, analysis::collapsed(data.stage(stage, i_hypothesis))};
    sum = analysis::collapsed(parts);
  }
  return sum;
}

// Is anything known of both arms that a hypothesis compares?
inline bool is_known(const LookData& data, int i_hypothesis) {
  const auto table = table_of_stages(data, i_hypothesis, 0, data.i_look);
  return table.n_1 > 0 && table.n_0 > 0;
}

// One table a stratum.
inline std::vector<analysis::TwoByTwo> strata_of_stages(const LookData& data, int i_hypothesis,
                                                        int first, int last) {
  std::vector<analysis::TwoByTwo> strata;
  for (int s = 0; s < data.n_strata; ++s)
    strata.push_back(stratum_table(data, i_hypothesis, s, first, last));
  return strata;
}

// The planned test's z on the patients of stages first .. last.
inline double z_of_stages(const analysis::ZStatistic& z, const LookData& data, int i_hypothesis,
                          int first, int last) {
  return z.over(data.n_strata,
                [&](int s) { return stratum_table(data, i_hypothesis, s, first, last); });
}

// Evidence that treatment is worse, of the same patients.
inline double z_against_of_stages(const analysis::ZStatistic& z, const LookData& data, int i_hypothesis,
                                  int first, int last) {
  return z.against_over(data.n_strata,
                        [&](int s) { return stratum_table(data, i_hypothesis, s, first, last); });
}

}  // namespace trialwright::design
