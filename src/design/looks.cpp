#include "design/looks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "design/staged_design.hpp"

namespace trialwright::design {

namespace {

constexpr Amount k_harmless_amount{0.5, true};
constexpr double k_most_months = 1200;
constexpr double k_most_cleaning_weeks = 520;
constexpr double k_usual_cleaning_weeks = 4;
constexpr std::array<std::string_view, 6> k_trigger_names{"outcomes", "enrolled", "events",
                                                          "months",   "first_of", "last_of"};

Amount read_amount(input::Reader& trigger, std::string_view key, int n_planned) {
  const std::size_t faults_before = trigger.faults().size();
  const double value = trigger.number(key, input::k_positive);
  if (trigger.faults().size() > faults_before) return k_harmless_amount;
  if (value < 1) return {value, true};
  if (value == 1) {
    trigger.fault(
        key,
        fmt::format("\"{}\" is 1 (a fraction below 1, or a number of patients above 1, is needed)",
                    key),
        fmt::format("all patients are {}", n_planned));
  } else if (value != std::floor(value)) {
    trigger.fault(key,
                  fmt::format("\"{}\" is {} (above 1 it is a whole number of patients)", key, value));
  } else if (value > n_planned) {
    trigger.fault(key, fmt::format("\"{}\" is {} (the design has {} patients)", key, value, n_planned));
  } else {
    return {value, false};
  }
  return k_harmless_amount;
}

LookTrigger read_trigger(input::Reader& trigger, int n_planned);

std::vector<LookTrigger> read_triggers(input::Reader& trigger, std::string_view key, int n_planned) {
  std::vector<LookTrigger> triggers;
  auto items = trigger.maps(key);
  for (auto& item : items) triggers.push_back(read_trigger(item, n_planned));
  if (items.size() == 1)
    trigger.fault(key, fmt::format("\"{}\" holds one trigger (it is the choice among several)", key),
                  "write the trigger itself");
  return triggers;
}

LookTrigger read_trigger(input::Reader& trigger, int n_planned) {
  const auto keys = trigger.keys();
  std::vector<std::string_view> written;
  for (const auto name : k_trigger_names)
    if (std::find(keys.begin(), keys.end(), name) != keys.end()) written.push_back(name);
  if (written.empty()) {
    for (const auto name : k_trigger_names) trigger.raw(name);
    if (keys.empty())
      trigger.fault("", "a look without a trigger",
                    fmt::format("one of {}", fmt::join(k_trigger_names, ", ")));
    return {OutcomesKnown{k_harmless_amount}};
  }
  const std::string_view first = written.front();
  for (std::size_t i = 1; i < written.size(); ++i) {
    trigger.raw(written[i]);
    trigger.fault(written[i],
                  fmt::format("\"{}\" beside \"{}\" (a look has one trigger)", written[i], first),
                  fmt::format("first_of: [{{{}: ...}}, {{{}: ...}}], or last_of", first, written[i]));
  }
  if (first == "enrolled") return {PatientsEnrolled{read_amount(trigger, first, n_planned)}};
  if (first == "events")
    return {EventsSeen{static_cast<int>(trigger.integer(first, 1, std::max(1, n_planned)))}};
  if (first == "months")
    return {CalendarDate{trigger.number(first, {0, k_most_months, true, false, "months"})}};
  if (first == "first_of") return {FirstOf{read_triggers(trigger, first, n_planned)}};
  if (first == "last_of") return {LastOf{read_triggers(trigger, first, n_planned)}};
  return {OutcomesKnown{read_amount(trigger, first, n_planned)}};
}

// What two triggers of a kind may be compared by.
std::optional<double> size_of(const LookTrigger& trigger, int n_planned) {
  struct Size {
    int n_planned;
    std::optional<double> operator()(const OutcomesKnown& rule) const {
      return rule.patients.of(n_planned);
    }
    std::optional<double> operator()(const PatientsEnrolled& rule) const {
      return rule.patients.of(n_planned);
    }
    std::optional<double> operator()(const EventsSeen& rule) const { return rule.events; }
    std::optional<double> operator()(const CalendarDate& rule) const { return rule.months; }
    std::optional<double> operator()(const FirstOf&) const { return std::nullopt; }
    std::optional<double> operator()(const LastOf&) const { return std::nullopt; }
  };
  return std::visit(Size{n_planned}, trigger.rule);
}

// Each trigger is above the last one of its kind.
void check_order(std::vector<input::Reader>& items, const std::vector<LookTrigger>& looks,
                 int n_planned) {
  for (std::size_t i = 0; i < looks.size(); ++i) {
    const auto size = size_of(looks[i], n_planned);
    for (std::size_t j = i; size && j-- > 0;) {
      if (looks[j].rule.index() != looks[i].rule.index()) continue;
      const double before = *size_of(looks[j], n_planned);
      if (*size > before) break;
      const auto name = k_trigger_names[looks[i].rule.index()];
      const auto unit = std::holds_alternative<CalendarDate>(looks[i].rule) ? " months"
                        : std::holds_alternative<EventsSeen>(looks[i].rule) ? ""
                                                                            : " patients";
      items[i].fault(name, fmt::format("look {} is at {}{}, look {} at {} (looks increase)", i + 1,
                                       *size, unit, j + 1, before));
      break;
    }
  }
}

}  // namespace

int Amount::of(int planned) const {
  const double number = is_fraction ? value * planned : value;
  return std::max(1, static_cast<int>(std::floor(number + 0.5)));
}

LookPlan read_looks(input::Reader& design, int n_planned) {
  LookPlan plan;
  const std::size_t faults_before = design.faults().size();
  auto items = design.maps("looks");
  for (auto& item : items) plan.interim.push_back(read_trigger(item, n_planned));
  if (design.faults().size() == faults_before) check_order(items, plan.interim, n_planned);
  if (plan.n_looks() > k_most_looks)
    design.fault("looks", fmt::format("{} looks before the last one (at most {} are possible)",
                                      plan.interim.size(), k_most_looks - 1));
  plan.cleaning_weeks = design.number(
      "cleaning_weeks", {0, k_most_cleaning_weeks, false, false, "weeks"}, k_usual_cleaning_weeks);
  plan.pause = design.choice<Pause>("pause", k_pauses, Pause::none);
  plan.overrun = design.choice<Overrun>("overrun", k_overruns, Overrun::not_analysed);
  return plan;
}

}  // namespace trialwright::design
