#include "design/randomisation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string_view>

#include "base/contract.hpp"

namespace trialwright::design {

namespace {

// Beyond these the tables of one trial would outgrow its patients.
constexpr std::int64_t k_maximum_lists = 1'000'000;
// Keeps minimisation's whole-number imbalances within 64 bits for 10 million patients.
constexpr std::int64_t k_maximum_ratio_multiple = 10'000;
constexpr double k_default_probability = 0.8;

struct Option {
  std::string_view key;
  std::string_view users;
  bool (*applies)(RandomisationMethod);
};

constexpr std::array<Option, 4> k_options{{
    {"block_size", "permuted_block",
     [](RandomisationMethod m) { return m == RandomisationMethod::permuted_block; }},
    {"strata", "permuted_block or minimisation",
     [](RandomisationMethod m) {
       return m == RandomisationMethod::permuted_block || m == RandomisationMethod::minimisation;
     }},
    {"probability", "minimisation",
     [](RandomisationMethod m) { return m == RandomisationMethod::minimisation; }},
    {"imbalance", "minimisation",
     [](RandomisationMethod m) { return m == RandomisationMethod::minimisation; }},
}};

void refuse_unused_options(input::Reader& reader, RandomisationMethod method) {
  for (const Option& option : k_options) {
    if (option.applies(method) || !reader.has(option.key)) continue;
    reader.raw(option.key);
    reader.fault(option.key,
                 fmt::format("\"{}\" means nothing to {} (no option is read and ignored)", option.key,
                             base::name_of<RandomisationMethod>(k_randomisation_methods, method)),
                 fmt::format("take the key out, or choose {}", option.users));
  }
}

std::vector<std::string> names_of(const std::vector<FactorLevels>& factors) {
  std::vector<std::string> names;
  for (const auto& factor : factors) names.push_back(factor.name);
  return names;
}

std::vector<int> read_strata(input::Reader& reader, const std::vector<FactorLevels>& factors) {
  return reader.references("strata", names_of(factors), "stratification factor");
}

int sum(const std::vector<int>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0);
}

std::string multiples_of(int unit) {
  return fmt::format("{}, {}, {} …", unit, 2 * unit, 3 * unit);
}

PermutedBlock read_permuted_block(input::Reader& design, input::Reader& reader,
                                  const std::vector<ArmShare>& arms, int n_patients,
                                  const std::vector<FactorLevels>& factors) {
  PermutedBlock block;
  const int unit = arms.empty() ? 1 : sum(reduced_ratio(arms));
  const std::size_t faults_before = reader.faults().size();
  block.block_size = static_cast<int>(reader.integer("block_size", 1, 1'000'000, 2 * unit));
  const bool size_is_known = reader.faults().size() == faults_before;
  block.factors = read_strata(reader, factors);
  if (arms.empty() || !size_is_known) return block;
  if (block.block_size % unit != 0) {
    reader.fault("block_size",
                 fmt::format("a block of {} cannot hold the allocation ratio, whose parts sum to {}",
                             block.block_size, unit),
                 fmt::format("take a multiple of {}: {}", unit, multiples_of(unit)));
    block.block_size = 2 * unit;
  } else if (n_patients < block.block_size) {
    design.fault(
        "patients",
        fmt::format("{} patients are fewer than one block of {} (the ratio would never be reached)",
                    n_patients, block.block_size),
        fmt::format("at least {} patients, or a smaller block_size: {}", block.block_size,
                    multiples_of(unit)));
  }
  std::int64_t n_lists = 1;
  for (const int f : block.factors)
    n_lists = std::min(n_lists * factors[f].n_levels, k_maximum_lists + 1);
  if (n_lists > k_maximum_lists)
    reader.fault("strata",
                 fmt::format("the factors have more than {} combinations of levels", k_maximum_lists),
                 "stratify by fewer factors");
  return block;
}

Minimisation read_minimisation(input::Reader& reader, const std::vector<ArmShare>& arms,
                               const std::vector<FactorLevels>& factors) {
  Minimisation rule;
  rule.factors = read_strata(reader, factors);
  rule.probability =
      reader.number("probability", {0, 1, true, false, "a probability"}, k_default_probability);
  rule.imbalance = reader.choice<Imbalance>("imbalance", k_imbalances, Imbalance::range);
  const input::Node* written = reader.raw("strata");
  if (written == nullptr || (written->kind == input::Node::Kind::sequence && written->items.empty()))
    reader.fault("strata",
                 "minimisation needs \"strata\" (the factors whose margins it keeps in balance)",
                 fmt::format("one or more of: {}", fmt::join(names_of(factors), ", ")));
  if (arms.empty()) return rule;
  const std::vector<int> ratio = reduced_ratio(arms);
  const double fair_share = static_cast<double>(*std::min_element(ratio.begin(), ratio.end())) /
                            static_cast<double>(sum(ratio));
  if (rule.probability < fair_share)
    reader.fault(
        "probability",
        fmt::format("{} is below the preferred arm's fair share {:.4g} (imbalance would be sought, not "
                    "avoided)",
                    rule.probability, fair_share),
        fmt::format("from {:.4g} (simple randomisation) to 1 (no chance but in ties)", fair_share));
  std::int64_t multiple = 1;
  for (const int r : ratio)
    multiple = std::min(std::lcm(multiple, std::int64_t{r}), k_maximum_ratio_multiple + 1);
  if (multiple > k_maximum_ratio_multiple)
    reader.fault(
        "method",
        fmt::format(
            "minimisation cannot weigh the allocation ratio {} (the least common multiple of its "
            "parts is above {})",
            fmt::join(ratio, ":"), k_maximum_ratio_multiple),
        "take smaller whole numbers in \"arms\"");
  return rule;
}

}  // namespace

