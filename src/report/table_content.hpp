// What the text table is made of: a point's metrics sorted by what they speak of, before they are text.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trialwright/results.hpp"

namespace trialwright::report {

using MetricsByName = std::map<std::string_view, const Metric*>;

// A hypothesis at a point; the points' metrics must outlive it.
struct Subject {
  const Point* point = nullptr;
  std::string hypothesis;  // "(any)" and the like where a rejection speaks of several
  std::string quantity;    // "power", "type I error", "assurance" ...; empty without a rejection
  const Metric* rejection = nullptr;
  MetricsByName metrics;                       // exact_power, true_value, bias ...
  std::map<std::string, const Metric*> rates;  // by arm: event_rate or ae_rate
};

// What happens at one look of a point: how trials end there, and what they test.
struct LookRow {
  const Point* point = nullptr;
  int look = 1;
  std::map<std::string, const Metric*> stops;   // by reason: stop_probability
  std::map<std::string, const Metric*> exact;   // by reason: exact_stop_probability
  std::map<std::string, const Metric*> tested;  // by arm, else hypothesis: selection_probability
};

// The whole trial at a point: expected_patients, enrolment_months ...; of quantiles the 90%.
struct Whole {
  const Point* point = nullptr;
  MetricsByName metrics;
  std::map<std::string, const Metric*> rerandomised;  // by arm: rerandomised_patients
};

// A metric that the table has no place of its own for.
struct Other {
  const Point* point;
  const Metric* metric;
};

struct Content {
  std::vector<Subject> subjects;
  std::vector<Whole> wholes;  // one a point
  std::vector<LookRow> looks;
  std::vector<Other> others;
  std::vector<std::string> arms;          // of the rates, in the order of their first mention
  std::vector<std::string> rerandomised;  // arms, and so here
  std::vector<std::string> reasons;       // of the stops
  std::vector<std::string> tested;
};

// Every metric is in one place of the content; of the quantiles of the estimate only the outermost.
Content content_of(const Results& results);

}  // namespace trialwright::report
