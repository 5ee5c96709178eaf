#include "engine/point_values.hpp"

#include <string>

namespace trialwright::engine {
namespace {

using base::BadBytes;
using base::ByteReader;
using base::ByteWriter;

bool read_flag(ByteReader& in) {
  const std::uint8_t flag = in.u8();
  if (flag > 1) throw BadBytes("neither yes nor no");
  return flag == 1;
}

// Any true value takes at least this, and any calculated one.
constexpr std::size_t k_least_truth_bytes = 1;
constexpr std::size_t k_least_calculated_bytes = 4;
constexpr std::size_t k_stop_bytes = 10;

}  // namespace

void write(const PointValues& values, ByteWriter& out) {
  out.varint(values.i_point);
  out.varint(values.truths.size());
  for (const auto& truth : values.truths) {
    out.u8(truth ? 1 : 0);
    if (!truth) continue;
    out.real(truth->value);
    out.real(truth->mcse);
  }
  out.varint(values.calculated.size());
  for (const auto& one : values.calculated) {
    out.u8(one.power.power ? 1 : 0);
    if (one.power.power) out.real(*one.power.power);
    out.text(one.power.why_not);
    out.u8(one.is_null ? 1 : 0);
    out.varint(one.stops.size());
    for (const auto& stop : one.stops) {
      out.u8(static_cast<std::uint8_t>(stop.look));
      out.u8(static_cast<std::uint8_t>(stop.reason));
      out.real(stop.probability);
    }
  }
}

PointValues read_point_values(ByteReader& in) {
  PointValues values;
  values.i_point = in.varint();
  values.truths.resize(in.count(k_least_truth_bytes));
  for (auto& truth : values.truths) {
    if (!read_flag(in)) continue;
    const double value = in.real();
    truth = TrueValue{.value = value, .mcse = in.real()};
  }
  values.calculated.resize(in.count(k_least_calculated_bytes));
  for (auto& one : values.calculated) {
    if (read_flag(in)) one.power.power = in.real();
    one.power.why_not = in.text();
    one.is_null = read_flag(in);
    one.stops.resize(in.count(k_stop_bytes));
    for (auto& stop : one.stops) {
      stop.look = in.u8();
      const std::uint8_t reason = in.u8();
      if (stop.look < 1 || stop.look > design::k_most_looks || reason >= design::k_stop_reasons)
        throw BadBytes("no such look or reason");
      stop.reason = static_cast<design::StopReason>(reason);
      stop.probability = in.real();
    }
  }
  return values;
}

}  // namespace trialwright::engine
