#include "rng/word_list.hpp"

#include <algorithm>

#include "rng/batch.hpp"

namespace trialwright::rng {

std::uint32_t word_of_list(const Address& of, std::uint32_t block, std::uint32_t place) {
  Address address = of;
  address.unit = place / k_places_per_group * k_units_per_group + place % k_units_per_group;
  const std::uint32_t word = place % k_places_per_group / k_units_per_group;
  return philox4x32_10(address.counter(block), address.key)[word];
}

void fill_list(const Address& of, std::uint32_t block, std::span<std::uint32_t> out) {
  Address address = of;
  address.unit = 0;
  const auto columns = [](std::uint32_t* first) {
    return WordColumns{first, first + k_units_per_group, first + 2 * k_units_per_group,
                       first + 3 * k_units_per_group};
  };
  std::size_t place = 0;
  for (; place + k_places_per_group <= out.size(); place += k_places_per_group) {
    fill_words(address, block, k_units_per_group, columns(out.data() + place));
    address.unit += k_units_per_group;
  }
  if (place == out.size()) return;
  alignas(64) std::uint32_t rest[k_places_per_group];
  fill_words(address, block, k_units_per_group, columns(rest));
  std::copy_n(rest, out.size() - place, out.begin() + static_cast<std::ptrdiff_t>(place));
}

}  // namespace trialwright::rng
