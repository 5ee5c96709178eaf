#include "design/study_names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace trialwright::design {

const std::optional<MeanScale>& EstimandNames::mean_scale(int i_estimand) const {
  static constexpr std::optional<MeanScale> k_of_events;
  const auto i = static_cast<std::size_t>(i_estimand);
  return i_estimand >= 0 && i < means.size() ? means[i] : k_of_events;
}

int EstimandNames::read_events(input::Reader& reader, std::string_view key) const {
  const int found = reader.reference(key, names, "estimand");
  if (found < 0 || !mean_scale(found)) return found;
  std::vector<std::string> usable;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!mean_scale(static_cast<int>(i))) usable.push_back(names[i]);
  reader.fault(
      key,
      fmt::format("estimand \"{}\" is a number (here patients with an event are counted; means "
                  "only choose arms, by selection.on)",
                  names[static_cast<std::size_t>(found)]),
      usable.empty() ? std::string("add an estimand of a response or of adverse events")
                     : fmt::format("one of {}", fmt::join(usable, ", ")));
  return -1;
}

analysis::TestSpec StudyNames::test_of(int i_analysis) const {
  const auto i = static_cast<std::size_t>(i_analysis);
  return i_analysis >= 0 && i < tests.size() ? tests[i] : analysis::TestSpec{};
}

std::optional<Subgroup> read_subgroup(input::Reader& reader, const std::vector<FactorLevels>& factors) {
  auto subgroup = reader.optional_map("subgroup");
  if (!subgroup) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& factor : factors) names.push_back(factor.name);
  const int factor = subgroup->reference("factor", names, "factor of population.strata");
  if (factor < 0) {
    subgroup->raw("level");
    return std::nullopt;
  }
  const auto& levels = factors[static_cast<std::size_t>(factor)].levels;
  const int level = subgroup->reference("level", levels,
                                        "level of \"" + names[static_cast<std::size_t>(factor)] + "\"");
  if (level < 0) return std::nullopt;
  return Subgroup{factor, level};
}

}  // namespace trialwright::design
