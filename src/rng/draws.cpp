#include "rng/draws.hpp"

#include <cmath>

#include "base/contract.hpp"
#include "rng/batch.hpp"

namespace trialwright::rng {

double gamma(Stream& stream, double shape) {
  TRIALWRIGHT_EXPECT(shape > 0.0);
  const double boost = shape < 1.0 ? math::pow(stream.next_uniform(), 1.0 / shape) : 1.0;
  const double d = (shape < 1.0 ? shape + 1.0 : shape) - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double z = normal_of_word(stream());
    const double u = stream.next_uniform();
    const double root = 1.0 + c * z;
    const double v = root * root * root;
    if (v > 0.0 && math::log(u) < 0.5 * z * z + d - d * v + d * math::log(v)) return d * v * boost;
  }
}

}  // namespace trialwright::rng
