#include "analysis/binomial.hpp"

#include <algorithm>

#include "base/contract.hpp"

namespace trialwright::analysis {

void binomial_probabilities(int n, double rate, std::span<double> out) {
  TRIALWRIGHT_EXPECT(n >= 0 && rate >= 0.0 && rate <= 1.0 && out.size() > static_cast<std::size_t>(n));
  constexpr double k_negligible = 1e-40;
  std::fill_n(out.begin(), n + 1, 0.0);
  const auto at = [&](int k) -> double& { return out[static_cast<std::size_t>(k)]; };
  if (rate == 0.0 || rate == 1.0) {
    at(rate == 0.0 ? 0 : n) = 1.0;
    return;
  }
  const int mode = std::min(n, static_cast<int>((n + 1) * rate));
  const double up = rate / (1.0 - rate);
  const double down = (1.0 - rate) / rate;
  double sum_below = 0.0;
  double sum_above = 0.0;
  double weight = 1.0;
  for (int k = mode; k < n && weight > k_negligible; ++k) {
    at(k) = weight;
    weight *= up * (n - k) / (k + 1);
    at(k + 1) = weight;
    sum_above += weight;
  }
  weight = 1.0;
  for (int k = mode; k > 0 && weight > k_negligible; --k) {
    weight *= down * k / (n - k + 1);
    at(k - 1) = weight;
    sum_below += weight;
  }
  at(mode) = 1.0;
  const double scale = 1.0 / (1.0 + sum_above + sum_below);
  for (int k = 0; k <= n; ++k) at(k) *= scale;
}

Hypergeometric::Hypergeometric(int n_1, int n_0, int total, double negligible)
    : first_(std::max(0, total - n_0)) {
  TRIALWRIGHT_EXPECT(n_1 >= 0 && n_0 >= 0 && total >= 0 && total <= n_1 + n_0);
  const int last_x = std::min(n_1, total);
  probability_.assign(static_cast<std::size_t>(last_x - first_ + 1), 0.0);
  const auto at = [&](int x) -> double& { return probability_[static_cast<std::size_t>(x - first_)]; };
  const double peak = (n_1 + 1.0) * (total + 1.0) / (n_1 + n_0 + 2.0);
  const int mode = std::clamp(static_cast<int>(peak), first_, last_x);
  at(mode) = 1.0;
  double sum_above = 0.0;
  double sum_below = 0.0;
  double weight = 1.0;
  for (int x = mode; x < last_x && weight > negligible; ++x) {
    weight *= static_cast<double>(n_1 - x) * (total - x) /
              (static_cast<double>(x + 1) * (n_0 - total + x + 1));
    at(x + 1) = weight;
    sum_above += weight;
  }
  weight = 1.0;
  for (int x = mode; x > first_ && weight > negligible; --x) {
    weight *= static_cast<double>(x) * (n_0 - total + x) /
              (static_cast<double>(n_1 - x + 1) * (total - x + 1));
    at(x - 1) = weight;
    sum_below += weight;
  }
  const double sum = 1.0 + sum_above + sum_below;
  for (double& probability : probability_) probability /= sum;
}

double Hypergeometric::upper_tail(int x_1) const {
  double tail = 0.0;
  for (int x = last(); x >= std::max(x_1, first_); --x) tail += probability(x);
  return x_1 <= first_ ? 1.0 : tail;
}

std::vector<double> Hypergeometric::upper_tails() const {
  std::vector<double> tails(probability_.size());
  double tail = 0.0;
  for (std::size_t i = tails.size(); i-- > 0;) tails[i] = tail += probability_[i];
  tails.front() = 1.0;
  return tails;
}

}  // namespace trialwright::analysis
