#include "trial/look_text.hpp"

#include <fmt/format.h>

namespace trialwright::trial {

std::string_view short_name(const PlannedAnalysis& hypothesis) {
  const std::string_view name = hypothesis.name;
  const auto open = name.rfind('[');
  if (open == name.npos || name.back() != ']') return name;
  return name.substr(open + 1, name.size() - open - 2);
}

std::string arm_names(const TrialPlan& plan, design::Bits arms) {
  std::string names;
  for (std::size_t i = 0; i < plan.arms.size(); ++i) {
    if ((arms >> i & 1U) == 0) continue;
    if (!names.empty()) names += '+';
    names += plan.model->arms()[static_cast<std::size_t>(plan.arms[i])].name;
  }
  return names;
}

std::string_view population_name(const TrialPlan& plan, int population) {
  if (population < 0) return {};
  for (const auto& hypothesis : plan.analyses)
    if (hypothesis.subgroup)
      return plan.model->factors()[static_cast<std::size_t>(hypothesis.subgroup->factor)]
          .levels[static_cast<std::size_t>(population)];
  return {};
}

std::string action_text(const TrialPlan& plan, const LookRecord& look, const LookRecord* before) {
  if (look.decision.stop != design::StopReason::none)
    return std::string(
        base::name_of<design::StopReason>(design::k_stop_reason_names, look.decision.stop));
  std::string text(look.decision.action);
  if (look.n_planned != (before != nullptr ? before->n_planned : plan.n_planned))
    text += fmt::format(" to {}", look.n_planned);
  design::Bits all = 0;
  for (std::size_t i = 0; i < plan.arms.size(); ++i) all |= design::Bits{1} << i;
  const auto arms = look.arms & all;
  if (arms != ((before != nullptr ? before->arms : all) & all)) text += " in " + arm_names(plan, arms);
  if (look.population != (before != nullptr ? before->population : -1))
    text += fmt::format(" of {}", population_name(plan, look.population));
  return text;
}

std::string statistics_text(const TrialPlan& plan, const design::Statistics& statistics) {
  std::string text;
  for (int i = 0; i < statistics.n; ++i) {
    const auto& one = statistics.list[static_cast<std::size_t>(i)];
    if (i > 0) text += ", ";
    text += one.name;
    if (one.hypothesis >= 0 && plan.n_hypotheses > 1)
      text += fmt::format("[{}]", short_name(plan.analyses[static_cast<std::size_t>(one.hypothesis)]));
    text += fmt::format(" {:.4g}", one.value);
  }
  return text;
}

std::string decisions_text(const TrialPlan& plan, std::span<const LookRecord> looks) {
  std::string text;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (i > 0) text += "; ";
    text += fmt::format("{}: {}", i + 1, action_text(plan, looks[i], i > 0 ? &looks[i - 1] : nullptr));
    if (const auto read = statistics_text(plan, looks[i].statistics); !read.empty())
      text += fmt::format(" ({})", read);
  }
  return text;
}

}  // namespace trialwright::trial
