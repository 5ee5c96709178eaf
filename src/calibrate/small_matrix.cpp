#include "calibrate/small_matrix.hpp"

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"

namespace trialwright::calibrate {

Matrix zeros(std::size_t n_rows, std::size_t n_columns) {
  return Matrix(n_rows, Vector(n_columns, 0.0));
}

Matrix transpose(const Matrix& a) {
  Matrix result = zeros(a.empty() ? 0 : a.front().size(), a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].size(); ++j) result[j][i] = a[i][j];
  return result;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix result;
  const Matrix columns = transpose(b);
  for (const auto& row : a) {
    auto& out = result.emplace_back();
    for (const auto& column : columns) out.push_back(dot(row, column));
  }
  return result;
}

Vector product(const Matrix& a, const Vector& x) {
  Vector result;
  for (const auto& row : a) result.push_back(dot(row, x));
  return result;
}

double dot(const Vector& x, const Vector& y) {
  TRIALWRIGHT_EXPECT(x.size() == y.size());
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

std::optional<Matrix> inverse(Matrix a) {
  const std::size_t n = a.size();
  Matrix result = zeros(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    double largest = 0;
    for (double value : a[i]) largest = std::max(largest, std::abs(value));
    if (!(largest > 0)) return std::nullopt;
    for (double& value : a[i]) value /= largest;
    result[i][i] = 1 / largest;
  }
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i)
      if (std::abs(a[i][k]) > std::abs(a[pivot][k])) pivot = i;
    if (!(std::abs(a[pivot][k]) > 1e-12)) return std::nullopt;
    std::swap(a[k], a[pivot]);
    std::swap(result[k], result[pivot]);
    const double scale = 1 / a[k][k];
    for (std::size_t j = 0; j < n; ++j) {
      a[k][j] *= scale;
      result[k][j] *= scale;
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const double factor = a[i][k];
      for (std::size_t j = 0; j < n; ++j) {
        a[i][j] -= factor * a[k][j];
        result[i][j] -= factor * result[k][j];
      }
    }
  }
  return result;
}

}  // namespace trialwright::calibrate