RandomisationMethod method_of(const Randomisation& randomisation) {
  struct Method {
    RandomisationMethod operator()(const RandomAllocation&) const {
      return RandomisationMethod::random_allocation;
    }
    RandomisationMethod operator()(const SimpleRandomisation&) const {
      return RandomisationMethod::simple;
    }
    RandomisationMethod operator()(const PermutedBlock&) const {
      return RandomisationMethod::permuted_block;
    }
    RandomisationMethod operator()(const Minimisation&) const {
      return RandomisationMethod::minimisation;
    }
  };
  return std::visit(Method{}, randomisation);
}

std::vector<int> reduced_ratio(const std::vector<ArmShare>& arms) {
  int divisor = 0;
  for (const auto& arm : arms) divisor = std::gcd(divisor, arm.ratio);
  std::vector<int> ratio;
  for (const auto& arm : arms) ratio.push_back(arm.ratio / divisor);
  return ratio;
}

std::vector<int> arm_totals(int n, const std::vector<ArmShare>& arms) {
  TRIALWRIGHT_EXPECT(!arms.empty());
  std::int64_t ratio_sum = 0;
  for (const auto& arm : arms) ratio_sum += arm.ratio;
  std::vector<int> totals;
  std::vector<std::int64_t> remainders;
  int given = 0;
  for (const auto& arm : arms) {
    const std::int64_t share = std::int64_t{n} * arm.ratio;
    totals.push_back(static_cast<int>(share / ratio_sum));
    remainders.push_back(share % ratio_sum);
    given += totals.back();
  }
  for (; given < n; ++given) {
    const auto largest = std::max_element(remainders.begin(), remainders.end());
    ++totals[static_cast<std::size_t>(largest - remainders.begin())];
    *largest = -1;
  }
  return totals;
}

Randomisation read_randomisation(input::Reader& design, const std::vector<ArmShare>& arms,
                                 int n_patients, const std::vector<FactorLevels>& factors,
                                 RandomisationMethod usual) {
  input::Reader reader = design.map_or_defaults("randomisation");
  const std::size_t faults_before = reader.faults().size();
  const auto method = reader.choice<RandomisationMethod>("method", k_randomisation_methods, usual);
  if (reader.faults().size() > faults_before) return RandomAllocation{};
  refuse_unused_options(reader, method);
  switch (method) {
    case RandomisationMethod::random_allocation:
      return RandomAllocation{};
    case RandomisationMethod::simple:
      return SimpleRandomisation{};
    case RandomisationMethod::permuted_block:
      return read_permuted_block(design, reader, arms, n_patients, factors);
    case RandomisationMethod::minimisation:
      return read_minimisation(reader, arms, factors);
  }
  return RandomAllocation{};
}

}  // namespace trialwright::design
