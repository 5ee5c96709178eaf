#include "rng/batch.hpp"

#include "base/contract.hpp"
#include "math/normal.hpp"

namespace trialwright::rng {

void fill_words(const Address& first, std::uint32_t block, std::size_t n, const WordColumns& out) {
  Counter counter = first.counter(block);
  for (std::size_t i = 0; i < n; ++i, ++counter[1]) {
    const Counter words = philox4x32_10(counter, first.key);
    for (std::size_t k = 0; k < 4; ++k)
      if (out[k] != nullptr) out[k][i] = words[k];
  }
}

void fill_words_of_trials(const Address& first, std::uint32_t block, std::size_t n,
                          const WordColumns& out) {
  Address address = first;
  for (std::size_t i = 0; i < n; ++i, ++address.trial) {
    const Counter words = philox4x32_10(address.counter(block), address.key);
    for (std::size_t k = 0; k < 4; ++k)
      if (out[k] != nullptr) out[k][i] = words[k];
  }
}

void uniforms_of_words(std::span<const std::uint32_t> words, std::span<float> out) {
  TRIALWRIGHT_EXPECT(words.size() == out.size());
  for (std::size_t i = 0; i < words.size(); ++i) out[i] = uniform_of_word(words[i]);
}

float normal_of_word(std::uint32_t word) {
  return static_cast<float>(math::normal_quantile(to_uniform(word)));
}

void normals_of_words(std::span<const std::uint32_t> words, std::span<float> out) {
  TRIALWRIGHT_EXPECT(words.size() == out.size());
  for (std::size_t i = 0; i < words.size(); ++i) out[i] = normal_of_word(words[i]);
}

}  // namespace trialwright::rng
