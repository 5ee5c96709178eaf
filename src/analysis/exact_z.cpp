#include "analysis/exact_z.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "analysis/binary_test.hpp"
#include "analysis/exact_tests.hpp"
#include "analysis/null_rate_grid.hpp"
#include "math/normal.hpp"

namespace trialwright::analysis {
namespace {

constexpr std::size_t k_most_table_bytes = std::size_t{256} << 20;
constexpr std::size_t k_most_grid_bytes = std::size_t{256} << 20;

bool says_nothing(const TwoByTwo& table) {
  const int responders = table.responders_1 + table.responders_0;
  return table.n_1 == 0 || table.n_0 == 0 || responders == 0 || responders == table.n_1 + table.n_0;
}

std::optional<TableOrder::By> order_of(Method method) {
  if (method == Method::boschloo) return TableOrder::By::fisher_p;
  if (method == Method::z_pooled_exact) return TableOrder::By::pooled_z;
  return std::nullopt;
}

double z_of_p(double p_value) {
  return -math::normal_quantile(std::clamp(p_value, 0.0, 1.0));
}

// What is made once a key and then stays; lookups take no lock. Two threads may make the same at once,
// and one of them throws its own away.
template <class Value>
class MadeOnce {
 public:
  ~MadeOnce() {
    for (auto& slot : slots_) delete slot.load(std::memory_order_relaxed);
  }

  // Null where the memory is full; `make` is called where the key is new and `bytes` fit in.
  template <class Make>
  const Value* find(std::uint64_t key, std::size_t bytes, std::size_t most_bytes, Make&& make) {
    const std::size_t first = key * 0x9E3779B97F4A7C15u >> 54;
    for (std::size_t step = 0; step < k_slots; ++step) {
      auto& slot = slots_[(first + step) % k_slots];
      const Entry* entry = slot.load(std::memory_order_acquire);
      if (entry == nullptr) {
        if (bytes_.fetch_add(bytes) + bytes > most_bytes) {
          bytes_.fetch_sub(bytes);
          return nullptr;
        }
        auto made = std::make_unique<const Entry>(key, make());
        if (slot.compare_exchange_strong(entry, made.get(), std::memory_order_acq_rel))
          return &made.release()->value;
        bytes_.fetch_sub(bytes);
      }
      if (entry->key == key) return &entry->value;
    }
    return nullptr;
  }

 private:
  struct Entry {
    Entry(std::uint64_t of_key, Value&& of_value) : key(of_key), value(std::move(of_value)) {}
    std::uint64_t key;
    Value value;
  };
  static constexpr std::size_t k_slots = 1024;
  std::array<std::atomic<const Entry*>, k_slots> slots_{};
  std::atomic<std::size_t> bytes_ = 0;
};

// The tables of one pair of arm sizes.
struct Tables {
  Tables(Method method, int n_1, int n_0)
      : z((static_cast<std::size_t>(n_1) + 1) * (static_cast<std::size_t>(n_0) + 1)) {
    for (auto& value : z) value.store(k_unknown, std::memory_order_relaxed);
    if (const auto by = order_of(method)) order.emplace(n_1, n_0, *by);
  }
  static std::size_t bytes(int n_1, int n_0) {
    return 24 * (static_cast<std::size_t>(n_1) + 1) * (static_cast<std::size_t>(n_0) + 1);
  }

  static constexpr double k_unknown = std::numeric_limits<double>::quiet_NaN();
  std::optional<TableOrder> order;
  mutable std::vector<std::atomic<double>> z;
};

}  // namespace

struct ExactZ::Memory {
  double unconditional_p(const TableOrder& order, const TwoByTwo& table) {
    const auto columns = [&](int n, GridColumns::Of of) {
      const std::uint64_t key = static_cast<std::uint64_t>(n) << 1 | (of == GridColumns::Of::below);
      return grids.find(key, GridColumns::bytes(n, of), k_most_grid_bytes,
                        [&] { return GridColumns(n, of); });
    };
    const auto* below_1 = columns(table.n_1, GridColumns::Of::below);
    const auto* count_0 = columns(table.n_0, GridColumns::Of::count);
    if (below_1 == nullptr || count_0 == nullptr)
      return order.p_value(table.responders_1, table.responders_0);
    const auto runs = order.as_strong_as(table.responders_1, table.responders_0);
    return std::min(1.0, supremum_on_grid(table.n_1, table.n_0, *below_1, *count_0, runs));
  }

  MadeOnce<Tables> tables;
  MadeOnce<GridColumns> grids;
};

ExactZ::ExactZ() : memory_(std::make_unique<Memory>()) {}
ExactZ::~ExactZ() = default;

double ExactZ::operator()(Method method, const TwoByTwo& table) const {
  if (says_nothing(table)) return 0.0;
  const std::uint64_t key = static_cast<std::uint64_t>(method) << 56 |
                            static_cast<std::uint64_t>(table.n_1) << 28 |
                            static_cast<std::uint64_t>(table.n_0);
  const auto* tables =
      memory_->tables.find(key, Tables::bytes(table.n_1, table.n_0), k_most_table_bytes,
                           [&] { return Tables(method, table.n_1, table.n_0); });
  if (tables == nullptr) {
    const TestSpec spec{method, Sides::one, 0.025, 0.0, Direction::higher_is_better};
    return z_of_p(test(spec, {&table, 1}).p_value);
  }
  auto& remembered =
      tables
          ->z[static_cast<std::size_t>(table.responders_1) * (static_cast<std::size_t>(table.n_0) + 1) +
              static_cast<std::size_t>(table.responders_0)];
  double z = remembered.load(std::memory_order_relaxed);
  if (z == z) return z;
  if (tables->order)
    z = z_of_p(memory_->unconditional_p(*tables->order, table));
  else
    z = z_of_p(method == Method::fisher ? fisher_p(table, Sides::one)
                                        : fisher_midp_p(table, Sides::one));
  remembered.store(z, std::memory_order_relaxed);
  return z;
}

}  // namespace trialwright::analysis
