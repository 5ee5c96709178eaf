#include "rng/word_list.hpp"

#include "rng/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "rng/word_list.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "rng/philox_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace trialwright::rng::HWY_NAMESPACE {

// Whole groups, of the units from that of `counter` on.
#if HWY_TARGET == HWY_SCALAR

void fill_groups(Counter counter, Key key, std::size_t n_groups, std::uint32_t* out) {
  for (std::size_t group = 0; group < n_groups; ++group)
    for (std::size_t j = 0; j < k_units_per_group; ++j, ++counter[1]) {
      const Counter words = philox4x32_10(counter, key);
      for (std::size_t k = 0; k < 4; ++k)
        out[group * k_places_per_group + k * k_units_per_group + j] = words[k];
    }
}

#else

void fill_groups(Counter counter, Key key, std::size_t n_groups, std::uint32_t* out) {
  static_assert(k_units_per_group % k_places == 0);
  const OverUnits blocks(counter, key);
  for (std::size_t group = 0; group < n_groups; ++group, out += k_places_per_group) {
    const WordColumns columns{out, out + k_units_per_group, out + 2 * k_units_per_group,
                              out + 3 * k_units_per_group};
    for (std::size_t j = 0; j < k_units_per_group; j += k_places)
      store_places(blocks, group * k_units_per_group + j, columns, j);
  }
}

#endif

}  // namespace trialwright::rng::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trialwright::rng {

namespace {

HWY_EXPORT(fill_groups);

}  // namespace

std::uint32_t word_of_list(const Address& of, std::uint32_t block, std::uint32_t place) {
  Address address = of;
  address.unit = place / k_places_per_group * k_units_per_group + place % k_units_per_group;
  const std::uint32_t word = place % k_places_per_group / k_units_per_group;
  return philox4x32_10(address.counter(block), address.key)[word];
}

void fill_list(const Address& of, std::uint32_t block, std::span<std::uint32_t> out) {
  const auto fill = HWY_DYNAMIC_DISPATCH(fill_groups);
  Address address = of;
  const std::size_t n_groups = out.size() / k_places_per_group;
  address.unit = 0;
  if (n_groups > 0) fill(address.counter(block), address.key, n_groups, out.data());
  const auto rest = out.subspan(n_groups * k_places_per_group);
  if (rest.empty()) return;
  address.unit = static_cast<std::uint32_t>(n_groups) * k_units_per_group;
  alignas(64) std::uint32_t group[k_places_per_group];
  fill(address.counter(block), address.key, 1, group);
  std::copy_n(group, rest.size(), rest.begin());
}

}  // namespace trialwright::rng
#endif
