// When a trial is looked at: triggers, cleaning, and what recruitment does meanwhile.
#pragma once

#include <array>
#include <memory>
#include <variant>
#include <vector>

#include "base/named_table.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

// A number of patients, or, below 1, a fraction of those planned.
struct Amount {
  double value = 0;
  bool is_fraction = false;
  // As a number of `planned`, rounded to the nearest, at least 1.
  int of(int planned) const;
};

// Reached when so many of the patients in the comparison ...
// ... have passed the primary endpoint's week (followed, or lost and known to be),
struct OutcomesKnown {
  Amount patients;
};
// ... have been randomised,
struct PatientsEnrolled {
  Amount patients;
};
// ... have had the primary endpoint's event (arms together), known at its week;
struct EventsSeen {
  int events = 0;
};
// so many months after the study's start.
struct CalendarDate {
  double months = 0;
};
struct LookTrigger;
// The first or the last of several.
struct FirstOf {
  std::vector<LookTrigger> triggers;
};
struct LastOf {
  std::vector<LookTrigger> triggers;
};
struct LookTrigger {
  std::variant<OutcomesKnown, PatientsEnrolled, EventsSeen, CalendarDate, FirstOf, LastOf> rule;
};

// What recruitment does while a look is awaited.
enum class Pause { none, at_cut, when_enrolled };

inline constexpr std::array<base::Named<Pause>, 3> k_pauses{{
    {"none", "recruitment goes on; patients randomised before the decision are the pipeline", "",
     Pause::none},
    {"at_cut", "no patient is randomised between a look's data cut and its decision", "",
     Pause::at_cut},
    {"when_enrolled",
     "no patient is randomised between the last patient that the look waits for and its decision", "",
     Pause::when_enrolled},
}};

// What is done, once a trial has stopped at a look, with the patients in the pipeline.
enum class Overrun { not_analysed, analysed };

inline constexpr std::array<base::Named<Overrun>, 2> k_overruns{{
    {"not_analysed", "the decision and the estimate rest on the patients known at the look", "",
     Overrun::not_analysed},
    {"analysed",
     "pipeline patients are followed and enter the final estimates, unadjusted and adjusted, as if the last look "
     "had been made on them too (deletion method); the decision to stop stands",
     "Whitehead 1992; Hampson & Jennison 2013", Overrun::analysed},
}};

// The looks before the end, in order; the last analysis, when all patients have been followed, is not
// among them.
struct LookPlan {
  std::vector<LookTrigger> interim;
  double cleaning_weeks = 0;  // from a data cut to its decision
  Pause pause = Pause::none;
  Overrun overrun = Overrun::not_analysed;

  int n_looks() const { return static_cast<int>(interim.size()) + 1; }
};

// Reads `looks` (a list of triggers: {outcomes: 0.5}, {outcomes: 150}, {enrolled: ...}, {events: 80},
// {months: 18}, {first_of: [...]}, {last_of: [...]}), `cleaning_weeks` (4), `pause` (none) and
// `overrun` (not_analysed) of a design's map. An amount below 1 is a fraction, a whole number above 1 a
// number; 1 is a fault. `n_planned`: patients at the end, as planned; a look may be at all of them
// (kinds for which that makes no sense tell so themselves). More than 19, and looks that do not
// increase on the last one of the same trigger, are faults.
LookPlan read_looks(input::Reader& design, int n_planned);

}  // namespace trialwright::design
