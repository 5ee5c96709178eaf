#include "rng/stream.hpp"

#include <cstddef>

#include "base/contract.hpp"
#include "rng/batch.hpp"

namespace trialwright::rng {

double Stream::normal(std::uint32_t draw) {
  return normal_of_word(word(draw));
}

void fill_uniform(const Address& first_unit, std::uint32_t draw, std::span<double> out) {
  Counter counter = first_unit.counter(draw / 4);
  const std::uint32_t word = draw % 4;
  for (double& value : out) {
    value = to_uniform(philox4x32_10(counter, first_unit.key)[word]);
    ++counter[1];
  }
}

void fill_normal(const Address& first_unit, std::uint32_t draw, std::span<double> out) {
  Address address = first_unit;
  for (double& value : out) {
    value = Stream(address).normal(draw);
    ++address.unit;
  }
}

void fill_uniforms(const Address& first_unit, std::uint32_t first_draw, std::uint32_t n_draws,
                   DrawColumns out) {
  TRIALWRIGHT_EXPECT(first_draw % 4 == 0);
  TRIALWRIGHT_EXPECT(out.stride >= out.n_units);
  for (std::uint32_t done = 0; done < n_draws; done += 4) {
    Counter counter = first_unit.counter((first_draw + done) / 4);
    const std::uint32_t n_words = n_draws - done < 4 ? n_draws - done : 4;
    for (std::size_t unit = 0; unit < out.n_units; ++unit) {
      const Counter words = philox4x32_10(counter, first_unit.key);
      for (std::uint32_t word = 0; word < n_words; ++word)
        out.data[(done + word) * out.stride + unit] = to_uniform(words[word]);
      ++counter[1];
    }
  }
}

void fill_normals(const Address& first_unit, std::uint32_t first_draw, std::uint32_t n_draws,
                  DrawColumns out) {
  for (std::uint32_t draw = 0; draw < n_draws; ++draw)
    fill_normal(first_unit, first_draw + draw, {out.data + draw * out.stride, out.n_units});
}

}  // namespace trialwright::rng
