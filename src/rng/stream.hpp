// Addressed draws: every random number of the program is named by (seed; purpose, trial, unit, draw),
// so any one of them can be made again alone and none depends on how many others were made.
#pragma once

#include <cstdint>
#include <limits>

#include "rng/philox.hpp"

namespace trialwright::rng {

// What a draw is for. The numbers are part of the results' definition: never reuse or renumber one.
enum class Purpose : std::uint32_t {
  truth = 1,         // the truth of this trial, where drawn: unit 0 the effect, 1 + arm an arm's rates
  site_startup = 2,  // unit = site: its opening
  site_rate = 3,     // unit = site: Poisson-gamma enrolment rate
  site_response =
      4,  // unit = site: draw 0 intercept, draw 1 treatment effect, draw 2 high-placebo site
  region_response = 5,     // unit = region: draw 0 intercept, draw 1 treatment effect
  arrival = 6,             // lists of a word a patient: 0 waiting time, 1 site (rng::fill_list)
  screening = 7,           // unit 0: how many fail screening, one Poisson number a trial
  baseline = 8,            // unit = patient: attempt k uses draws 32k .. 32k+31
  allocation = 9,          // unit 0 or list number: treatment allocation
  course = 10,             // unit = patient: draws as patient/visit_correlation.hpp tells
  linked_measure = 11,     // unit = patient: draws 64 m .. 64 m + 63 for linked measure m
  discontinuation = 14,    // unit = patient
  infusion_reaction = 15,  // unit = patient
  adverse_event = 16,      // unit = patient: sequential
  calibration = 17,
  search = 18,
  counts = 19,              // unit = stage of the trial: counts drawn instead of patients
  rescue_and_dropout = 20,  // unit = patient: draws as patient/intercurrent_events.hpp tells
  rerandomisation = 21,     // unit 0: a word a responder randomised again (trial/maintenance.hpp)
  maintenance = 22,         // unit = patient: leaving, then a word a change of state
  factor_test = 23,         // unit = patient: draw k what the test of the k-th factor says
};

// The trial, patient (or other unit) and purpose a draw belongs to. Trials number below 2^48.
struct Address {
  Key key;
  Purpose purpose;
  std::uint64_t trial;
  std::uint32_t unit;

  // Counter of 32-bit words 4*block .. 4*block+3 of this address.
  constexpr Counter counter(std::uint32_t block) const {
    return {block, unit, static_cast<std::uint32_t>(trial),
            static_cast<std::uint32_t>(purpose) | static_cast<std::uint32_t>(trial >> 32) << 16};
  }
};

// A 32-bit word as a uniform in the open interval (0, 1): (w + 1/2) / 2^32.
constexpr double to_uniform(std::uint32_t word) {
  return (static_cast<double>(word) + 0.5) * 0x1p-32;
}

// The words of one address: at random (word(i), uniform(i), normal(i)) or in sequence (operator(), a
// std::uniform_random_bit_generator, so that Boost.Random's distributions run on it).
class Stream {
 public:
  using result_type = std::uint32_t;

  constexpr explicit Stream(const Address& address) : address_(address) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

  result_type operator()() { return word(next_++); }
  double next_uniform() { return to_uniform((*this)()); }

  result_type word(std::uint32_t draw) {
    const std::uint32_t block = draw / 4;
    if (block != cached_block_ || !cached_) {
      words_ = philox4x32_10(address_.counter(block), address_.key);
      cached_block_ = block;
      cached_ = true;
    }
    return words_[draw % 4];
  }
  double uniform(std::uint32_t draw) { return to_uniform(word(draw)); }
  // Standard normal by inversion, normal_of_word(word(draw)) of rng/batch.hpp.
  double normal(std::uint32_t draw);

 private:
  Address address_;
  Counter words_{};
  std::uint32_t cached_block_ = 0;
  std::uint32_t next_ = 0;
  bool cached_ = false;
};

}  // namespace trialwright::rng
