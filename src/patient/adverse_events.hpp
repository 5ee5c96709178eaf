// Adverse events: how often, of which category and grade, when and for how long;
// and the infusions they stop.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "input/reader.hpp"
#include "patient/arms.hpp"
#include "patient/cohort.hpp"
#include "patient/intercurrent_events.hpp"
#include "rng/stream.hpp"

namespace trialwright::patient {

// The cumulative hazard of any event over the follow-up, -ln(1 - any_event), is made of:
// each infusion's reaction, -ln(1 - infusion_reaction), by arm; each category with an incidence
// of its own, -ln(1 - incidence); and the rest, divided by the other categories' shares.
// Events other than infusion reactions are a homogeneous Poisson process over the follow-up;
// a reaction begins within a day of its infusion.
class AdverseEvents {
 public:
  static constexpr double k_reaction_weeks = 1.0 / 7;

  // Reads the optional section `safety`.
  static AdverseEvents read(input::Reader& study, const std::vector<Arm>& arms);

  bool any() const { return !arms_.empty(); }
  double follow_up_weeks() const { return follow_up_weeks_; }
  const std::vector<std::string>& categories() const { return categories_; }
  bool has_infusion_reactions() const;
  // Do two arms have the same law of events?
  bool are_same(std::size_t arm, std::size_t other) const;
  // P(at least one event with onset before `weeks`), of a patient with all infusions who stays.
  double probability(std::size_t arm, double weeks) const;

  void prepare(int n_patients, Cohort& cohort) const;

  // All events of every patient by arm, those that dropout hides included, in the order of patients and
  // onset; reactions to infusions after the patient's discontinuation left out. Sets
  // discontinuation_weeks and scratch.infusions (how many were given) where `stop` says when infusions
  // end; grade 3 events may end them. Draws: (adverse_event, patient) in sequence: waiting time, then
  // category, grade, seriousness, duration; (infusion_reaction, patient) 8k .. 8k + 4 of infusion k;
  // (discontinuation, patient) 0 the time, 1 + i after the patient's i-th event of grade 3 or more.
  void draw(rng::Key key, std::uint64_t trial, const std::optional<Discontinuation>& stop,
            Cohort& cohort) const;

  // Takes out the events with onset after the patient left.
  static void hide_after_dropout(Cohort& cohort);

 private:
  struct ArmRates {
    double hazard = 0;  // cumulative over the follow-up, without infusion reactions
    std::vector<double>
        category_ends;  // cumulative probabilities of the categories, given such an event
    double infusion_reaction = 0;
    std::vector<double> infusion_weeks;
  };

  void read_categories(input::Reader& section, const std::vector<Arm>& arms,
                       const std::vector<double>& total, std::size_t faults_before);
  void read_course_of_events(input::Reader& section);
  AdverseEvent make_event(std::size_t patient, double week, int category, double u_grade,
                          double u_serious, double u_duration) const;
  void draw_timed(rng::Stream& stream, const ArmRates& rates, std::size_t patient,
                  Cohort& cohort) const;
  void draw_reactions(rng::Stream& stream, const ArmRates& rates, std::size_t patient,
                      Cohort& cohort) const;
  double stop_infusions(rng::Key key, std::uint64_t trial, const Discontinuation& stop,
                        const ArmRates& rates, std::size_t patient, std::size_t first_event,
                        Cohort& cohort) const;

  double follow_up_weeks_ = 0;
  std::vector<std::string> categories_;
  int reaction_category_ = -1;
  std::vector<ArmRates> arms_;
  std::array<double, 4> grade_ends_{};
  double serious_given_grade_3_ = 0;
  double recovery_weeks_ = 1;
};

// Draws when infusions stop where no adverse event has a part in it.
void draw_discontinuation(rng::Key key, std::uint64_t trial, const Discontinuation& stop,
                          const std::vector<Arm>& arms, Cohort& cohort);

}  // namespace trialwright::patient
