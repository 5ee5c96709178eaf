#include "analysis/exact_z.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
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

void raise(std::atomic<std::int64_t>& value, std::int64_t to) {
  for (std::int64_t was = value.load(); was < to && !value.compare_exchange_weak(was, to);) continue;
}

void lower(std::atomic<std::int64_t>& value, std::int64_t to) {
  for (std::int64_t was = value.load(); was > to && !value.compare_exchange_weak(was, to);) continue;
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

// What is known of whether classes' z are above a limit: of those up to `last_above` they are, of those
// from `first_not` on they are not.
struct Limit {
  std::atomic<std::uint64_t> bits = k_none;  // of the limit
  std::atomic<std::int64_t> last_above = -1;
  std::atomic<std::int64_t> first_not = std::numeric_limits<std::int64_t>::max();

  static constexpr std::uint64_t k_none = ~std::uint64_t{0};  // a NaN
};

// The tables of one pair of arm sizes.
struct Tables {
  Tables(Method method, int of_1, int of_0) : n_1(of_1), n_0(of_0) {
    if (const auto by = order_of(method)) order.emplace(n_1, n_0, *by);
    z = std::vector<std::atomic<double>>(order ? order->n_classes() : n_tables(n_1, n_0));
    for (auto& value : z) value.store(k_unknown, std::memory_order_relaxed);
  }
  static std::size_t n_tables(int n_1, int n_0) {
    return (static_cast<std::size_t>(n_1) + 1) * (static_cast<std::size_t>(n_0) + 1);
  }
  static std::size_t bytes(int n_1, int n_0) { return 24 * n_tables(n_1, n_0); }

  // A table's class, or, of a test that has none, its own number.
  std::size_t place_of(const TwoByTwo& table) const {
    if (order) return order->class_of(table.responders_1, table.responders_0);
    return static_cast<std::size_t>(table.responders_1) * (static_cast<std::size_t>(n_0) + 1) +
           static_cast<std::size_t>(table.responders_0);
  }

  // Null where there are as many others.
  Limit* limit(double z_limit) const {
    const auto bits = std::bit_cast<std::uint64_t>(z_limit);
    for (auto& limit : limits) {
      std::uint64_t found = limit.bits.load(std::memory_order_relaxed);
      if (found == Limit::k_none && limit.bits.compare_exchange_strong(found, bits)) return &limit;
      if (found == bits) return &limit;
    }
    return nullptr;
  }

  static constexpr double k_unknown = std::numeric_limits<double>::quiet_NaN();
  int n_1;
  int n_0;
  std::optional<TableOrder> order;
  mutable std::vector<std::atomic<double>> z;  // [place_of(table)]
  mutable std::vector<Limit> limits = std::vector<Limit>(64);
};

// The z that are surely on either side of a limit, whichever peak a search for a supremum missed.
struct Beyond {
  Beyond(double limit, int n_patients) {
    const double p = math::normal_cdf(-limit);
    const double share = 0.01 + 2e-6 * n_patients;
    const double margin = share * p * (1 - p) + 1e-13;
    above = z_of_p(p - margin);
    below = z_of_p(p + margin);
  }
  double above;
  double below;
};

}  // namespace

struct ExactZ::Memory {
  // Null where the memory is full.
  const Tables* tables_of(Method method, const TwoByTwo& table) {
    const std::uint64_t key = static_cast<std::uint64_t>(method) << 56 |
                              static_cast<std::uint64_t>(table.n_1) << 28 |
                              static_cast<std::uint64_t>(table.n_0);
    return tables.find(key, Tables::bytes(table.n_1, table.n_0), k_most_table_bytes,
                       [&] { return Tables(method, table.n_1, table.n_0); });
  }

