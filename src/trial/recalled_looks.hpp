// What a look decided of the tables that one thread has met: equal tables need it once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "trial/end_counts.hpp"

namespace trialwright::trial {

// Of the second looks of one plan at a time; a table that falls on another's place takes it.
class RecalledLooks {
 public:
  static constexpr int k_most_patients = (1 << 15) - 1;
  static constexpr std::size_t k_places = std::size_t{1} << 17;  // 8 MB with the ends

  struct Look {
    std::uint64_t key = 0;
    double efficacy_z = 0;
    double futility_z = 0;
    std::int32_t n_next = 0;  // 0: the trial ended
    std::uint16_t of = 0;     // the plan it was met in; 0: none
    bool naive = false;
  };

  // The tables of both looks: the first one's place, below 2^17, and what the second one added.
  static std::uint64_t key(std::size_t place, int events_1, int events_0, int n_1) {
    return std::uint64_t{place} << 45 | static_cast<std::uint64_t>(events_1) << 30 |
           static_cast<std::uint64_t>(events_0) << 15 | static_cast<std::uint64_t>(n_1);
  }
  static std::size_t place(std::uint64_t key) {
    return static_cast<std::size_t>(key * 0x9e3779b97f4a7c15U >> 47);
  }

  // Nothing is known of another plan than the last one; `plan` lives as long as it is that.
  void begin(const std::shared_ptr<const int>& plan) {
    if (plan_ == plan) return;
    plan_ = plan;
    if (looks_.empty() || ++of_ == 0) {
      looks_.assign(k_places, {});
      ends_.resize(k_places);
      of_ = 1;
    }
  }
  bool knows(std::size_t place, std::uint64_t key) const {
    return looks_[place].key == key && looks_[place].of == of_;
  }
  const Look& look(std::size_t place) const { return looks_[place]; }
  const TrialEnd& end(std::size_t place) const { return ends_[place]; }  // where n_next is 0
  void keep(std::size_t place, Look look, const TrialEnd& end) {
    look.of = of_;
    looks_[place] = look;
    ends_[place] = end;
  }
  void fetch(std::size_t place) const { __builtin_prefetch(&looks_[place]); }

 private:
  std::shared_ptr<const int> plan_;
  std::vector<Look> looks_;
  std::vector<TrialEnd> ends_;
  std::uint16_t of_ = 0;
};

}  // namespace trialwright::trial
