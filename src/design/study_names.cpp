#include "design/study_names.hpp"

namespace trialwright::design {

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
