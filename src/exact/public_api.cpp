#include <fmt/format.h>

#include <cmath>

#include "exact/exact_power.hpp"
#include "trialwright/error.hpp"
#include "trialwright/exact.hpp"

namespace trialwright {

namespace {

constexpr int k_largest_arm = 5000;

bool is_enumerated(analysis::Method method) {
  return method != analysis::Method::cmh && method != analysis::Method::farrington_manning &&
         method != analysis::Method::commensurate;
}

analysis::TestSpec checked(const ExactQuestion& question) {
  const auto table = analysis::method_table();
  const auto* row = base::find(table, question.test);
  if (row == nullptr || !is_enumerated(row->value)) {
    std::vector<std::string_view> names;
    for (const auto& candidate : table)
      if (is_enumerated(candidate.value)) names.push_back(candidate.name);
    const auto near = base::closest(question.test, names);
    throw bad_input(fmt::format("test \"{}\" has no enumeration (one of {} is needed){}", question.test,
                                fmt::join(names, ", "),
                                near.empty() ? "" : fmt::format(" - did you mean {}?", near)));
  }
  for (const int n : {question.n_treatment, question.n_control})
    if (n < 1 || n > k_largest_arm)
      throw bad_input(fmt::format("an arm of {} patients (1 to {} are needed)", n, k_largest_arm));
  for (const double p : {question.p_treatment, question.p_control})
    if (!(p >= 0.0 && p <= 1.0))
      throw bad_input(fmt::format("a response rate of {} (a probability from 0 to 1 is needed)", p));
  const auto sides = question.sides == ExactSides::one ? analysis::Sides::one : analysis::Sides::two;
  const analysis::TestSpec spec{row->value, sides, question.alpha, 0.0,
                                analysis::Direction::higher_is_better};
  if (const auto problem = analysis::check(spec)) throw bad_input(*problem);
  return spec;
}

}  // namespace

double exact_power(const ExactQuestion& question) {
  return exact::exact_power(checked(question), question.n_treatment, question.n_control,
                            question.p_treatment, question.p_control);
}

ExactAnswer exact_operating_characteristics(const ExactQuestion& question) {
  const analysis::TestSpec spec = checked(question);
  const exact::RejectionRegion region(spec, question.n_treatment, question.n_control);
  const auto supremum =
      analysis::NullRateSearch(question.n_treatment, question.n_control).supremum(region.runs());
  return {exact_power(question), supremum.probability, supremum.rate_0, region.count()};
}

}  // namespace trialwright
