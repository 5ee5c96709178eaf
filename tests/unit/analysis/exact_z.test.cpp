// Exact tests' z, remembered by table: the bits of the p-value that is reckoned anew.
#include "analysis/exact_z.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "analysis/binary_test.hpp"
#include "analysis/exact_tests.hpp"
#include "analysis/null_rate_grid.hpp"
#include "math/normal.hpp"

namespace trialwright::analysis {
namespace {

constexpr Method k_methods[] = {Method::fisher, Method::fisher_midp, Method::boschloo,
                                Method::z_pooled_exact};

// Half of them anywhere, half near rates of a third.
std::vector<TwoByTwo> random_tables(int n_1, int n_0, int n_tables) {
  std::mt19937 engine(static_cast<std::uint32_t>(1000 * n_1 + n_0));
  std::vector<TwoByTwo> tables;
  for (int i = 0; i < n_tables; ++i) {
    const auto draw = [&](int n) {
      const int from = i % 2 == 0 ? 0 : n / 5, to = i % 2 == 0 ? n : n / 2;
      return from + static_cast<int>(engine() % static_cast<std::uint32_t>(to - from + 1));
    };
    const int x_1 = draw(n_1), x_0 = draw(n_0);
    tables.push_back({x_1, n_1, x_0, n_0});
  }
  return tables;
}

double reckoned_z(Method method, const TwoByTwo& table) {
  const int responders = table.responders_1 + table.responders_0;
  if (responders == 0 || responders == table.n_1 + table.n_0) return 0;
  const TestSpec spec{method, Sides::one, 0.025, 0, Direction::higher_is_better};
  return -math::normal_quantile(std::min(1.0, test(spec, {&table, 1}).p_value));
}

TEST(ExactZ, HasTheBitsOfThePValueReckonedAnew) {
  const ExactZ z;
  for (const Method method : k_methods)
    for (const auto& [n_1, n_0] : {std::pair{1, 1}, {3, 2}, {20, 20}, {31, 17}, {75, 75}, {40, 120}})
      for (const auto& table : random_tables(n_1, n_0, 24)) {
        const auto expected = std::bit_cast<std::uint64_t>(reckoned_z(method, table));
        for (int again = 0; again < 2; ++again) {
          ASSERT_EQ(std::bit_cast<std::uint64_t>(z(method, table)), expected)
              << static_cast<int>(method) << ": " << table.responders_1 << "/" << n_1 << ", "
              << table.responders_0 << "/" << n_0;
        }
      }
}

// As z held against the limit: limits anywhere, limits that are some table's z, and those next to them.
TEST(ExactZ, ExceedsALimitWhereItsZDoes) {
  std::mt19937 engine(20261124);
  constexpr double k_infinity = std::numeric_limits<double>::infinity();
  for (const Method method : k_methods)
    for (const auto& [n_1, n_0] : {std::pair{1, 1}, {3, 2}, {12, 12}, {31, 17}, {26, 26}, {20, 44}}) {
      const ExactZ reckoned, told;
      std::vector<double> limits{-k_infinity, -2, 0, 1.96, 2.96, 6, k_infinity};
      for (const auto& table : random_tables(n_1, n_0, 12)) {
        const double z = reckoned(method, table);
        limits.insert(limits.end(), {z, std::nextafter(z, -9.0), std::nextafter(z, 9.0)});
      }
      std::vector<TwoByTwo> tables;
      for (int x_1 = 0; x_1 <= n_1; ++x_1)
        for (int x_0 = 0; x_0 <= n_0; ++x_0) tables.push_back({x_1, n_1, x_0, n_0});
      for (const double limit : limits) {
        std::shuffle(tables.begin(), tables.end(), engine);
        for (const auto& table : tables)
          ASSERT_EQ(told.exceeds(method, table, limit), reckoned(method, table) > limit)
              << static_cast<int>(method) << ": " << table.responders_1 << "/" << n_1 << ", "
              << table.responders_0 << "/" << n_0 << ", limit " << limit;
      }
    }
}

TEST(ExactZ, IsTheSameForEveryThread) {
  const auto tables = random_tables(30, 30, 60);
  const ExactZ shared;
  std::vector<std::vector<double>> values(4);
  {
    std::vector<std::jthread> threads;
    for (auto& own : values)
      threads.emplace_back([&tables, &shared, &own] {
        for (const auto& table : tables) own.push_back(shared(Method::boschloo, table));
      });
  }
  for (std::size_t i = 0; i < tables.size(); ++i)
    for (const auto& own : values)
      EXPECT_EQ(own[i], reckoned_z(Method::boschloo, tables[i])) << "table " << i;
}

// Of the eight best peaks those alone are climbed that may come to the largest.
TEST(SupremumOnGrid, ClimbsNoPeakTooFew) {
  for (const auto& [n_1, n_0] : {std::pair{9, 14}, {50, 50}, {90, 60}}) {
    const GridColumns below_1(n_1, GridColumns::Of::below), count_0(n_0, GridColumns::Of::count);
    for (const auto by : {TableOrder::By::fisher_p, TableOrder::By::pooled_z}) {
      const TableOrder order(n_1, n_0, by);
      for (const auto& table : random_tables(n_1, n_0, 40)) {
        const auto runs = order.as_strong_as(table.responders_1, table.responders_0);
        EXPECT_EQ(supremum_on_grid(n_1, n_0, below_1, count_0, runs),
                  NullRateSearch(n_1, n_0).supremum(runs).probability);
      }
    }
  }
}

}  // namespace
}  // namespace trialwright::analysis
