#include "scenario/outputs_spec.hpp"

#include <array>

namespace trialwright::scenario {

std::span<const base::Named<Compression>> compression_table() {
  static constexpr std::array<base::Named<Compression>, 2> k_table{{
      {"none", "trials.csv and patients.csv as text", "", Compression::none},
      {"gzip", "trials.csv.gz and patients.csv.gz, about a tenth of the size", "RFC 1952",
       Compression::gzip},
  }};
  return k_table;
}

OutputsSpec read_outputs(input::Reader& study) {
  OutputsSpec spec;
  auto outputs = study.map_or_defaults("outputs");
  spec.trials = outputs.boolean("trials", false);
  spec.patients_of_trials =
      static_cast<std::uint64_t>(outputs.integer("patients", 0, 1'000'000'000'000, 0));
  spec.patients_at = outputs.at("patients");
  spec.compression = outputs.choice("compression", compression_table(), Compression::none);
  return spec;
}

}  // namespace trialwright::scenario
