// The names in a study's other sections that designs refer to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/binary_test.hpp"
#include "design/randomisation.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

// The scale of an estimand of numbers, whose means are compared.
struct MeanScale {
  double largest = 0;     // difference that is sensible to ask for
  std::string_view unit;  // of that difference
};

// A study's estimands by name.
struct EstimandNames {
  std::vector<std::string> names;
  std::vector<std::optional<MeanScale>>
      means{};  // [i_estimand], null of events; empty: all are of events

  const std::optional<MeanScale>& mean_scale(int i_estimand) const;
  // Reads the name of an estimand of events, whose rates are compared, at `key`; -1 where it is faulty.
  // One of numbers is a fault that tells which estimands can be used.
  int read_events(input::Reader& reader, std::string_view key) const;
};

struct StudyNames {
  std::vector<std::string> arms;
  int control_arm = 0;
  std::vector<std::string> analyses;
  std::vector<FactorLevels> factors;  // as PatientModel::factors(): the study's, then region and site
  EstimandNames estimands{};
  std::vector<analysis::TestSpec> tests{};  // [i_analysis]
  std::vector<int> estimand_of{};           // [i_analysis], -1 where it is faulty

  // The test of an analysis; the usual one where the analysis is a fault itself.
  analysis::TestSpec test_of(int i_analysis) const;
};

// The patients at one level of a factor.
struct Subgroup {
  int factor = 0;  // index into StudyNames::factors
  int level = 0;
  bool operator==(const Subgroup&) const = default;
};

// Reads `subgroup: {factor: severity, level: "iga >= 4"}`; nullopt where it is absent or faulty.
std::optional<Subgroup> read_subgroup(input::Reader& reader, const std::vector<FactorLevels>& factors);

}  // namespace trialwright::design