  double unconditional_p(const Tables& of, std::size_t i_class) {
    const auto columns = [&](int n, GridColumns::Of what) {
      const std::uint64_t key =
          static_cast<std::uint64_t>(n) << 1 | (what == GridColumns::Of::below ? 1 : 0);
      return grids.find(key, GridColumns::bytes(n, what), k_most_grid_bytes,
                        [&] { return GridColumns(n, what); });
    };
    const auto runs = of.order->as_strong_as(i_class);
    const auto* below_1 = columns(of.n_1, GridColumns::Of::below);
    const auto* count_0 = columns(of.n_0, GridColumns::Of::count);
    if (below_1 == nullptr || count_0 == nullptr)
      return NullRateSearch(of.n_1, of.n_0).supremum(runs).probability;
    return supremum_on_grid(of.n_1, of.n_0, *below_1, *count_0, runs);
  }

  double z_of_class(const Tables& of, std::size_t i_class) {
    auto& remembered = of.z[i_class];
    double z = remembered.load(std::memory_order_relaxed);
    if (z == z) return z;
    z = z_of_p(unconditional_p(of, i_class));
    remembered.store(z, std::memory_order_relaxed);
    return z;
  }

  bool exceeds(const Tables& of, Limit& known, std::int64_t i_class, double limit);

  MadeOnce<Tables> tables;
  MadeOnce<GridColumns> grids;
};

// The first table asked for is reckoned itself; later ones halve the classes that are not told yet,
// until they come so close to the limit that halving tells nothing any more.
bool ExactZ::Memory::exceeds(const Tables& of, Limit& known, std::int64_t i_class, double limit) {
  bool halves = true;
  while (true) {
    const std::int64_t last_above = known.last_above.load();
    const std::int64_t first_not =
        std::min(known.first_not.load(), static_cast<std::int64_t>(of.order->n_classes()));
    if (i_class <= last_above) return true;
    if (i_class >= first_not) return false;
    const bool is_fresh =
        last_above < 0 && first_not == static_cast<std::int64_t>(of.order->n_classes());
    const std::int64_t tried =
        halves && !is_fresh ? last_above + (first_not - last_above) / 2 : i_class;
    const double z = z_of_class(of, static_cast<std::size_t>(tried));
    const Beyond beyond(limit, of.n_1 + of.n_0);
    halves = false;
    if (z > beyond.above) {
      raise(known.last_above, tried);
      halves = true;
    } else if (z < beyond.below) {
      lower(known.first_not, tried);
      halves = true;
    }
    if (tried == i_class) return z > limit;
  }
}

ExactZ::ExactZ() : memory_(std::make_unique<Memory>()) {}
ExactZ::~ExactZ() = default;

double ExactZ::operator()(Method method, const TwoByTwo& table) const {
  if (says_nothing(table)) return 0.0;
  const auto* tables = memory_->tables_of(method, table);
  if (tables == nullptr) {
    const TestSpec spec{method, Sides::one, 0.025, 0.0, Direction::higher_is_better};
    return z_of_p(test(spec, {&table, 1}).p_value);
  }
  const std::size_t place = tables->place_of(table);
  if (tables->order) return memory_->z_of_class(*tables, place);
  auto& remembered = tables->z[place];
  double z = remembered.load(std::memory_order_relaxed);
  if (z == z) return z;
  z = z_of_p(method == Method::fisher ? fisher_p(table, Sides::one) : fisher_midp_p(table, Sides::one));
  remembered.store(z, std::memory_order_relaxed);
  return z;
}

bool ExactZ::exceeds(Method method, const TwoByTwo& table, double limit) const {
  if (!(limit < std::numeric_limits<double>::infinity())) return false;
  if (says_nothing(table)) return 0.0 > limit;
  const auto* tables = order_of(method) ? memory_->tables_of(method, table) : nullptr;
  auto* known = tables != nullptr ? tables->limit(limit) : nullptr;
  if (known == nullptr) return (*this)(method, table) > limit;
  return memory_->exceeds(*tables, *known, static_cast<std::int64_t>(tables->place_of(table)), limit);
}

}  // namespace trialwright::analysis
