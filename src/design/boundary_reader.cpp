#include "design/boundary_reader.hpp"

#include <fmt/format.h>

#include <span>

namespace trialwright::design {

namespace {

using sequential::Family;

std::vector<sequential::SpendingPoint> read_spending(input::Reader& reader) {
  std::vector<sequential::SpendingPoint> points;
  for (auto& item : reader.maps("spending")) {
    sequential::SpendingPoint point;
    point.information = item.number("information", {0, 1, true, false, "a fraction"});
    point.share = item.number("share", {0, 1, false, false, "a fraction"});
    points.push_back(point);
  }
  return points;
}

}  // namespace

sequential::BoundarySpec read_boundary(input::Reader& reader, double alpha, int n_looks, Family usual) {
  const std::size_t faults_before = reader.faults().size();
  sequential::BoundarySpec spec;
  spec.family = reader.choice<Family>("boundary", std::span(sequential::k_families), usual);
  const auto rule = sequential::parameter_rule(spec.family);
  if (rule.taken) {
    const input::Bounds bounds{rule.least, rule.most, false, false, ""};
    spec.parameter = rule.usual ? reader.number("parameter", bounds, *rule.usual)
                                : reader.number("parameter", bounds);
  }
  if (spec.family == Family::piecewise) spec.spending = read_spending(reader);
  if (spec.family == Family::user) {
    if (reader.has("alpha_spent"))
      spec.alpha_spent = reader.numbers("alpha_spent", {0, 1, false, false, "a probability"});
    if (reader.has("z") || spec.alpha_spent.empty())
      spec.z = reader.numbers("z", {-10, 10, false, false, "a critical value"});
  }
  if (reader.faults().size() > faults_before) return spec;
  if (auto problem = sequential::check(spec, alpha, n_looks)) reader.fault("boundary", *problem);
  return spec;
}

}  // namespace trialwright::design
