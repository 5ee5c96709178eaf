#include "rng/stream.hpp"

#include "rng/batch.hpp"

namespace trialwright::rng {

double Stream::normal(std::uint32_t draw) {
  return normal_of_word(word(draw));
}

}  // namespace trialwright::rng
